"""Intervals of rates: known values, their laws, and the share of simulated pilots in which they hold the truth."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from finetune_prep.statistics.rates import Rate, exact, lower_bound, percent, upper_bound, wilson
from tests.soak import examples

laws = settings(max_examples=examples(60))


@st.composite
def counts(draw: st.DrawFn) -> tuple[int, int]:
    n = draw(st.integers(0, 5000))
    return draw(st.integers(0, n)), n


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [
        # statsmodels.stats.proportion.proportion_confint(k, n, method="wilson"), to four digits
        (8, 10, 0.4902, 0.9433),
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (1, 1, 0.2065, 1.0),
        (50, 100, 0.4038, 0.5962),
        (70, 100, 0.6042, 0.7811),
        (95, 100, 0.8882, 0.9785),
        (3, 7, 0.1582, 0.7495),
    ],
)
def test_intervals_are_those_of_the_literature(k: int, n: int, low: float, high: float) -> None:
    rate = wilson(k, n)
    assert (rate.low, rate.high) == pytest.approx((low, high), abs=5e-5)
    assert rate.value == k / n


def test_nothing_was_tried_and_so_nothing_is_known() -> None:
    assert wilson(0, 0) == Rate(0, 0, 0.0, 1.0)
    assert wilson(0, 0).value is None


@laws
@given(counts())
def test_an_interval_holds_the_rate_and_stays_between_zero_and_one(count: tuple[int, int]) -> None:
    rate = wilson(*count)
    assert 0 <= rate.low <= rate.high <= 1
    if rate.value is not None:
        assert rate.low <= rate.value <= rate.high


@laws
@given(counts())
def test_counting_failures_instead_mirrors_the_interval(count: tuple[int, int]) -> None:
    k, n = count
    one, other = wilson(k, n), wilson(n - k, n)
    assert (one.low, one.high) == pytest.approx((1 - other.high, 1 - other.low), abs=1e-12)


@laws
@given(counts(), st.integers(2, 20))
def test_more_trials_at_the_same_rate_narrow_the_interval(count: tuple[int, int], times: int) -> None:
    k, n = count
    few, many = wilson(k, n), wilson(k * times, n * times)
    if n:
        assert many.high - many.low < few.high - few.low


@laws
@given(counts())
def test_more_confidence_widens_the_interval(count: tuple[int, int]) -> None:
    usual, surer = wilson(*count), wilson(*count, z=2.58)
    assert surer.low <= usual.low
    assert surer.high >= usual.high


@pytest.mark.parametrize(("k", "n"), [(-1, 10), (11, 10), (1, 0), (0, -1)])
def test_what_is_no_rate_is_refused(k: int, n: int) -> None:
    with pytest.raises(ValueError, match=f"{k} of {n} is not a rate"):
        wilson(k, n)


@pytest.mark.parametrize("p", [0.5, 0.7, 0.9])
def test_the_interval_holds_the_truth_in_about_95_of_100_pilots(p: float) -> None:
    """4,000 pilots of 100 conversations with a known pass rate; the standard error of the coverage is .0035."""
    stream = random.Random(f"coverage at {p}")
    held = 0
    for _ in range(4000):
        rate = wilson(sum(stream.random() < p for _ in range(100)), 100)
        held += rate.low <= p <= rate.high
    assert 0.92 <= held / 4000 <= 0.975


@laws
@given(counts(), st.sampled_from([0.8, 0.9, 0.95, 0.99]))
def test_the_exact_interval_is_that_of_scipy(count: tuple[int, int], confidence: float) -> None:
    k, n = count
    if n:
        known = stats.binomtest(k, n).proportion_ci(confidence, method="exact")
        rate = exact(k, n, confidence)
        assert (rate.low, rate.high) == pytest.approx((known.low, known.high), abs=1e-9)


def test_ten_of_ten_prove_little() -> None:
    assert exact(10, 10).low == pytest.approx(0.6915, abs=1e-4)
    assert exact(0, 0) == Rate(0, 0, 0.0, 1.0)


@laws
@given(counts())
def test_one_sided_bounds_are_those_of_scipy(count: tuple[int, int]) -> None:
    k, n = count
    if n:
        above = stats.binomtest(k, n, alternative="less").proportion_ci(0.95).high
        below = stats.binomtest(k, n, alternative="greater").proportion_ci(0.95).low
        assert (lower_bound(k, n), upper_bound(k, n)) == pytest.approx((below, above), abs=1e-9)


@pytest.mark.parametrize("n", [10, 30, 100])
@pytest.mark.parametrize("p", [0.05, 0.3, 0.7, 0.95])
def test_the_exact_interval_keeps_its_word_everywhere(n: int, p: float) -> None:
    """Not by simulation: all outcomes with their chances."""
    held = sum(float(stats.binom.pmf(k, n, p)) for k in range(n + 1) if exact(k, n).low <= p <= exact(k, n).high)
    assert held >= 0.95


@pytest.mark.parametrize(("k", "n"), [(-1, 10), (11, 10), (1, 0)])
def test_the_exact_interval_refuses_what_is_no_rate(k: int, n: int) -> None:
    with pytest.raises(ValueError, match=f"{k} of {n} is not a rate"):
        exact(k, n)


@pytest.mark.parametrize(
    ("k", "n", "said"),
    [(0, 298, "0%"), (1, 298, "<1%"), (149, 298, "50%"), (297, 298, ">99%"), (298, 298, "100%"), (99, 100, "99%")],
)
def test_only_all_of_them_are_a_hundred_per_cent(k: int, n: int, said: str) -> None:
    assert percent(k / n) == said
