"""The conversations of a run that two judges have read, while its rows are gone through."""

from __future__ import annotations

from finetune_prep.core.rubric import Rubric
from finetune_prep.exports.judging.said import Reader
from finetune_prep.exports.talks.row import Row
from finetune_prep.statistics.judging.between import Between, Both, between


class ReadByBoth:
    """Collects the answers of both; of a run with one judge nothing is held."""

    def __init__(self, rubric: Rubric) -> None:
        self._rubric = rubric
        self._reader = Reader(rubric)
        self._both: list[Both] = []
        self._names = ("", "")
        self._judged = self._unread = 0

    def take(self, row: Row) -> None:
        if not row.readings:
            return
        self._judged += 1
        if len(row.readings) == 1:
            return
        first, second = row.readings[:2]
        self._names = first.judge, second.judge
        one, other = self._reader.said(first), self._reader.said(second)
        if one is None or other is None:
            self._unread += 1
        else:
            self._both.append(Both(row.sample.scenario.id, one, other))

    @property
    def found(self) -> Between | None:
        """What was collected says; None if no second judge has read anything."""
        if not self._names[1]:
            return None
        first, second = self._names
        return between(self._rubric, self._both, first=first, second=second, judged=self._judged, unread=self._unread)
