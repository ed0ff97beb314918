"""Whether failures crowd in one place."""

from __future__ import annotations

from math import comb


def crowded(lost: int, n: int, total: int, of: int) -> float:
    """Fisher's exact test, one-sided: how often chance puts so many of all `total` lost talks, or more, among these n of `of`.

    Raises ValueError unless 0 <= lost <= n <= of and lost <= total <= of.
    """
    if not (0 <= lost <= n <= of and lost <= total <= of):
        raise ValueError(f"{lost} of {n} lost, {total} of {of} in all, cannot be")
    return sum(comb(n, k) * comb(of - n, total - k) for k in range(lost, min(n, total) + 1)) / comb(of, total)
