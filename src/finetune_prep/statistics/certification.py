"""Whether a judge may speak for people: what its TPR and TNR show, and how many labels it takes to show it."""

from __future__ import annotations

from functools import lru_cache
from math import comb
from typing import Literal

from finetune_prep.statistics.rates import Estimate, exact

CERTIFIED = 0.80  # lower 95% bounds of TPR and TNR; convention, untested
_EACH = 0.8**0.5  # chance of one class, for a chance of 80% that both pass
_MOST = 5000  # labels of a class
_STEADY = 50  # labels in a row that are enough

Shown = Literal["certified", "refused", "inconclusive"]


def shown(tpr: Estimate, tnr: Estimate) -> Shown:
    """What the two intervals show: both reach .80, one cannot, or neither can be said.

    With exact or melded intervals a judge whose TPR or TNR is below .80 is certified in at most 2.5% of draws.
    """
    if tpr.low >= CERTIFIED and tnr.low >= CERTIFIED:
        return "certified"
    return "refused" if tpr.high < CERTIFIED or tnr.high < CERTIFIED else "inconclusive"


@lru_cache(maxsize=64)
def labels_for(errors: int) -> int:
    """The fewest labels of one class at which so many errors still leave the lower bound at .80: 17, 26, 34, 41 for 0 to 3."""
    return next(n for n in range(errors + 1, _MOST) if exact(n - errors, n).low >= CERTIFIED)


@lru_cache(maxsize=64)
def labels_needed(rate: float) -> int | None:
    """Labels of each class, drawn uniformly, from which on a judge that truly has this TPR and TNR is certified in 80% of draws.

    55 at .95 and 143 at .90. None where no number of labels below 5,000 is enough, as at .80 and below.
    """
    if rate <= CERTIFIED:
        return None
    errors, found = 0, None
    for n in range(labels_for(0), _MOST):
        while labels_for(errors + 1) <= n:
            errors += 1
        enough = sum(comb(n, k) * (1 - rate) ** k * rate ** (n - k) for k in range(errors + 1)) >= _EACH
        found = (found or n) if enough else None
        if found is not None and n - found >= _STEADY:
            break  # each error that is allowed more makes a step up, and the labels after it a slope down
    return found
