"""The conversations of a run that were judged twice, while its rows are gone through."""

from __future__ import annotations

from finetune_prep.core.rubric import Rubric
from finetune_prep.exports.judging.said import Reader
from finetune_prep.exports.talks.row import Row
from finetune_prep.statistics.judging.noise import Noise, Said, noise


class Twice:
    """Collects both readings of each; of all other rows nothing is held."""

    def __init__(self, rubric: Rubric) -> None:
        self._rubric = rubric
        self._reader = Reader(rubric)
        self._pairs: list[tuple[Said, Said]] = []
        self._judge = ""
        self._unread = self._waiting = 0

    def take(self, row: Row) -> None:
        if row.again is None:
            return
        self._judge = row.again.judge
        first, second = self._reader.said(row.first), self._reader.said(row.again)
        if row.again.waiting:
            self._waiting += 1
        elif first is None or second is None:
            self._unread += 1
        else:
            self._pairs.append((first, second))

    @property
    def found(self) -> Noise | None:
        """What was collected says; None if nothing was judged twice."""
        if not (self._pairs or self._unread or self._waiting):
            return None
        return noise(self._rubric, self._pairs, judge=self._judge, unread=self._unread, waiting=self._waiting)
