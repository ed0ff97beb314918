"""TPR and TNR by the design of the draw: known values, laws, an independent computation, and judges whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finetune_prep.statistics.agreement import Design, Drawn, Stratum, true_negative_rate, true_positive_rate
from finetune_prep.statistics.certification import CERTIFIED, shown
from finetune_prep.statistics.rates import exact, wilson
from tests.soak import SOAK, examples
from tests.statistics.simulated import REPETITIONS, dice, draws, slack

laws = settings(max_examples=examples(40), deadline=None)
PREVALENCES = (0.3, 0.5, 0.7, 0.9)
JUDGES = ((0.95, 0.95), (0.79, 0.99), (0.99, 0.79), (0.9, 0.5), (0.6, 0.6))
SIZES = ((100, 100), (1000, 100))  # pool, labels
CELLS = [
    (design, pool, labels, prevalence, tpr, tnr)
    for design in ("uniform", "by verdict")
    for pool, labels in SIZES
    for prevalence in PREVALENCES
    for tpr, tnr in JUDGES
]
EVERYDAY = [cell for number, cell in enumerate(CELLS) if number % 13 == 0]


@st.composite
def strata(draw: st.DrawFn) -> Stratum:
    pool = draw(st.integers(0, 300))
    labelled = draw(st.integers(0, min(pool, 60)))
    return Stratum(pool, labelled, draw(st.integers(0, labelled)))


def drawn(passed: tuple[int, int, int], failed: tuple[int, int, int], design: Design = "by verdict") -> Drawn:
    return Drawn(passed=Stratum(*passed), failed=Stratum(*failed), design=design)


def test_a_uniform_draw_is_counted() -> None:
    seen = drawn((80, 40, 38), (20, 10, 2), "uniform")
    tpr, tnr = true_positive_rate(seen), true_negative_rate(seen)
    assert (tpr.value, tpr.n, tpr.low) == (38 / 40, 40, exact(38, 40).low)
    assert (tnr.value, tnr.n, tnr.high) == (8 / 10, 10, exact(8, 10).high)


def test_a_draw_by_verdict_is_weighted() -> None:
    """900 passed of which 45 of 50 are right, 100 failed of which 10 of 50 should have passed: 810 of 830 good ones were passed."""
    seen = drawn((900, 50, 45), (100, 50, 10))
    assert true_positive_rate(seen).value == pytest.approx(810 / 830)
    assert true_negative_rate(seen).value == pytest.approx(80 / 170)
    raw = wilson(40, 45)  # what the counts alone would say of the TNR
    assert raw.low > true_negative_rate(seen).low + 0.3


@pytest.mark.parametrize(
    ("passed", "failed"),
    [
        ((900, 50, 45), (100, 50, 10)),
        ((70, 50, 48), (30, 30, 2)),
        ((500, 50, 50), (500, 50, 3)),
        ((60, 20, 12), (40, 20, 8)),
    ],
)
def test_the_melded_interval_by_an_independent_way(passed: tuple[int, int, int], failed: tuple[int, int, int]) -> None:
    """Fay, Proschan & Brittain's definition by two million random draws of numpy, in place of points and sums of logarithms."""
    chance = dice("melded", passed, failed)

    def lower(k: int, n: int) -> np.ndarray:
        return chance.beta(k, n - k + 1, 2_000_000) if k else np.zeros(2_000_000)

    def upper(k: int, n: int) -> np.ndarray:
        return chance.beta(k + 1, n - k, 2_000_000) if k < n else np.ones(2_000_000)

    def tpr(w: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return w * a / (w * a + (1 - w) * b)

    pool = passed[0] + failed[0]
    low = np.quantile(tpr(lower(passed[0], pool), lower(passed[2], passed[1]), upper(failed[2], failed[1])), 0.025)
    high = np.quantile(tpr(upper(passed[0], pool), upper(passed[2], passed[1]), lower(failed[2], failed[1])), 0.975)
    estimate = true_positive_rate(drawn(passed, failed))
    assert (estimate.low, estimate.high) == pytest.approx((low, high), abs=0.004)


@laws
@given(strata(), strata(), st.sampled_from(["uniform", "by verdict"]))
def test_an_interval_holds_its_figure_and_stays_between_zero_and_one(passed: Stratum, failed: Stratum, design: Design) -> None:
    seen = Drawn(passed=passed, failed=failed, design=design)
    for estimate in (true_positive_rate(seen), true_negative_rate(seen)):
        assert 0 <= estimate.low <= estimate.high <= 1
        if estimate.value is not None:
            assert estimate.low - 1e-9 <= estimate.value <= estimate.high + 1e-9


@laws
@given(strata(), strata(), st.sampled_from(["uniform", "by verdict"]))
def test_tnr_is_the_tpr_of_the_mirror(passed: Stratum, failed: Stratum, design: Design) -> None:
    seen = Drawn(passed=passed, failed=failed, design=design)
    assert true_negative_rate(seen) == true_positive_rate(seen.mirrored())
    assert seen.mirrored().mirrored() == seen


def test_nothing_labelled_says_nothing() -> None:
    estimate = true_positive_rate(drawn((50, 0, 0), (50, 0, 0)))
    assert (estimate.value, estimate.low, estimate.high) == (None, 0, 1)


def test_what_is_no_stratum_is_refused() -> None:
    with pytest.raises(ValueError, match="is not a stratum"):
        Stratum(10, 11, 3)


@pytest.mark.parametrize(("design", "pool", "labels", "prevalence", "tpr", "tnr"), CELLS if SOAK else EVERYDAY)
def test_the_truth_lies_in_the_interval(
    design: Design, pool: int, labels: int, prevalence: float, tpr: float, tnr: float
) -> None:
    """In at least 93 of 100 pilots in each cell; and a judge with .79 on one side, perfect or nearly on the other, is certified in
    5 of 100 at most."""
    held, certified = [0, 0], 0
    for seen in draws(prevalence=prevalence, tpr=tpr, tnr=tnr, pool=pool, labels=labels, design=design):
        estimates = true_positive_rate(seen), true_negative_rate(seen)
        for side, (estimate, truth) in enumerate(zip(estimates, (tpr, tnr), strict=True)):
            held[side] += estimate.low <= truth <= estimate.high
        certified += shown(*estimates) == "certified"
    print(f"{design} {pool} {labels} {prevalence} {tpr} {tnr}", *(side / REPETITIONS for side in held), certified / REPETITIONS)
    assert min(held) / REPETITIONS >= 0.93 - slack(0.95)
    if min(tpr, tnr) < CERTIFIED:
        assert certified / REPETITIONS <= 0.05 + slack(0.05)


def test_raw_counts_of_a_draw_by_verdict_would_certify_a_bad_judge() -> None:
    """Why the design decides: TNR .70 in truth, and Wilson on the raw counts finds it good enough far too often."""
    cell = {"prevalence": 0.8, "tpr": 0.98, "tnr": 0.7, "pool": 1000, "labels": 100}
    raw = right = 0
    for seen in draws(**cell, design="by verdict", repetitions=400):  # type: ignore[arg-type]
        counts = wilson(seen.failed.labelled - seen.failed.passed, seen.labelled - seen.failed.passed - seen.passed.passed)
        positives = wilson(seen.passed.passed, seen.passed.passed + seen.failed.passed)
        raw += min(counts.low, positives.low) >= CERTIFIED
        right += shown(true_positive_rate(seen), true_negative_rate(seen)) == "certified"
    assert raw / 400 > 0.2
    assert right == 0
