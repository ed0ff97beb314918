"""The share that people would pass: PPI++ by its own formula, its laws, and pilots whose truth is known."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finetune_prep.statistics.agreement import Design, Drawn, Stratum
from finetune_prep.statistics.pass_rate import EXACT_LABELS, FEWEST_LABELS, STRATIFIED, by_people, corrected
from finetune_prep.statistics.rates import exact
from tests.soak import SOAK, examples
from tests.statistics.simulated import REPETITIONS, draws, slack

laws = settings(max_examples=examples(60))
PREVALENCES = (0.3, 0.5, 0.7, 0.9)
JUDGES = ((0.98, 0.98), (0.95, 0.9), (0.95, 0.5), (0.97, 0.25), (0.7, 0.7), (0.5, 0.5))  # TPR, TNR: good to useless
CELLS = [
    (labels, pool, prevalence, *judge)
    for labels in (30, 100)
    for pool in (100, 1000)
    for prevalence in PREVALENCES
    for judge in JUDGES
]
DESIGNS: tuple[Design, ...] = ("uniform", "by verdict")


def ppi(judged: np.ndarray, people: np.ndarray, verdicts: np.ndarray) -> tuple[float, float]:
    """Estimate and variance of PPI++ with the best λ; the pool holds the labelled conversations, too.

    people, verdicts: of the labelled ones. judged: verdicts of the pool.
    """
    weight = float(np.cov(people, verdicts, ddof=0)[0, 1] / np.var(verdicts))
    value = float(people.mean() + weight * (judged.mean() - verdicts.mean()))
    variance = float(np.var(people - weight * verdicts) / len(people) + weight**2 * np.var(judged) / len(judged))
    return value, variance


@pytest.mark.parametrize(
    ("passed", "failed"), [((800, 27, 24), (200, 9, 1)), ((60, 20, 20), (40, 14, 0)), ((500, 40, 20), (500, 40, 20))]
)
def test_it_is_ppi_with_two_passing_and_two_failing_pseudo_labels(
    passed: tuple[int, int, int], failed: tuple[int, int, int]
) -> None:
    """Computed row by row from the formula of the paper, with one passing and one failing pseudo-label for each verdict."""
    (pool_passed, n_passed, k_passed), (pool_failed, n_failed, k_failed) = passed, failed
    people = np.array(
        [1] * k_passed + [0] * (n_passed - k_passed) + [1, 0] + [1] * k_failed + [0] * (n_failed - k_failed) + [1, 0], dtype=float
    )
    verdicts = np.array([1] * (n_passed + 2) + [0] * (n_failed + 2), dtype=float)
    judged = np.array([1] * pool_passed + [0] * pool_failed, dtype=float)
    found = corrected(Drawn(passed=Stratum(*passed), failed=Stratum(*failed), design="uniform"))
    assert found is not None and found.rate.value is not None
    value, variance = ppi(judged, people, verdicts)
    assert found.rate.value == pytest.approx(value)
    if n_passed / n_failed == pool_passed / pool_failed:  # else the formula weights strata by the labels, not by the pool
        assert found.rate.high - found.rate.low == pytest.approx(2 * 1.96 * sqrt(variance), rel=1e-3)
    assert found.rate.high - found.rate.low == pytest.approx(2 * 1.96 * sqrt(variance), rel=0.15)


def test_a_judge_that_people_always_agree_with_is_worth_many_labels() -> None:
    good = corrected(Drawn(passed=Stratum(700, 70, 70), failed=Stratum(300, 30, 0), design="uniform"))
    useless = corrected(Drawn(passed=Stratum(500, 50, 35), failed=Stratum(500, 50, 35), design="uniform"))
    assert good is not None and useless is not None
    assert good.extra_labels > 200
    assert useless.extra_labels < 10


def test_below_thirty_labels_people_speak_alone() -> None:
    few = Drawn(passed=Stratum(700, 20, 19), failed=Stratum(300, 9, 1), design="uniform")
    assert few.labelled == FEWEST_LABELS - 1
    assert corrected(few) is None
    known = exact(20, 29)
    assert (by_people(few).value, by_people(few).low, by_people(few).high) == (20 / 29, known.low, known.high)
    assert by_people(few).method == EXACT_LABELS


def test_by_verdict_people_are_weighted() -> None:
    seen = Drawn(passed=Stratum(900, 50, 45), failed=Stratum(100, 50, 10), design="by verdict")
    rate = by_people(seen)
    assert rate.method == STRATIFIED
    assert rate.value == pytest.approx(0.9 * 46 / 52 + 0.1 * 11 / 52)
    assert rate.low > 55 / 100  # what the raw counts would say lies far off


@st.composite
def pilots(draw: st.DrawFn) -> Drawn:
    strata = []
    for _ in range(2):
        pool = draw(st.integers(1, 300))
        labelled = draw(st.integers(0, min(pool, 60)))
        strata.append(Stratum(pool, labelled, draw(st.integers(0, labelled))))
    return Drawn(passed=strata[0], failed=strata[1], design=draw(st.sampled_from(DESIGNS)))


@laws
@given(pilots())
def test_an_interval_holds_its_figure_and_stays_between_zero_and_one(seen: Drawn) -> None:
    for rate in (by_people(seen), found.rate if (found := corrected(seen)) else None):
        if rate is not None and rate.value is not None:
            assert 0 <= rate.low <= rate.value <= rate.high <= 1
            assert rate.n == seen.labelled


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("labels", [30, 100])
def test_the_truth_lies_in_the_interval(design: Design, labels: int) -> None:
    """In at least 92 of 100 pilots in each cell, and 94 on average."""
    shares = {}
    for cell in CELLS if SOAK else CELLS[:: 7 if labels == 30 else 5]:
        n, pool, prevalence, tpr, tnr = cell
        if n != labels:
            continue
        held = 0
        for seen in draws(prevalence=prevalence, tpr=tpr, tnr=tnr, pool=pool, labels=labels, design=design):
            found = corrected(seen)
            assert found is not None
            held += found.rate.low <= prevalence <= found.rate.high
        shares[cell] = held / REPETITIONS
        print(design, *cell, shares[cell])
    assert {cell: share for cell, share in shares.items() if share < 0.92 - slack(0.95)} == {}
    assert sum(shares.values()) / len(shares) >= 0.94 - slack(0.95, REPETITIONS * len(shares))


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("labels", [10, 20, 29])
def test_few_labels_keep_their_word_too(design: Design, labels: int) -> None:
    for prevalence in (0.5, 0.7, 0.9) if SOAK else (0.7,):
        for tpr, tnr in ((0.95, 0.9), (0.97, 0.25)):
            seen = draws(prevalence=prevalence, tpr=tpr, tnr=tnr, pool=100, labels=labels, design=design)
            held = sum(rate.low <= prevalence <= rate.high for rate in map(by_people, seen)) / REPETITIONS
            print(design, labels, prevalence, tpr, tnr, held)
            assert held >= 0.92 - slack(0.95)
