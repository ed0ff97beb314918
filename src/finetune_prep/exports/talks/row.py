"""A conversation of a run as a report tells it: what was said, what the judge answered, and why it stands where it stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from finetune_prep.core.conversation import Message
from finetune_prep.core.sample import Sample
from finetune_prep.core.verdict import CASE, Judgement, is_none
from finetune_prep.project.runs import Reading


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A sample with its verdict, if there is one: answers and evidence by question, ids of unsupported evidence."""

    sample: Sample
    answers: Mapping[str, str | None] = {}
    evidence: Mapping[str, str] = {}
    unsupported: Sequence[str] = ()
    case: Judgement | None = None
    """Whether what its special case asks for was done."""
    judge: str = ""
    again: Reading | None = None
    """What the same judge said the second time; None if nobody asked."""


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
    second = row.again.case if row.again is not None and row.again.complete else None
    return (
        AnswerLine(CASE, row.case.answer, row.case.evidence, "", _second(row.case.answer, second.answer if second else None)),
    )


def _answer_line(row: Row, id: str, answer: str | None) -> AnswerLine:
    evidence = row.evidence.get(id, "")
    lacks = "" if id not in row.unsupported else "needs a quote" if is_none(evidence) else "not in the conversation"
    again = row.again.answers.get(id) if row.again is not None and row.again.complete else None
    return AnswerLine(id, answer or "missing", evidence, lacks, _second(answer, again))


def _second(answer: str | None, again: str | None) -> str:
    """What is said of a second reading that differs."""
    return f"the second time: {again}" if again and again != answer else ""
