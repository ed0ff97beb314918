"""Is the judge right? Its TPR, TNR and kappa against people's labels, by the design with which the labels were drawn.

TPR: of the conversations that people pass, the share that the judge passes, too. TNR: of those that people fail, the share that
the judge fails, too. Under a draw by verdict the labelled conversations are not a picture of all: their raw counts say nothing of
TPR and TNR, and an interval made of them certifies bad judges. So every figure here starts from two strata and the design.
"""

from __future__ import annotations

from functools import lru_cache
from math import exp, inf, log, sqrt
from typing import Literal

import msgspec

from finetune_prep.statistics.beta import beta_points
from finetune_prep.statistics.rates import Z_95, Estimate, exact

Design = Literal["uniform", "by verdict"]
_POINTS = 64  # of a distribution; with five times as many, bounds move by .003 at most
EXACT = "exact (Clopper–Pearson)"
_STEP = 1e-6  # of the numerical derivative of kappa
DELTA = "large-sample (delta method over the draw)"
MELDED = "stratified by verdict, exact distributions combined"


class Stratum(msgspec.Struct, frozen=True):
    """Conversations on which the judge said the same.

    pool: how many there are. labelled: how many of them people have labelled. passed: how many of these people passed.
    """

    pool: int
    labelled: int
    passed: int

    def __post_init__(self) -> None:
        if not 0 <= self.passed <= self.labelled <= self.pool:
            raise ValueError(f"{self.passed} passed of {self.labelled} labelled of {self.pool} is not a stratum")


class Drawn(msgspec.Struct, frozen=True, kw_only=True):
    """What people said of conversations that the judge passed, and of those that it failed. design: how they were drawn."""

    passed: Stratum
    failed: Stratum
    design: Design

    @property
    def labelled(self) -> int:
        return self.passed.labelled + self.failed.labelled

    @property
    def share_passed(self) -> float | None:
        """Share of the pool that the judge passed."""
        pool = self.passed.pool + self.failed.pool
        return self.passed.pool / pool if pool else None

    def mirrored(self) -> Drawn:
        """The same with pass and fail in each other's place: the TNR of one is the TPR of the other."""
        return Drawn(passed=_mirrored(self.failed), failed=_mirrored(self.passed), design=self.design)


def _mirrored(stratum: Stratum) -> Stratum:
    return Stratum(stratum.pool, stratum.labelled, stratum.labelled - stratum.passed)


def true_positive_rate(drawn: Drawn) -> Estimate:
    """TPR with its 95% interval.

    Uniform draw: k of n and the exact interval. By verdict: TPR = w a / (w a + (1 − w) b), where w is the share of the pool that
    the judge passed, and a and b are the shares of the two strata that people passed. Its interval melds the confidence
    distributions of w, a and b (Fay, Proschan & Brittain 2015, Biometrics 71:146): the lower end is a quantile of that expression
    over the lower distributions of w and a and the upper one of b.
    """
    if drawn.design == "uniform":
        rate = exact(drawn.passed.passed, drawn.passed.passed + drawn.failed.passed)
        return Estimate(value=rate.value, low=rate.low, high=rate.high, n=rate.n, method=EXACT)
    n = drawn.passed.passed + drawn.failed.passed
    low, high = _melded(drawn.passed, drawn.failed)
    return Estimate(value=_share(drawn), low=low, high=high, n=n, method=MELDED)


def true_negative_rate(drawn: Drawn) -> Estimate:
    """TNR with its 95% interval, as `true_positive_rate`."""
    return true_positive_rate(drawn.mirrored())


def _share(drawn: Drawn) -> float | None:
    w = drawn.share_passed
    if w is None or (w > 0 and not drawn.passed.labelled) or (w < 1 and not drawn.failed.labelled):
        return None
    both = w * drawn.passed.passed / drawn.passed.labelled if w else 0.0
    missed = (1 - w) * drawn.failed.passed / drawn.failed.labelled if w < 1 else 0.0
    return both / (both + missed) if both + missed else None


