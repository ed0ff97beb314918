"""A conversation of a run as a report tells it: what was said, what the judge answered, and why it stands where it stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from finetune_prep.core.conversation import Message
from finetune_prep.core.rubric import YesNo
from finetune_prep.core.sample import Sample
from finetune_prep.core.verdict import CASE, Judgement, is_none
from finetune_prep.project.runs import Reading


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A sample with its verdict, if there is one: answers and evidence by question, ids of unsupported evidence."""

    sample: Sample
    answers: Mapping[str, YesNo | None] = {}
    evidence: Mapping[str, str] = {}
    unsupported: Sequence[str] = ()
    case: Judgement | None = None
    """Whether what its special case asks for was done."""
    missing: str = ""
    """Why the verdict has no score, "" if it has one, or there is none."""
    again: Reading | None = None
    """What the first judge said the second time; None if nobody asked."""
    readings: Sequence[Reading] = ()
    """Of a run with a second judge: what each said that has read it."""

    @property
    def first(self) -> Row | Reading:
        """The first judge's own verdict."""
        return self.readings[0] if self.readings else self


class AnswerLine(NamedTuple):
    id: str
    answer: str
    evidence: str
    lacks: str
    """What is wrong with the evidence, "" for nothing."""
    otherwise: str = ""
    """Who answered otherwise, and what; "" where nobody did, or nobody else was asked."""


class ConversationLine(NamedTuple):
    state: str
    score: str
    situation: str
    why: str
    about: str
    scenario: str
    expected: str
    """What its special case asks for, where a judge was asked about that."""
    thin: Sequence[str]
    """Categories that rest on one question."""
    odd: Sequence[str]
    """Prices and percentages that stand in no fact and no message."""
    turns: tuple[Message, ...]
    answers: tuple[AnswerLine, ...]
    not_applicable: tuple[str, ...]


def line_of(row: Row) -> ConversationLine:
    sample, scenario = row.sample, row.sample.scenario
    dimensions = (scenario.person, scenario.style, scenario.difficulty, scenario.flaw, scenario.arc)
    drawn = [str(scenario.cell), *(value.name for value in dimensions if value)]
    return ConversationLine(
        state=sample.state,
        score=f"{sample.score:.2f}" if sample.score is not None else "",
        situation=scenario.situation.text,
        why=f"no: {', '.join(sample.failed)}" if sample.failed else sample.fault,
        about=" · ".join(drawn),
        scenario=scenario.id,
        turns=sample.conversation.messages if sample.conversation else (),
        expected=scenario.expected if row.case else "",
        thin=sample.thin,
        odd=sample.odd,
        answers=(*_case(row), *(_answer_line(row, id, answer) for id, answer in row.answers.items() if answer != "na")),
        not_applicable=tuple(id for id, answer in row.answers.items() if answer == "na"),
    )


def _case(row: Row) -> tuple[AnswerLine, ...]:
    if row.case is None:
        return ()
    given = [(reading, reading.case.answer if reading.case else None) for reading in _others(row)]
    return (AnswerLine(CASE, row.case.answer, row.case.evidence, "", _otherwise(row, row.case.answer, given)),)


def _answer_line(row: Row, id: str, answer: str | None) -> AnswerLine:
    evidence = row.evidence.get(id, "")
    lacks = "" if id not in row.unsupported else "needs a quote" if is_none(evidence) else "not in the conversation"
    given = [(reading, reading.answers.get(id)) for reading in _others(row)]
    return AnswerLine(id, answer or "missing", evidence, lacks, _otherwise(row, answer, given))


def _others(row: Row) -> list[Reading]:
    """Readings beside the verdict that decides."""
    return [reading for reading in (*row.readings, row.again) if reading is not None and reading.complete]


def _otherwise(row: Row, answer: str | None, given: Sequence[tuple[Reading, str | None]]) -> str:
    """Who said something else, and what."""
    named = [("the second time" if reading is row.again else reading.judge, said) for reading, said in given]
    return " · ".join(f"{who}: {said}" for who, said in named if said and said != answer)
