"""Rates with their intervals."""

from __future__ import annotations

from math import sqrt

import msgspec

from finetune_prep.statistics.beta import beta_quantile

Z_95 = 1.959963984540054  # two-sided 95% quantile of the normal distribution


class Rate(msgspec.Struct, frozen=True):
    """k of n, with a two-sided interval; low and high are 0 and 1 when n is 0."""

    k: int
    n: int
    low: float
    high: float

    @property
    def value(self) -> float | None:
        return self.k / self.n if self.n else None


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """A figure with what it rests on."""

    value: float | None
    """None where nothing can be said."""
    low: float
    """Lower end of the two-sided 95% interval."""
    high: float
    n: int
    """Labels or conversations that it rests on."""
    method: str
    """How the interval was made, in the words of the field."""


def signed(value: float, places: int = 2) -> str:
    """A difference as it is printed: "+0.12", "-0.09", and "0.00" for what rounds to nothing from either side."""
    text = f"{value:+z.{places}f}"
    return text if float(text) else text.removeprefix("+")


def percent(share: float) -> str:
    """A share, 0 to 1, as it is printed: "97%". Only all are "100%", and only none is "0%": others are ">99%" and "<1%"."""
    text = f"{share:.0%}"
    if text == "0%" and share > 0:
        return "<1%"
    return ">99%" if text == "100%" and share < 1 else text


def wilson(k: int, n: int, z: float = Z_95) -> Rate:
    """Wilson score interval of k successes in n trials (Wilson 1927, J. Am. Stat. Assoc. 22:209).

    Raises ValueError unless 0 <= k <= n.
    """
    _check(k, n)
    if n == 0:
        return Rate(0, 0, 0.0, 1.0)
    p = k / n
    scale = 1 + z * z / n
    centre = (p + z * z / (2 * n)) / scale
    reach = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / scale
    return Rate(k, n, max(0.0, centre - reach) if k else 0.0, min(1.0, centre + reach) if k < n else 1.0)


def exact(k: int, n: int, confidence: float = 0.95) -> Rate:
    """Exact interval of k successes in n trials (Clopper & Pearson 1934, Biometrika 26:404): holds the truth at least as often
    as it says, whatever n and the truth are.

    Raises ValueError unless 0 <= k <= n.
    """
    _check(k, n)
    tail = (1 - confidence) / 2
    return Rate(
        k,
        n,
        beta_quantile(tail, k, n - k + 1) if k else 0.0,
        beta_quantile(1 - tail, k + 1, n - k) if k < n else 1.0,
    )


def upper_bound(k: int, n: int) -> float:
    """One-sided exact 95% upper bound of k in n; 1 when n is 0."""
    return exact(k, n, confidence=0.9).high


def lower_bound(k: int, n: int) -> float:
    """One-sided exact 95% lower bound of k in n; 0 when n is 0."""
    return exact(k, n, confidence=0.9).low


def _check(k: int, n: int) -> None:
    if not 0 <= k <= n:
        raise ValueError(f"{k} of {n} is not a rate")
