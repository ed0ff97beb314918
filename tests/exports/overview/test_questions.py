"""The questions of a rubric as a report lists them: each figure means what it means in `score` and `health`."""

from __future__ import annotations

from collections.abc import Iterable

from finetune_prep.core.rubric import Rubric
from finetune_prep.core.sample import Sample
from finetune_prep.exports.overview.questions import QuestionLine, Questions
from finetune_prep.exports.talks.row import Row
from finetune_prep.statistics.rubric_health import rubric_health
from tests.core.test_rubric import rubric_of
from tests.exports.samples import SCENARIOS, samples, talk
from tests.gates import pottery

RUBRIC = rubric_of(0.6, 0.4)
YES = {question.id: "yes" for question in RUBRIC.questions}


def lines_of(rubric: Rubric, rows: Iterable[Row]) -> list[QuestionLine]:
    questions = Questions(rubric, {})
    for row in rows:
        questions.take(row)
    return questions.found


def test_a_question_decides_as_many_conversations_as_health_says() -> None:
    """Of three conversations, one fails by the gate, one passes in spite of a NO, and one fails by two."""
    answers = [YES | {"SF1": "no"}, YES | {"BB1": "no"}, YES | {"AA1": "no", "AA2": "no"}]
    found = samples([talk("Hello?", f"Reply {n}.") for n in range(3)])
    rows = [Row(sample=sample, answers=given) for sample, given in zip(found, answers, strict=True)]  # type: ignore[arg-type]
    decides = {line.id: line.decides for line in lines_of(RUBRIC, rows)}
    given = [[said[question.id] for question in RUBRIC.questions] for said in answers]
    health = rubric_health(RUBRIC, given)  # type: ignore[arg-type]
    assert decides == {question.id: question.deciding for question in health.questions}
    assert {id: count for id, count in decides.items() if count} == {"SF1": 1, "BB2": 1}


def test_one_no_among_many_is_no_hundred_per_cent() -> None:
    rubric = pottery.rubric()
    first, second, *rest = [question.id for question in rubric.questions]
    sample = Sample(scenario=SCENARIOS[0], state="accepted", score=1.0)
    good = Row(sample=sample, answers=dict.fromkeys([first, second, *rest], "yes"))
    bad = Row(sample=sample, answers={**good.answers, first: "no"})
    lines = {line.id: line for line in lines_of(rubric, [*[good] * 297, bad])}
    assert (lines[first].no, lines[first].percent) == (1, ">99%")
    assert (lines[second].no, lines[second].percent) == (0, "100%")
    never = lines_of(rubric, [Row(sample=sample, answers=dict.fromkeys(good.answers, "na"))])
    assert {line.percent for line in never} == {""}
