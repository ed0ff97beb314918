"""What became of a conversation of a pilot, without its words: they decide nothing here, and of a large pilot fill the memory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from sys import intern

import msgspec

from finetune_prep.core.rubric import Rubric, YesNo
from finetune_prep.core.sample import State
from finetune_prep.exports.talks.row import Row


class Fate(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What became of one planned conversation."""

    scenario: str
    """Its id."""
    cell: str
    state: State
    failed: tuple[str, ...] = ()
    """As of `Sample`."""
    fault: str = ""
    steered: bool = False
    answers: tuple[YesNo | None, ...] = ()
    """In the order of `Rubric.questions`, None = missing; empty where there is no verdict."""
    unsupported: tuple[str, ...] = ()
    """As of `Verdict`."""

    @property
    def judged(self) -> bool:
        """Whether every question has an answer."""
        return bool(self.answers) and None not in self.answers


def fates(rubric: Rubric, rows: Iterable[Row]) -> Sequence[Fate]:
    """What became of each, in plan order. Names that come up again are held once."""
    order = [question.id for question in rubric.questions]
    return [_fate(order, row) for row in rows]


def _fate(order: Sequence[str], row: Row) -> Fate:
    sample = row.sample
    return Fate(
        scenario=sample.scenario.id,
        cell=intern(str(sample.scenario.cell)),
        state=sample.state,
        failed=tuple(map(intern, sample.failed)),
        fault=sample.fault,
        steered=sample.steered,
        answers=tuple(row.answers.get(id) for id in order) if row.answers else (),
        unsupported=tuple(map(intern, row.unsupported)),
    )
