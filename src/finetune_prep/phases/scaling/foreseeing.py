"""How many conversations a scaled run will take: its own waves, played through with dice.

Rows over the share that was accepted is too few. A cell of which few are accepted takes more than the mean has for it; topping up
a small cell makes some too many, on purpose, since one more wave costs more; and of a cell nobody knows its rate, only a few
conversations of it. So each cell's rate is drawn from what those leave open (a beta distribution that leans on the rate of all
cells as on `PRIOR` conversations), and the allotment that makes the run hands out its waves.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import NamedTuple

from finetune_prep.core.scenarios.scenario import Cell
from finetune_prep.phases.scaling.allotting import Allotment, Candidate

PRIOR = 4  # conversations; convention. From the pilot of the bundled shop it foresees 306 for the 298 that its 150 rows took
_TIMES, _ROWS = 20, 10_000  # plays, and rows in all of them: of a large run a few are enough, since chance evens out in it
_FEWEST_TIMES = 3
_LEAST = 0.01


class Seen(NamedTuple):
    """Conversations of a cell so far."""

    tried: int = 0
    good: int = 0
    """How many could be rows."""


class Foreseen(NamedTuple):
    """Means over what may come."""

    conversations: int
    """In all, those that are there included."""
    surplus: int
    """Of these, those that could be rows and whose cell has its rows by then."""


def foreseen(
    quotas: Mapping[Cell, int],
    seed: int,
    most: int,
    *,
    rate: float,
    seen: Mapping[Cell, Seen],
    known: Mapping[Candidate, bool] | None = None,
) -> Foreseen:
    """What a run with these quotas takes. The same arguments give the same numbers.

    seed: of the run. most: conversations that it may make. rate: share of all conversations so far that could be rows, 0 to 1.
    seen: of each cell, the conversations so far. known: which candidates could be rows, of those that are there already.
    """
    times = max(_FEWEST_TIMES, min(_TIMES, _ROWS // max(1, sum(quotas.values()))))
    mean = min(max(rate, _LEAST), 1 - _LEAST)
    made = surplus = 0
    for number in range(times):
        dice = random.Random(f"{seed} foreseen {number}")
        rates = {
            cell: dice.betavariate(found.good + PRIOR * mean, found.tried - found.good + PRIOR * (1 - mean))
            for cell, found in ((cell, seen.get(cell, Seen())) for cell in quotas)
        }
        allotment = Allotment(quotas, seed, most)
        surplus += _play(allotment, rates, known or {}, dice)
        made += allotment.taken
    return Foreseen(round(made / times), round(surplus / times))


def _play(allotment: Allotment, rates: Mapping[Cell, float], known: Mapping[Candidate, bool], dice: random.Random) -> int:
    """Play a run to its end; returns how many are surplus."""
    surplus = 0
    for wave in allotment.waves():
        for candidate in wave:
            tally = allotment.cells[candidate[0]]
            good = known[candidate] if candidate in known else dice.random() < rates[candidate[0]]
            room = bool(tally.missing)
            tally.made += 1
            tally.tried += 1
            tally.good += good
            tally.accepted += good and room
            surplus += good and not room
    return surplus
