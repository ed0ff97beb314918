"""Stopping early: evidence by numerical integration, and pilots of known rates – all their courses with their chances, no dice."""

from __future__ import annotations

from math import isinf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from finetune_prep.statistics.sequential import STOP, anytime_interval, futility
from tests.soak import SOAK, examples

laws = settings(max_examples=examples(60), deadline=None)
TARGET = 0.7
LONGEST = 500 if SOAK else 120  # conversations of a pilot that may stop after any of them


@st.composite
def counts(draw: st.DrawFn) -> tuple[int, int]:
    n = draw(st.integers(0, 120))
    return draw(st.integers(0, n)), n


@laws
@given(counts(), st.sampled_from([0.5, 0.7, 0.8]))
def test_evidence_is_the_mixture_over_rates_below_the_target(count: tuple[int, int], target: float) -> None:
    passed, n = count
    mixed, _ = integrate.quad(
        lambda p: (p / target) ** passed * ((1 - p) / (1 - target)) ** (n - passed), 0, target, epsabs=0, epsrel=1e-9, limit=400
    )
    assert futility(passed, n, target) == pytest.approx(mixed / target, rel=1e-6)


@laws
@given(counts())
def test_the_interval_ends_where_the_mixture_is_twenty_times_as_likely(count: tuple[int, int]) -> None:
    passed, n = count
    interval = anytime_interval(passed, n)
    assert 0 <= interval.low <= interval.high <= 1
    for end in (interval.low, interval.high):
        if 0 < end < 1:
            assert mixture(passed, n, end) == pytest.approx(STOP, rel=1e-4)


def mixture(passed: int, n: int, rate: float) -> float:
    """How much likelier the even mixture over all rates makes what was seen than one rate does."""
    return float(integrate.quad(lambda p: (p / rate) ** passed * ((1 - p) / (1 - rate)) ** (n - passed), 0, 1, limit=400)[0])


def course(truth: float, stops: dict[tuple[int, int], bool]) -> tuple[float, dict[tuple[int, int], float]]:
    """Chance of ever stopping, and where pilots end with which chance. stops: whether one stops at so many passed of so many."""
    alive = {0: 1.0}
    ends: dict[tuple[int, int], float] = {}
    for n in range(1, LONGEST + 1):
        moved: dict[int, float] = {}
        for passed, chance in alive.items():
            moved[passed + 1] = moved.get(passed + 1, 0.0) + chance * truth
            moved[passed] = moved.get(passed, 0.0) + chance * (1 - truth)
        alive = {passed: chance for passed, chance in moved.items() if not stops[passed, n]}
        ends |= {(passed, n): chance for passed, chance in moved.items() if stops[passed, n]}
    stopped = sum(ends.values())
    return stopped, ends | {(passed, LONGEST): chance for passed, chance in alive.items()}


STOPS = {
    (passed, n): futility(passed, n, TARGET) >= STOP for n in range(1, LONGEST + 1) for passed in range(n + 1)
}  # looked at after every conversation


@pytest.mark.parametrize("truth", [0.7, 0.75, 0.8, 0.9, 0.95, 1.0])
def test_a_good_pilot_is_hardly_ever_stopped(truth: float) -> None:
    stopped, ends = course(truth, STOPS)
    assert sum(ends.values()) == pytest.approx(1)
    print("good", truth, stopped)
    assert stopped <= 0.05


@pytest.mark.parametrize(("truth", "least"), [(0.3, 0.999), (0.4, 0.95), (0.5, 0.75)])
def test_a_hopeless_pilot_is_stopped_by_a_hundred(truth: float, least: float) -> None:
    _, ends = course(truth, STOPS)
    assert sum(chance for (passed, n), chance in ends.items() if n <= 100 and STOPS[passed, n]) >= least


@pytest.mark.parametrize("truth", [0.1, 0.3, 0.5, 0.6, 0.7, 0.9, 0.99])
def test_the_interval_holds_the_truth_wherever_one_stopped(truth: float) -> None:
    _, ends = course(truth, STOPS)
    held = sum(
        chance
        for (passed, n), chance in ends.items()
        if anytime_interval(passed, n).low <= truth <= anytime_interval(passed, n).high
    )
    print("interval", truth, held)
    assert held >= 0.95 - 1e-9


def test_a_mixture_over_all_rates_would_stop_good_pilots() -> None:
    """Why the mixture ends at the target: at a true rate of .90 the uncut one stops nearly all."""

    def uncut(passed: int, n: int) -> bool:
        evidence = stats.betabinom.pmf(passed, n, 1, 1) / stats.binom.pmf(passed, n, TARGET)
        return bool(evidence >= STOP)

    stops = {(passed, n): uncut(passed, n) for n in range(1, LONGEST + 1) for passed in range(n + 1)}
    assert course(0.9, stops)[0] > 0.9


def test_evidence_never_overflows() -> None:
    assert not isinf(futility(0, 100_000, TARGET))
    assert futility(100_000, 100_000, TARGET) < 1


def test_before_the_first_conversation_nothing_is_known() -> None:
    assert futility(0, 0, TARGET) == pytest.approx(1)
    assert (anytime_interval(0, 0).value, anytime_interval(0, 0).low, anytime_interval(0, 0).high) == (None, 0, 1)


@pytest.mark.parametrize(("passed", "n"), [(-1, 3), (4, 3)])
def test_what_is_no_rate_is_refused(passed: int, n: int) -> None:
    with pytest.raises(ValueError, match="is not a rate"):
        futility(passed, n, TARGET)
