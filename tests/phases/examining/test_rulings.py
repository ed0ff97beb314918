"""The rulings of a rubric are decided once more by a judge who does not see them."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from finetune_prep.models.providers.scripted import Scripted
from finetune_prep.phases.examining.rulings import cases_of, read_answers
from finetune_prep.project.project import Project
from tests.gates import pottery
from tests.phases.examining.test_judged_gates import ask, judged
from tests.phases.pottery_shop import judge, pottery_project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return pottery_project(tmp_path / "shop")


async def test_rulings_are_decided_by_a_judge_who_does_not_see_their_answers(project: Project) -> None:
    """A request for each category; neither answers nor reasons stand in it, and the order of the snippets does not give them away."""
    gate = "rubric.rulings-agree"
    provider = Scripted(judge())
    await ask(project, provider, gate)
    assert judged(project)[gate].answer == "holds"
    assert [request.origin.label for request in provider.asked] == [
        f"{gate} · {category.name}" for category in pottery.rubric().categories
    ]
    for request in provider.asked:
        text = request.messages[1].content
        assert "It stands in the reply" not in text
        assert "Ruling" not in text
    first = [re.search(r"assistant: .*(taken up|left open)", request.messages[1].content) for request in provider.asked]
    assert {found[1] for found in first if found} == {"taken up", "left open"}


OF_COMPREHENSION = cases_of(pottery.rubric(), pottery.rubric().categories[1])
UNLIKE = next(case.key for case in OF_COMPREHENSION if (case.of.id, case.asked.id) == ("CP2", "CP1"))


@pytest.mark.parametrize(
    ("no", "what", "fix"),
    [
        ("CP2", "a ruling of CP2 says ", "let Yes and No of CP2 decide this case"),
        (UNLIKE, "a ruling of CP2 on “Case CP2 is left open.” expects YES from CP1", "take CP1 out of its Unlike"),
    ],
)
async def test_where_the_judge_decides_otherwise_the_ruling_is_a_finding(project: Project, no: str, what: str, fix: str) -> None:
    gate = "rubric.rulings-agree"
    await ask(project, Scripted(judge(no=[no])), gate)
    outcome = judged(project)[gate]
    assert outcome.answer == "fails"
    found = [finding for finding in outcome.findings if what in finding.what]
    assert found, [finding.what for finding in outcome.findings]
    assert "a judge who is not shown that answers" in found[0].what
    assert fix in found[0].fix
    text = project.layout.document("evaluation-rubric").read_text("utf-8").splitlines()
    assert text[found[0].line - 1].startswith("### CP2")


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"answer": "MAYBE"}, "is answered “MAYBE”, not YES or NO"),
        ({"answer": "N/A"}, "is answered “N/A”, not YES or NO"),
        (None, "is missing"),
    ],
)
def test_an_answer_about_a_ruling_that_cannot_be_used_says_why(changed: dict[str, str] | None, why: str) -> None:
    said = {case.key: {"evidence": "none", "answer": "YES"} for case in OF_COMPREHENSION}
    case = next(case for case in OF_COMPREHENSION if not case.asked.na)
    said = said | {case.key: said[case.key] | changed} if changed else {key: said[key] for key in said if key != case.key}
    with pytest.raises(ValueError, match=f"{case.key} {why}"):
        read_answers(msgspec.json.encode(said).decode(), OF_COMPREHENSION)
