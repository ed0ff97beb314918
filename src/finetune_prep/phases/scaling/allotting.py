"""Which candidates are made next, so that every cell of the scenario space gets its share of the accepted rows.

First come as many candidates as rows are wanted, in an order of which every prefix is a fair sample of the cells: the mix of
the pilot, whose rate can be compared with. What is then missing in a cell is made up for in proportion to missing rows over
acceptance. Candidates are made in waves, and a wave depends on nothing but what became of those before it, in the order of the
plan: whenever a run is stopped, the next one comes to the same waves.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import ceil, sqrt

from finetune_prep.core.scenarios.drawing import fair_order, in_order, largest_remainder
from finetune_prep.core.scenarios.scenario import Cell
from finetune_prep.project.scaling.result import CellLine
from finetune_prep.statistics.rates import upper_bound

WAVE = 1_000  # candidates; what is drawn further on knows how those before fared
CANDIDATES = 4  # for each row that is wanted, unless somebody says another number; convention, untested
SPARE = 12  # candidates of every cell beside its part of all: a cell of one row is not given up after four failures
LAST = 50  # missing rows in all, from which on a few too many are cheaper than one more wave
Candidate = tuple[Cell, int]


class Tally:
    """A cell, and what has become of its candidates."""

    def __init__(self, quota: int) -> None:
        self.planned = quota
        self.quota = quota
        """Accepted rows that it is to have; more than planned where other cells are exhausted."""
        self.taken = 0
        """Candidates that were handed out; their indexes are the numbers below."""
        self.made = 0
        """Of those, how many have come to an end, whichever."""
        self.tried = 0
        """Of those, without provider failures and missing verdicts."""
        self.good = 0
        """Of those tried, how many would be a row if there were room: accepted and surplus."""
        self.accepted = 0
        self.exhausted = False
        self.fair_tried = self.fair_passed = 0
        """Conversations of the fair sample with which a run begins, and how many of them passed."""

    @property
    def missing(self) -> int:
        return max(0, self.quota - self.accepted)

    @property
    def acceptance(self) -> float:
        """How often a candidate becomes a row, by those so far and, while there are few, by what nobody knows."""
        return (self.good + 1) / (self.tried + 2)


class Allotment:
    """The cells of a run. quotas: accepted rows for each. most: candidates in all."""

    def __init__(self, quotas: Mapping[Cell, int], seed: int, most: int) -> None:
        self.cells = {cell: Tally(quota) for cell, quota in quotas.items() if quota}
        self.wanted = sum(quotas.values())
        self.most = most
        self._seed = seed
        self._fair = fair_order({cell: tally.quota for cell, tally in self.cells.items()}, seed)
        self._at = 0
        self.is_fair = True
        """Whether what is made now is a fair sample of the cells, as the pilot was."""

    @property
    def accepted(self) -> int:
        return sum(tally.accepted for tally in self.cells.values())

    @property
    def made(self) -> int:
        return sum(tally.made for tally in self.cells.values())

    @property
    def taken(self) -> int:
        return sum(tally.taken for tally in self.cells.values())

    def waves(self) -> Iterator[list[Candidate]]:
        """What to make, wave by wave, until every cell has its rows, is exhausted, or no candidate is left."""
        while wave := self._wave():
            for cell, _ in wave:
                self.cells[cell].taken += 1
            yield wave
            self._settle()

    def _wave(self) -> list[Candidate]:
        room = max(0, min(WAVE, self.most - self.taken))
        while self._at < len(self._fair) and room:
            part = self._fair[self._at : self._at + room]
            self._at += len(part)
            if wave := [(cell, index) for cell, index in part if not self.cells[cell].exhausted]:
                return wave
        self.is_fair = False
        wanted = {cell: self._short(cell, tally) for cell, tally in self.cells.items() if not tally.exhausted}
        if sum(wanted.values()) > room:
            wanted = {cell: min(wanted[cell], count) for cell, count in largest_remainder(wanted, room).items()}
        return in_order(
            ((cell, index) for cell, n in wanted.items() for index in range(self.cells[cell].taken, self.cells[cell].taken + n)),
            self._seed,
        )

    def _short(self, cell: Cell, tally: Tally) -> int:
        """How many candidates of a cell make up for what it is missing."""
        missing = tally.missing
        if not missing:
            return 0
        in_all = sum(other.missing for other in self.cells.values())
        spare = sqrt(missing * (1 - tally.acceptance)) if in_all <= LAST else 0.0
        return max(0, min(ceil((missing + spare) / tally.acceptance), self.budget(tally) - tally.taken))

    def budget(self, tally: Tally) -> int:
        """Candidates that a cell may have: its part of all."""
        return ceil(self.most * tally.quota / max(1, self.wanted)) + SPARE

    def _settle(self) -> None:
        """Give up cells that cannot get their rows any more, and have the others make up for it."""
        given_up = 0
        for tally in self.cells.values():
            left = self.budget(tally) - tally.taken
            if not tally.exhausted and upper_bound(tally.good, tally.tried) * left < tally.missing:
                tally.exhausted = True
                given_up += tally.missing
                tally.quota = tally.accepted
        open_cells = {cell: tally.planned for cell, tally in self.cells.items() if not tally.exhausted}
        if given_up and open_cells:
            for cell, more in largest_remainder(open_cells, given_up).items():
                self.cells[cell].quota += more

    def count(self, cell: Cell, *, passed: bool) -> float | None:
        """Count a conversation that was made and judged.

        How often such ones passed before: in its cell, at the beginning of the run; None while that beginning goes on.
        """
        tally = self.cells[cell]
        tally.tried += 1
        if not self.is_fair:
            return (tally.fair_passed + 1) / (tally.fair_tried + 2)
        tally.fair_tried += 1
        tally.fair_passed += passed
        return None

    def keep(self, cell: Cell, *, tried: bool, good: bool, accepted: bool) -> None:
        """Count a conversation of an earlier end of the run that no wave has come to. No wave may follow."""
        tally = self.cells.setdefault(cell, Tally(0))
        tally.made += 1
        tally.tried += tried
        tally.good += good
        tally.accepted += accepted

    def lines(self) -> tuple[CellLine, ...]:
        """Every cell with its numbers."""
        return tuple(
            CellLine(
                cell=str(cell),
                planned=tally.planned,
                accepted=tally.accepted,
                candidates=tally.made,
                tried=tally.tried,
                good=tally.good,
                exhausted=tally.exhausted,
            )
            for cell, tally in self.cells.items()
        )
