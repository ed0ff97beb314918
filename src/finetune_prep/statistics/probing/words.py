"""What counted probes say of a question, in a few fixed words; every threshold is fixed before the first answer.

*Sees* stands on exact bounds. On the gate, where one miss is a harm let through, none missed of 16, one of 25 or two of 34 leave
a one-sided 95% lower bound of .82 or more for the share of faults that are seen; elsewhere none of 6, or one of 11, leave .60 or
more (Clopper & Pearson 1934). Which may apply follows from how many edits were wanted: nobody adds edits until it fits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import comb
from typing import Literal

import msgspec

Word = Literal["sees", "half-sees", "blind", "not measured"]
FEWEST = 6  # valid edits; fewer say nothing
GATE_STEPS = ((16, 0), (25, 1), (34, 2))  # edits, and misses with which a question still sees
OTHER_STEPS = ((6, 0), (11, 1))
GATE_WANTED, OTHER_WANTED = GATE_STEPS[0][0], OTHER_STEPS[0][0]
NEUTRAL_WANTED = 24
ALARMED = 0.05  # one-sided level of Fisher's exact test
ALWAYS_MOVED = 3  # tries in all of which the same other question moved


class Count(msgspec.Struct, frozen=True):
    """k of n."""

    k: int = 0
    n: int = 0


def word_of(seen: int, valid: int, *, gate: bool, wanted: int) -> Word:
    """What so many seen of so many valid edits say.

    wanted: how many edits the plan set out to get, which fixes beforehand how many misses are allowed.
    Raises ValueError unless 0 <= seen <= valid.
    """
    if not 0 <= seen <= valid:
        raise ValueError(f"{seen} of {valid} is not a count")
    missed = valid - seen
    if valid >= FEWEST and not seen:
        return "blind"
    steps = [(edits, misses) for edits, misses in _steps(gate=gate) if edits <= max(wanted, needed(gate=gate))]
    if any(valid >= edits and missed <= misses for edits, misses in steps):
        return "sees"
    return "half-sees" if seen and missed and valid >= FEWEST else "not measured"


def needed(*, gate: bool) -> int:
    """Valid edits without which a question is not said to see."""
    return _steps(gate=gate)[0][0]


def _steps(*, gate: bool) -> tuple[tuple[int, int], ...]:
    return GATE_STEPS if gate else OTHER_STEPS


def fisher(more: Count, than: Count) -> float:
    """One-sided p of Fisher's exact test: the chance of `more` or a larger count, if both had the same rate (Fisher 1935)."""
    hits, total = more.k + than.k, more.n + than.n
    ways = comb(total, hits)
    most = min(more.n, hits)
    return sum(comb(more.n, k) * comb(than.n, hits - k) for k in range(more.k, most + 1) if hits - k <= than.n) / ways


def alarms_easily(neutral: Count, placebo: Count) -> bool:
    """Whether edits that change nothing draw more NOs than asking again does."""
    return neutral.k > 0 and fisher(neutral, placebo) <= ALARMED


def mixed_with(flips: Mapping[str, Count], at_rest: Mapping[str, Count]) -> tuple[str, ...]:
    """Questions answered NO when another one was broken and they were not, oftener than where nothing was broken.

    flips: by question, NOs on edits that leave it sound. at_rest: NOs on neutral edits and placebos. One-sided .05 over all pairs
    of the broken question together (Bonferroni), which is strict: an accused pair is looked into by a person.
    """
    level = ALARMED / max(1, len(flips))
    return tuple(other for other, count in flips.items() if count.k and fisher(count, at_rest.get(other, Count())) <= level)


def inseparable(moved: Sequence[frozenset[str]]) -> tuple[str, ...]:
    """Questions that moved in every try, by three tries at least: nobody can break this one and leave those sound."""
    if len(moved) < ALWAYS_MOVED:
        return ()
    return tuple(sorted(frozenset.intersection(*moved)))
