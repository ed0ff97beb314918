"""How many groups and runs an evaluation takes to show a difference of the size that is hoped for.

What decides is the difference of pass rates over groups (`comparison.sign_flip`), so its spread over groups decides how many are
needed. Before an evaluation it is worked out: a talk passes or not, half of that is the scenario's
doing and half is chance, and half of what is the scenario's doing is the same for both models. These halves are a convention; on
the one small model that was tuned and judged, scores spread by .30 to .35 over groups of two runs, and passing more coarsely.

After an evaluation, what is worked out is scaled by how much wider or narrower than that its groups spread: held against the two
rates that it found, not against the gain hoped for, since two models that fail alike hardly spread at all, and a gain would.
"""

from __future__ import annotations

from math import sqrt
from statistics import fmean, stdev
from typing import NamedTuple

import msgspec

from finetune_prep.core.evaluating.talk import COUNTED, Arm, ArmTalk
from finetune_prep.statistics.comparison import FEWEST_GROUPS, groups_for, shown_by
from finetune_prep.statistics.rates import Estimate

BASE_RATE = 0.30  # of passes before tuning, where nobody has looked
OF_SCENARIO = 0.5  # share of a talk's variance that is its scenario's doing; convention, untested
IN_COMMON = 0.5  # share of that which is the same for both models; convention, untested
MOST_RUNS = 4


class Spread(NamedTuple):
    """What an evaluation has found over its groups.

    value: standard deviation of the differences of pass rates. base, tuned: mean pass rates, 0 to 1. runs: of each scenario.
    """

    value: float
    base: float
    tuned: float
    runs: int


class Needed(msgspec.Struct, frozen=True, kw_only=True):
    """What it takes with so many runs of each scenario."""

    runs: int
    spread: float
    """Standard deviation over groups of the difference of pass rates."""
    groups: int
    """That show the difference hoped for with a chance of 80%."""
    talks: int
    """Of each arm."""


class Power(msgspec.Struct, frozen=True, kw_only=True):
    """The plan of an evaluation."""

    difference: float
    base_rate: float
    base_measured: bool
    """Whether the rate comes from an evaluation of this project; by convention otherwise."""
    measured: bool
    """Whether the spread does."""
    needed: tuple[Needed, ...]
    groups: int
    runs: int
    shows: float
    """The smallest difference that `groups` × `runs` show with a chance of 80%."""
    base_high: float | None = None
    """Where the base was found to pass less than by convention: the upper end of its 95% interval."""
    groups_from_high: int | None = None
    """Groups that it takes with `runs` runs from there: rates near 0 spread least, so that `needed` may be far too low."""


def assumed_spread(base: float, tuned: float, runs: int) -> float:
    """Standard deviation over groups of the difference of two pass rates. base, tuned: chances of passing, 0 to 1."""
    one, other = base * (1 - base), tuned * (1 - tuned)
    within = (1 - OF_SCENARIO) * (one + other) / runs
    between = OF_SCENARIO * (one + other - 2 * IN_COMMON * (min(base, tuned) - base * tuned))
    return sqrt(within + between)


def power(
    difference: float,
    groups: int,
    runs: int,
    *,
    base: Estimate | None = None,
    seen: Spread | None = None,
) -> Power:
    """difference: hoped for, above 0. base: the base's pass rate as an evaluation has found it. seen: likewise.

    Raises ValueError for fewer than six groups.
    """
    found = None if base is None else base.value
    rate = BASE_RATE if found is None else found
    factor = seen.value / expected if seen and (expected := assumed_spread(seen.base, seen.tuned, seen.runs)) else 1.0

    def spread_from(start: float, count: int) -> float:
        return factor * assumed_spread(start, min(1.0, start + difference), count)

    spreads = {count: spread_from(rate, count) for count in sorted({*range(1, MOST_RUNS + 1), runs})}
    needed = {count: groups_for(difference, spread) for count, spread in spreads.items()}
    high = base.high if base is not None and rate < BASE_RATE else None
    return Power(
        difference=difference,
        base_rate=rate,
        base_measured=found is not None,
        measured=seen is not None,
        needed=tuple(
            Needed(runs=count, spread=spreads[count], groups=needed[count], talks=count * needed[count]) for count in spreads
        ),
        groups=groups,
        runs=runs,
        shows=shown_by(groups, spreads[runs]),
        base_high=high,
        groups_from_high=None if high is None else groups_for(difference, spread_from(high, runs)),
    )


def spread_of(talks: list[ArmTalk], first: Arm, second: Arm, runs: int) -> Spread | None:
    """The spread over groups that an evaluation has found; None below six groups, or where no group differs from another.

    runs: of each scenario.
    """
    rates: dict[Arm, dict[str, list[bool]]] = {first: {}, second: {}}
    for talk in talks:
        if talk.arm in rates and talk.state in COUNTED:
            rates[talk.arm].setdefault(talk.scenario, []).append(talk.passed)
    both = rates[first].keys() & rates[second].keys()
    if len(both) < FEWEST_GROUPS:
        return None
    of = {arm: {scenario: sum(passed) / len(passed) for scenario, passed in found.items()} for arm, found in rates.items()}
    value = stdev(of[second][scenario] - of[first][scenario] for scenario in both)
    base, tuned = (fmean(of[arm][scenario] for scenario in both) for arm in (first, second))
    return Spread(value, base, tuned, runs) if value else None
