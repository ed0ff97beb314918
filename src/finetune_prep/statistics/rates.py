"""Rates with their intervals."""

from __future__ import annotations

from math import sqrt

import msgspec

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


def wilson(k: int, n: int, z: float = Z_95) -> Rate:
    """Wilson score interval of k successes in n trials (Wilson 1927, J. Am. Stat. Assoc. 22:209).

    Raises ValueError unless 0 <= k <= n.
    """
    if not 0 <= k <= n:
        raise ValueError(f"{k} of {n} is not a rate")
    if n == 0:
        return Rate(0, 0, 0.0, 1.0)
    p = k / n
    scale = 1 + z * z / n
    centre = (p + z * z / (2 * n)) / scale
    reach = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / scale
    return Rate(k, n, max(0.0, centre - reach) if k else 0.0, min(1.0, centre + reach) if k < n else 1.0)
