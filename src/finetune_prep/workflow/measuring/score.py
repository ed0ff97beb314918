"""`score`: what verdicts come to under a rubric."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from finetune_prep.core.rubric import Rubric
from finetune_prep.records.verdicts import Judged
from finetune_prep.statistics.pass_rate import WILSON_OF_VERDICTS
from finetune_prep.statistics.rates import Estimate, Rate, wilson
from finetune_prep.statistics.scoring import Applied, Decided, Scoring
from finetune_prep.workflow.measuring.inputs import Measured, joined, read_rubric, verdicts_of

DOUBT = "No question got a single NO. Perfect scores are suspicious: a judge that always agrees looks like this."


class QuestionCount(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    gate: bool
    yes: int
    no: int
    na: int
    missing: int
    deciding: int
    """Conversations that would pass instead of fail, or fail instead of pass, without this question."""


class Scored(Measured, frozen=True, kw_only=True):
    rubric: str
    threshold: float
    judges: tuple[str, ...]
    conversations: int
    judged: int
    """With an answer to every question; the others are unjudged, and count neither way."""
    passed: Estimate
    """Passed of judged, by the judges' word."""
    mean: float | None
    """Mean score, 0 to 1, of the conversations that have one."""
    gate_failed: int
    applied: Applied | None
    """How far the questions applied; None if nothing was judged."""
    questions: tuple[QuestionCount, ...]
    doubt: str
    """What makes these figures suspicious, "" for nothing."""


def score(verdicts_path: Path, rubric_path: Path, conversations: Path | None = None, judge: str = "") -> Scored:
    """Score a file of verdicts. Verdicts of several judges are joined."""
    rubric = read_rubric(rubric_path)
    verdicts = verdicts_of(verdicts_path, rubric, conversations, judge)
    rows = joined(verdicts, rubric)
    scoring = Scoring(rubric)
    complete = [row.answers for row in rows if row.complete]
    decided = [scoring.decide(answers) for answers in complete]
    values = [one.value for one in decided if one.value is not None]
    gates = [place for place, is_gate in enumerate(_gate(rubric)) if is_gate]
    rate = wilson(sum(one.passed for one in decided), len(complete))
    return Scored(
        findings=verdicts.findings,
        left_out=verdicts.left_out,
        mapping=verdicts.mapping,
        cannot_tell=_cannot_tell(verdicts.judges),
        rubric=rubric.version,
        threshold=rubric.threshold,
        judges=verdicts.judges,
        conversations=len(rows),
        judged=len(complete),
        passed=_estimate(rate),
        mean=sum(values) / len(values) if values else None,
        gate_failed=sum(any(answers[place] == "no" for place in gates) for answers in complete),
        applied=scoring.applied(complete),
        questions=_counts(rubric, rows, decided),
        doubt=DOUBT if complete and not any("no" in answers for answers in complete) else "",
    )


def _estimate(rate: Rate) -> Estimate:
    return Estimate(value=rate.value, low=rate.low, high=rate.high, n=rate.n, method=WILSON_OF_VERDICTS)


def _gate(rubric: Rubric) -> list[bool]:
    gate = {question.id for category in rubric.categories if category.gate for question in category.questions}
    return [question.id in gate for question in rubric.questions]


def _counts(rubric: Rubric, rows: Sequence[Judged], decided: Sequence[Decided]) -> tuple[QuestionCount, ...]:
    deciding = [0] * len(rubric.questions)
    for one in decided:
        for place in one.deciding:
            deciding[place] += 1
    columns = list(zip(*(row.answers for row in rows), strict=True))
    return tuple(
        QuestionCount(
            id=question.id,
            gate=is_gate,
            yes=said.count("yes"),
            no=said.count("no"),
            na=said.count("na"),
            missing=said.count(None),
            deciding=times,
        )
        for question, is_gate, said, times in zip(rubric.questions, _gate(rubric), columns, deciding, strict=True)
    )


def _cannot_tell(judges: tuple[str, ...]) -> tuple[str, ...]:
    return (
        f"whether {'the judge is' if len(judges) == 1 else 'the judges are'} right: finetune-prep agreement",
        "anything about conversations that are not in this file: those that failed or were faulty before a judge saw them",
    )
