"""Is one model better than another on the same scenarios? What is compared are groups, never single runs: runs of one scenario or
of one seed resemble each other, and counting them as independent calls equal models different.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import comb, sqrt
from statistics import fmean, stdev
from typing import Literal

import msgspec

from finetune_prep.statistics.beta import student_cdf, student_quantile
from finetune_prep.statistics.rates import Z_95, Estimate, exact

Word = Literal["better", "not worse", "not established", "worse"]
SURE = 0.05
MARGIN = 0.10  # pass rate that may be lost and still be "not worse", unless somebody says otherwise; convention, untested
FEWEST_GROUPS = 6  # with five, the smallest two-sided p of a sign-flip test is .0625
_MOST_SUMS = 200_000  # different sums that the exact test keeps; beyond, Student's t decides
_DIGITS = 12
_POWER = 0.8416  # the .80 quantile of the normal distribution
WILSON_OVER_GROUPS = "Wilson, each group counted once"
SIGN_FLIP, STUDENT = "exact sign-flip of group means", "Student's t of group means (too many different sums for the exact test)"
T_INTERVAL = "Student's t of group means"
ALIKE = "exact bound of the share of groups that differ from all others"


class Test(msgspec.Struct, frozen=True, kw_only=True):
    """p: two-sided. n: groups, or pairs that differ. method: in the words of the field."""

    p: float
    n: int
    method: str


def mean_difference(differences: Sequence[float]) -> Estimate:
    """Mean of the groups' differences with Student's 95% interval.

    Where all groups differ alike, as where none does, that would have no width: the exact bound of what n groups may have missed
    stands in its place.
    """
    n = len(differences)
    if n < 2:
        return Estimate(value=fmean(differences) if n else None, low=-1.0, high=1.0, n=n, method=T_INTERVAL)
    mean, spread = fmean(differences), stdev(differences)
    reach = student_quantile(0.975, n - 1) * spread / sqrt(n) if spread else exact(0, n).high
    method = T_INTERVAL if spread else ALIKE
    return Estimate(value=mean, low=max(-1.0, mean - reach), high=min(1.0, mean + reach), n=n, method=method)


def sign_flip(differences: Sequence[float]) -> Test:
    """Whether groups differ in the mean: the share of all 2ⁿ ways to swap the two models within groups whose mean is as far from
    0.

    Fisher (1935, The Design of Experiments, §21). differences: one for each group. Exact wherever the sums take few values, as
    those of pass rates do; Student's t otherwise, and the result says which. Raises ValueError for fewer than six groups.
    """
    n = len(differences)
    if n < FEWEST_GROUPS:
        raise ValueError(f"{n} groups cannot reach .05; {FEWEST_GROUPS} are the fewest")
    reached = abs(sum(differences)) * (1 - 1e-9)
    sums = _flipped_sums(differences)
    if sums is None:
        return Test(p=student(differences).p, n=n, method=STUDENT)
    extreme = sum(ways for total, ways in sums.items() if abs(total) >= reached - 1e-9)
    return Test(p=extreme / 2**n, n=n, method=SIGN_FLIP)


def _flipped_sums(differences: Iterable[float]) -> dict[float, int] | None:
    """How many ways of flipping signs lead to each sum; None if there are too many sums."""
    sums = {0.0: 1}
    for difference in differences:
        flipped: dict[float, int] = {}
        for total, ways in sums.items():
            for moved in (total + difference, total - difference):
                key = round(moved, _DIGITS) + 0.0
                flipped[key] = flipped.get(key, 0) + ways
        if len(flipped) > _MOST_SUMS:
            return None
        sums = flipped
    return sums


def student(differences: Sequence[float]) -> Test:
    """Student's paired t of the groups' differences, two-sided; p is 1 where no group differs."""
    n = len(differences)
    if n < 2 or not any(differences):
        return Test(p=1.0, n=n, method=T_INTERVAL)
    spread = stdev(differences)
    t = abs(fmean(differences)) / (spread / sqrt(n)) if spread else float("inf")
    return Test(p=2 * (1 - student_cdf(t, n - 1)) if spread else 0.0, n=n, method=T_INTERVAL)


def mcnemar(gained: int, lost: int) -> Test:
    """Exact McNemar (1947, Psychometrika 12:153): two-sided binomial test of pairs that differ.

    gained, lost: pairs that only the second, only the first of the two passes; one pair for each group.
    """
    n = gained + lost
    tail = sum(comb(n, k) for k in range(min(gained, lost) + 1)) / 2**n
    return Test(p=min(1.0, 2 * tail), n=n, method="exact McNemar, one pair for each group")


def one_sided(more: int, fewer: int) -> float:
    """Exact one-sided binomial test of pairs that differ: how often chance gives so many on one side, or more.

    more, fewer: pairs that differ this way, and the other way.
    """
    n = more + fewer
    return float(sum(comb(n, k) for k in range(more, n + 1)) / 2**n)


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """p-values adjusted for there being several (Holm 1979, Scand. J. Stat. 6:65)."""
    adjusted: dict[str, float] = {}
    worst = 0.0
    for place, (name, p) in enumerate(sorted(p_values.items(), key=lambda item: item[1])):
        worst = max(worst, min(1.0, (len(p_values) - place) * p))
        adjusted[name] = worst
    return {name: adjusted[name] for name in p_values}


def verdict_word(differences: Sequence[float], margin: float) -> Word:
    """What the groups' differences, second less first, establish of the second. margin: what may be lost, 0 to 1.

    “Not worse” takes the interval as well as the test. The test alone would be sure where no group differs, as where both models
    fail everything: six such groups say little of how often a seventh would.
    """
    if len(differences) < FEWEST_GROUPS:
        return "not established"
    mean = fmean(differences)
    if sign_flip(differences).p <= SURE:
        return "better" if mean > 0 else "worse"
    shifted = sign_flip([difference + margin for difference in differences])
    ruled_out = mean_difference(differences).low >= -margin
    return "not worse" if ruled_out and shifted.p <= SURE else "not established"


def more_groups(word: Word, differences: Sequence[float], margin: float) -> int | None:
    """How many more groups would show what was seen; None where that cannot be said, or nothing is left to show.

    Where no group differs, as many as would establish “not worse” if none of them did either.
    """
    if word != "not established":
        return None
    if len(differences) < FEWEST_GROUPS:
        return FEWEST_GROUPS - len(differences)
    needed = groups_needed(differences) if any(differences) else groups_alike(margin)
    return None if needed is None else max(0, needed - len(differences))


def groups_needed(differences: Sequence[float]) -> int | None:
    """How many groups would show a mean as large as the one seen, spread alike; None if the mean is 0."""
    mean = abs(fmean(differences)) if differences else 0.0
    if mean < 1e-9 or len(differences) < 2:
        return None
    return groups_for(mean, stdev(differences))


def groups_alike(margin: float) -> int | None:
    """How many groups of which none differs rule out a loss of this size; None for a margin of 0."""
    return next((n for n in range(FEWEST_GROUPS, 10_000) if exact(0, n).high <= margin), None) if margin else None


def groups_for(difference: float, spread: float) -> int:
    """How many groups show a mean difference of this size with a chance of 80%. spread: standard deviation over groups.

    The smallest n at which the difference reaches Student's .975 quantile plus the .80 quantile of the normal distribution, times
    the standard error.
    """
    ratio = spread / difference
    n = FEWEST_GROUPS
    while n < 100_000 and sqrt(n) < ratio * (student_quantile(0.975, n - 1) + _POWER):
        n += max(1, n // 50)
    return n


def shown_by(groups: int, spread: float) -> float:
    """The smallest mean difference that so many groups show with a chance of 80%. Raises ValueError for fewer than six."""
    if groups < FEWEST_GROUPS:
        raise ValueError(f"{groups} groups cannot reach .05; {FEWEST_GROUPS} are the fewest")
    return spread * (student_quantile(0.975, groups - 1) + _POWER) / sqrt(groups)


def mean_over_groups(values: Sequence[float]) -> Estimate:
    """Mean of the groups' rates with Wilson's interval, each group counted as one trial.

    A group's rate varies at most as much as a single trial does, so the interval is rather too wide than too narrow, and runs of
    one scenario never make it narrower than the scenarios would. values: 0 to 1 each.
    """
    n = len(values)
    if not n:
        return Estimate(value=None, low=0.0, high=1.0, n=0, method=WILSON_OVER_GROUPS)
    p = fmean(values)
    scale = 1 + Z_95**2 / n
    centre = (p + Z_95**2 / (2 * n)) / scale
    reach = Z_95 * sqrt(p * (1 - p) / n + Z_95**2 / (4 * n * n)) / scale
    return Estimate(
        value=p,
        low=max(0.0, centre - reach) if p > 0 else 0.0,
        high=min(1.0, centre + reach) if p < 1 else 1.0,
        n=n,
        method=WILSON_OVER_GROUPS,
    )
