"""The questions of a rubric as a report lists them."""

from __future__ import annotations

from finetune_prep.core.sample import Sample
from finetune_prep.exports.overview.questions import question_lines
from finetune_prep.exports.talks.row import Row
from tests.exports.samples import SCENARIOS
from tests.gates import pottery


def test_one_no_among_many_is_no_hundred_per_cent() -> None:
    rubric = pottery.rubric()
    first, second, *rest = [question.id for question in rubric.questions]
    sample = Sample(scenario=SCENARIOS[0], state="accepted", score=1.0)
    good = Row(sample=sample, answers=dict.fromkeys([first, second, *rest], "yes"))
    bad = Row(sample=sample, answers={**good.answers, first: "no"})
    lines = {line.id: line for line in question_lines(rubric, [*[good] * 297, bad], {})}
    assert (lines[first].no, lines[first].percent) == (1, ">99%")
    assert (lines[second].no, lines[second].percent) == (0, "100%")
    never = question_lines(rubric, [Row(sample=sample, answers=dict.fromkeys(good.answers, "na"))], {})
    assert {line.percent for line in never} == {""}
