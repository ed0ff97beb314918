"""One reading of a conversation, as statistics take it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from finetune_prep.core.rubric import Rubric, YesNo
from finetune_prep.core.verdict import Judgement
from finetune_prep.statistics.judging.noise import Said


class Given(Protocol):
    """A verdict of a run, or a reading beside it."""

    @property
    def answers(self) -> Mapping[str, YesNo | None]: ...

    @property
    def case(self) -> Judgement | None: ...

    @property
    def missing(self) -> str: ...


class Reader:
    """Puts answers into the order of a rubric."""

    def __init__(self, rubric: Rubric) -> None:
        self._order = [question.id for question in rubric.questions]

    def said(self, given: Given) -> Said | None:
        """One reading; None if an answer is missing, or it has no score."""
        answers = [given.answers.get(id) for id in self._order]
        if given.missing or None in answers:
            return None
        return Said(answers, given.case.answer if given.case else None)
