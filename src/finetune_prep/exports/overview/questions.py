"""The questions of a rubric as a report lists them: what each got, what it decides alone, and what probes say of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from finetune_prep.core.rubric import Rubric
from finetune_prep.exports.judging.twice import Twice
from finetune_prep.exports.talks.row import Row
from finetune_prep.statistics.judging.noise import QuestionNoise
from finetune_prep.statistics.scoring import Scoring


class QuestionLine(NamedTuple):
    """A question's line in the report."""

    id: str
    text: str
    gate: bool
    measured: bool
    yes: int
    no: int
    na: int
    share: float | None
    """YES answers among those where it applied, 0 to 1; None if it never did."""
    alone: int
    """Conversations that fail by this question alone."""
    probed: str
    """What probes of the present rubric and judge say of it, "" where there are none."""
    twice: str
    """What asking the judge a second time says of it, "" where nothing was judged twice."""


def question_lines(rubric: Rubric, rows: Iterable[Row], probed: Mapping[str, str]) -> list[QuestionLine]:
    """In document order, the gate first. probed: question → the word of its probes."""
    steadiness = Twice(rubric)
    gates = {question.id for category in rubric.categories if category.gate for question in category.questions}
    order = [question.id for question in rubric.questions]
    answered: dict[str, Counter[str | None]] = {id: Counter() for id in order}
    scoring, alone = Scoring(rubric), Counter[str]()
    for row in rows:
        steadiness.take(row)
        if not row.answers:
            continue
        given = [row.answers.get(id) for id in order]
        for id, answer in zip(order, given, strict=True):
            answered[id][answer] += 1
        if None not in given:
            decided = scoring.decide(given)
            alone.update(order[place] for place in decided.alone if not decided.passed)
    twice = {question.id: _twice(question) for question in (steadiness.found.questions if steadiness.found else ())}
    return [
        QuestionLine(
            id=question.id,
            text=question.text,
            gate=question.id in gates,
            measured=question.measured is not None,
            yes=counts["yes"],
            no=counts["no"],
            na=counts["na"],
            share=counts["yes"] / applied if (applied := counts["yes"] + counts["no"]) else None,
            alone=alone[question.id],
            probed=probed.get(question.id, ""),
            twice=twice.get(question.id, ""),
        )
        for question in rubric.questions
        for counts in (answered[question.id],)
    ]


def _twice(question: QuestionNoise) -> str:
    """How often it was answered otherwise, and whether that is much; of a question that never was, only what is known."""
    if not question.flips.k:
        return "steady" if question.word == "steady" else ""
    noisy = "noisy, " if question.word == "noisy" else ""
    return f"{noisy}{question.flips.k} of {question.flips.n} answered otherwise the second time"