def kappa(drawn: Drawn) -> Estimate:
    """Cohen's kappa, agreement beyond what the two pass rates alone would give (1960, Educ. Psychol. Meas. 20:37), −1 to 1, of
    the whole pool, with its large-sample 95% interval.

    Kappa is a function of w, the judge's pass rate, and of a and b, people's pass rates in the two strata. Its variance is that
    of these three, which the draw determines; under a uniform draw it is the variance of Fleiss, Cohen & Everitt (1969, Psychol.
    Bull. 72:323). A point estimate without agreement to measure – one of the two never passes or never fails – has no value.
    """
    n = drawn.labelled
    shares = _shares(drawn)
    value = _kappa(*shares) if shares else None
    if shares is None or value is None:
        return Estimate(value=None, low=-1.0, high=1.0, n=n, method=DELTA)
    strata = (drawn.passed, drawn.failed)
    near = (shares[0], *(_inside(share, stratum) for share, stratum in zip(shares[1:], strata, strict=True)))
    sizes = (n if drawn.design == "uniform" else drawn.passed.pool + drawn.failed.pool, *_labelled(drawn))
    variance = sum(
        _slope(near, place) ** 2 * share * (1 - share) / size
        for place, (share, size) in enumerate(zip(near, sizes, strict=True))
        if size
    )
    reach = Z_95 * sqrt(variance)
    return Estimate(value=value, low=max(-1.0, value - reach), high=min(1.0, value + reach), n=n, method=DELTA)


def _inside(share: float, stratum: Stratum) -> float:
    """The share, or where all or none passed, one that few labels leave possible: the variance of 0 and 1 is none."""
    return (stratum.passed + 1) / (stratum.labelled + 2) if share in (0.0, 1.0) else share


def _labelled(drawn: Drawn) -> tuple[int, int]:
    return drawn.passed.labelled, drawn.failed.labelled


def _shares(drawn: Drawn) -> tuple[float, float, float] | None:
    """w, a, b; None where a stratum that exists has no label."""
    passed, failed = _labelled(drawn)
    w = passed / drawn.labelled if drawn.design == "uniform" and drawn.labelled else drawn.share_passed
    if w is None or (w > 0 and not passed) or (w < 1 and not failed):
        return None
    return w, drawn.passed.passed / passed if passed else 0.0, drawn.failed.passed / failed if failed else 0.0


def _kappa(w: float, a: float, b: float) -> float | None:
    people = w * a + (1 - w) * b
    agreed = w * a + (1 - w) * (1 - b)
    by_chance = w * people + (1 - w) * (1 - people)
    return (agreed - by_chance) / (1 - by_chance) if 0 < w < 1 and 0 < people < 1 else None


def _slope(shares: tuple[float, ...], place: int) -> float:
    """Derivative of kappa by one of the three, looked at from both sides."""
    ends = []
    for step in (_STEP, -_STEP):
        moved = [share + step * (at == place) for at, share in enumerate(shares)]
        ends.append(_kappa(*moved) or 0.0)
    return (ends[0] - ends[1]) / (2 * _STEP)


@lru_cache(maxsize=100_000)
def _melded(passed: Stratum, failed: Stratum) -> tuple[float, float]:
    """The 95% interval of TPR. On the scale of log odds TPR is a sum: logit w + log a − log b."""
    pool = passed.pool + failed.pool
    ends = []
    for end, other, share in (("low", "high", 0.025), ("high", "low", 0.975)):
        judged = [_logit(x) for x in _points(passed.pool, pool, end)]
        found = [_log(x) for x in _points(passed.passed, passed.labelled, end)]
        missed = [-_log(x) for x in _points(failed.passed, failed.labelled, other)]
        ends.append(_expit(_quantile(_sums(_thinned(_sums(judged, found)), missed), share)))
    return ends[0], ends[1]


@lru_cache(maxsize=10_000)
def _points(k: int, n: int, end: str) -> tuple[float, ...]:
    """Equally likely points of the lower or upper confidence distribution of a rate of which k of n were seen."""
    if end == "low" and not k:
        return (0.0,)
    if end == "high" and k == n:
        return (1.0,)
    a, b = (k, n - k + 1) if end == "low" else (k + 1, n - k)
    return beta_points(_POINTS, a, b)


def _sums(one: list[float], other: list[float]) -> list[float]:
    return sorted(x + y for x in one for y in other)


def _thinned(values: list[float]) -> list[float]:
    """Twice as many equally likely points as a distribution has, of many."""
    step = max(1, len(values) // (2 * _POINTS))
    return values[step // 2 :: step]


def _quantile(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _log(x: float) -> float:
    return log(x) if x > 0 else -inf


def _logit(x: float) -> float:
    return inf if x >= 1 else _log(x) - log(1 - x)


def _expit(x: float) -> float:
    return 1 / (1 + exp(-x)) if x > -700 else 0.0
