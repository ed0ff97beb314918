"""The conversations of a run that were judged twice, while its rows are gone through."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from finetune_prep.core.rubric import Rubric, YesNo
from finetune_prep.core.verdict import Judgement
from finetune_prep.exports.talks.row import Row
from finetune_prep.statistics.judging.noise import Noise, Said, noise


class Twice:
    """Collects both readings of each; of all other rows nothing is held."""

    def __init__(self, rubric: Rubric) -> None:
        self._rubric = rubric
        self._order = [question.id for question in rubric.questions]
        self._pairs: list[tuple[Said, Said]] = []
        self._judge = ""
        self._unread = self._waiting = 0

    def take(self, row: Row) -> None:
        if row.again is None:
            return
        self._judge = row.again.judge
        first, second = self._said(row.answers, row.case), self._said(row.again.answers, row.again.case)
        if row.again.waiting:
            self._waiting += 1
        elif first is None or second is None or not row.again.complete or row.sample.state == "unjudged":
            self._unread += 1
        else:
            self._pairs.append((first, second))

    @property
    def found(self) -> Noise | None:
        """What was collected says; None if nothing was judged twice."""
        if not (self._pairs or self._unread or self._waiting):
            return None
        return noise(self._rubric, self._pairs, judge=self._judge, unread=self._unread, waiting=self._waiting)

    def _said(self, answers: Mapping[str, str | None], case: Judgement | None) -> Said | None:
        """One reading, None if an answer is missing."""
        given = [cast("YesNo | None", answers.get(id)) for id in self._order]
        return None if None in given else Said(given, case.answer if case else None)
