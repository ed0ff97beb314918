"""How many groups and runs an evaluation takes to show a difference of the size that is hoped for.

What decides is the difference of pass rates over groups (`comparison.sign_flip`), so its spread over groups decides how many are
needed. After an evaluation the spread is known. Before one it is worked out: a talk passes or not, half of that is the scenario's
doing and half is chance, and half of what is the scenario's doing is the same for both models. These halves are a convention; on
the one small model that was tuned and judged, scores spread by .30 to .35 over groups of two runs, and passing more coarsely.
"""

from __future__ import annotations

from math import sqrt
from statistics import stdev

import msgspec

from finetune_prep.core.evaluating.talk import COUNTED, Arm, ArmTalk
from finetune_prep.statistics.comparison import FEWEST_GROUPS, groups_for, shown_by

BASE_RATE = 0.30  # of passes before tuning, where nobody has looked
OF_SCENARIO = 0.5  # share of a talk's variance that is its scenario's doing; convention, untested
IN_COMMON = 0.5  # share of that which is the same for both models; convention, untested
MOST_RUNS = 4


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
    measured: bool
    """Whether rate and spread come from an evaluation of this project."""
    needed: tuple[Needed, ...]
    groups: int
    runs: int
    shows: float
    """The smallest difference that `groups` × `runs` show with a chance of 80%."""


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
    base_rate: float | None = None,
    spread: float | None = None,
    spread_runs: int = 1,
) -> Power:
    """difference: hoped for, above 0. base_rate, spread: as an evaluation of `spread_runs` runs has found them.

    Raises ValueError for fewer than six groups.
    """
    rate = BASE_RATE if base_rate is None else base_rate
    tuned = min(1.0, rate + difference)
    expected = assumed_spread(rate, tuned, spread_runs)
    factor = 1.0 if spread is None or not expected else spread / expected
    spreads = {count: factor * assumed_spread(rate, tuned, count) for count in sorted({*range(1, MOST_RUNS + 1), runs})}
    needed = {count: groups_for(difference, found) for count, found in spreads.items()}
    return Power(
        difference=difference,
        base_rate=rate,
        measured=spread is not None,
        needed=tuple(
            Needed(runs=count, spread=spreads[count], groups=needed[count], talks=count * needed[count]) for count in spreads
        ),
        groups=groups,
        runs=runs,
        shows=shown_by(groups, spreads[runs]),
    )


def spread_of(talks: list[ArmTalk], first: Arm, second: Arm) -> float | None:
    """The spread over groups that an evaluation has found; None below six groups, or where no group differs from another."""
    rates: dict[Arm, dict[str, list[bool]]] = {first: {}, second: {}}
    for talk in talks:
        if talk.arm in rates and talk.state in COUNTED:
            rates[talk.arm].setdefault(talk.scenario, []).append(talk.passed)
    both = rates[first].keys() & rates[second].keys()
    if len(both) < FEWEST_GROUPS:
        return None
    of = {arm: {scenario: sum(passed) / len(passed) for scenario, passed in found.items()} for arm, found in rates.items()}
    return stdev(of[second][scenario] - of[first][scenario] for scenario in both) or None
