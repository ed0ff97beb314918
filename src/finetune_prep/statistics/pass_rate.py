"""The share of conversations that people would pass, from a few labels and many verdicts.

PPI++ (Angelopoulos, Duchi & Zrnic 2023, arXiv:2311.01453) moves the mean of the labels by what the judge says of the
conversations that nobody labelled: mean(y) + λ (mean of all verdicts − mean of the labelled ones' verdicts). For verdicts that
are yes or no and the best λ, which is the difference between the two strata's pass rates, this is the estimate stratified by
verdict, w a + (1 − w) b. It is computed in that form, which holds under a draw by verdict as well.
"""

from __future__ import annotations

from math import sqrt

import msgspec

from finetune_prep.statistics.agreement import Drawn
from finetune_prep.statistics.rates import Z_95, Estimate, exact

FEWEST_LABELS = 30  # below, intervals of PPI++ held the truth too seldom (docs/decisions/0022)
PPI = "PPI++ with two passing and two failing pseudo-labels"
STRATIFIED = "labels alone, weighted by how they were drawn"
EXACT_LABELS = "labels alone, exact (Clopper–Pearson)"
WILSON_OF_VERDICTS = "Wilson, of verdicts alone"


class Corrected(msgspec.Struct, frozen=True, kw_only=True):
    """rate: the share that people would pass. extra_labels: how many more labels alone would have told as much; 0 for a useless
    judge."""

    rate: Estimate
    extra_labels: int


def corrected(drawn: Drawn) -> Corrected | None:
    """The pass rate by PPI++, None below 30 labels.

    Each verdict gets one passing and one failing pseudo-label (as Agresti & Caffo 2000, Am. Stat. 54:280, do for two samples):
    without them the interval has no width where people agree with the judge throughout. Effective extra labels: a (1 − a) /
    variance − n, the labels that a rate of the same variance takes without a judge.
    """
    if drawn.labelled < FEWEST_LABELS:
        return None
    value, variance = _stratified(drawn)
    n = drawn.labelled
    extra = max(0, round(value * (1 - value) / variance - n)) if 0 < value < 1 else 0
    return Corrected(rate=_normal(value, variance, n, PPI), extra_labels=extra)


def by_people(drawn: Drawn) -> Estimate:
    """The pass rate by labels alone: the exact interval under a uniform draw, else weighted by the draw."""
    if drawn.design == "uniform":
        rate = exact(drawn.passed.passed + drawn.failed.passed, drawn.labelled)
        return Estimate(value=rate.value, low=rate.low, high=rate.high, n=rate.n, method=EXACT_LABELS)
    value, variance = _stratified(drawn)
    return _normal(value, variance, drawn.labelled, STRATIFIED)


def _stratified(drawn: Drawn) -> tuple[float, float]:
    """Estimate and variance. The pool is itself a sample of what would be made: the last term."""
    pool = drawn.passed.pool + drawn.failed.pool
    w = drawn.share_passed or 0.0
    a, b = ((stratum.passed + 1) / (stratum.labelled + 2) for stratum in (drawn.passed, drawn.failed))
    variance = (
        w**2 * a * (1 - a) / (drawn.passed.labelled + 2)
        + (1 - w) ** 2 * b * (1 - b) / (drawn.failed.labelled + 2)
        + (a - b) ** 2 * w * (1 - w) / pool
    )
    return w * a + (1 - w) * b, variance


def _normal(value: float, variance: float, n: int, method: str) -> Estimate:
    reach = Z_95 * sqrt(variance)
    return Estimate(value=value, low=max(0.0, value - reach), high=min(1.0, value + reach), n=n, method=method)
