"""When a pilot may stop early, and what its pass rate is worth then.

Whoever looks after every conversation and stops at a convenient one has no ordinary interval any more. Both figures here hold
wherever one stops. They ask for conversations in random order: a plan that begins with the hard ones says nothing early.
"""

from __future__ import annotations

from math import exp, log, log1p

from finetune_prep.statistics.beta import beta_cdf, log_beta
from finetune_prep.statistics.rates import Estimate

STOP = 20.0  # evidence at which to stop: by Ville's inequality, 1 in 20 good pilots ever reaches it
ANYTIME = "anytime-valid (beta-binomial mixture)"
_HALVINGS = 50


def futility(passed: int, n: int, target: float) -> float:
    """Evidence, from 0, that the true pass rate lies below `target`, 0 to 1 exclusive; stop at 20.

    The likelihood of all rates below the target, mixed evenly, over that of the target (Robbins 1970, Ann. Math. Stat. 41:1397;
    an e-process by Ramdas et al. 2023, Stat. Sci. 38:576). No rate above the target is in the mixture: one that mixes over all
    rates stops good pilots, too. Raises ValueError unless 0 <= passed <= n.
    """
    _check(passed, n)
    a, b = passed + 1, n - passed + 1
    below = beta_cdf(target, a, b)
    if below <= 0:
        return 0.0
    evidence = log(below) + log_beta(a, b) - log(target) - passed * log(target) - (n - passed) * log1p(-target)
    return exp(min(evidence, 700.0))


def anytime_interval(passed: int, n: int) -> Estimate:
    """Pass rate with a 95% interval that holds at whatever conversation one stops, and for all of them at once.

    All rates at which an even mixture over 0 to 1 is not 20 times as likely (a confidence sequence: Robbins 1970; Howard et al.
    2021, Ann. Stat. 49:1055). Raises ValueError unless 0 <= passed <= n.
    """
    _check(passed, n)
    if not n:
        return Estimate(value=None, low=0.0, high=1.0, n=0, method=ANYTIME)
    rate = passed / n
    low = _end(passed, n, 0.0, rate) if passed else 0.0
    high = _end(passed, n, 1.0, rate) if passed < n else 1.0
    return Estimate(value=rate, low=low, high=high, n=n, method=ANYTIME)


def _end(passed: int, n: int, outside: float, inside: float) -> float:
    """Where the mixture becomes 20 times as likely, between a rate that is ruled out and one that is not."""
    mixture = log_beta(passed + 1, n - passed + 1)
    for _ in range(_HALVINGS):
        p = (outside + inside) / 2
        if mixture - passed * log(p) - (n - passed) * log1p(-p) >= log(STOP):
            outside = p
        else:
            inside = p
    return outside


def _check(passed: int, n: int) -> None:
    if not 0 <= passed <= n:
        raise ValueError(f"{passed} of {n} is not a rate")
