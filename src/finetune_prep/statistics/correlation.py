"""Correlations with their intervals."""

from __future__ import annotations

from math import atanh, sqrt, tanh

from finetune_prep.statistics.rates import Z_95, Estimate, upper_bound

FISHER = "Fisher z"


class Sums:
    """What a correlation is computed from, added up pair by pair."""

    __slots__ = ("n", "x", "xx", "xy", "y", "yy")

    def __init__(self) -> None:
        self.n = 0
        self.x = self.y = self.xx = self.yy = self.xy = 0.0

    def add(self, x: float, y: float) -> None:
        self.n += 1
        self.x += x
        self.y += y
        self.xx += x * x
        self.yy += y * y
        self.xy += x * y

    def correlation(self) -> Estimate:
        """Pearson's r with the 95% interval of Fisher (1921, Metron 1:3); no value where one side never varies or n < 4."""
        spread = (self.n * self.xx - self.x**2) * (self.n * self.yy - self.y**2)
        if self.n < 4 or spread <= 1e-12 * self.n**4:
            return Estimate(value=None, low=-1.0, high=1.0, n=self.n, method=FISHER)
        r = max(-1.0, min(1.0, (self.n * self.xy - self.x * self.y) / sqrt(spread)))
        reach, most = Z_95 / sqrt(self.n - 3), 1 - 1 / (2 * self.n)  # a handful of pairs in a line do not prove that all are
        inside = r if abs(r) < 1 - 1e-9 else most * r
        return Estimate(
            value=r, low=tanh(atanh(inside) - reach), high=max(r, tanh(atanh(inside) + reach)), n=self.n, method=FISHER
        )


def phi(both: int, first: int, second: int, neither: int) -> float | None:
    """Correlation of two yes-or-no answers by their fourfold table; None where one never varies."""
    a, b = both + first, second + neither
    c, d = both + second, first + neither
    return (both * neither - first * second) / sqrt(a * b * c * d) if a and b and c and d else None


def phi_lower_bound(both: int, first: int, second: int, neither: int) -> float:
    """One-sided 95% lower bound of phi where two questions hardly ever differ: 1 − d / (p (1 − q) + q (1 − p)) at the exact upper
    bound of the discordant share d. For equal rates p and q this is phi itself; −1 where one never varies.
    """
    n = both + first + second + neither
    value = phi(both, first, second, neither)
    if value is None:
        return -1.0
    p, q = (both + first) / n, (both + second) / n
    return max(-1.0, min(value, 1 - upper_bound(first + second, n) / (p * (1 - q) + q * (1 - p))))
