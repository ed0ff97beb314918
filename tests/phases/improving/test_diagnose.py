"""Each kind of diagnosis by the smallest pilot that gives it, and the clause that it names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from finetune_prep.core.improving.diagnosis import Diagnosis
from finetune_prep.core.rubric import YesNo
from finetune_prep.documents.kinds import Documents
from finetune_prep.exports.talks.row import Row
from finetune_prep.phases.improving.chain import clause_of, modes_of
from finetune_prep.phases.improving.diagnose import Evidence, diagnose
from finetune_prep.project.project import Project
from finetune_prep.workflow.improving.found import evidence_of
from tests.phases.pottery_shop import pottery_project
from tests.workflow.reviewing.pilots import pilot_of, say


@pytest.fixture
def shop(tmp_path: Path) -> Project:
    return pottery_project(tmp_path / "shop")


def evidence(shop: Project, failing: Sequence[Sequence[str]], **more: object) -> Evidence:
    """A pilot whose talks fail these questions, one after the other."""
    run = pilot_of(shop, "p" * len(failing))
    found = evidence_of(shop, run)
    rows = []
    for row, failed in zip(found.rows, failing, strict=True):
        answers = {id: "no" if id in failed else answer for id, answer in row.answers.items()}
        sample = msgspec.structs.replace(row.sample, failed=tuple(failed), state="flawed" if failed else "accepted")
        rows.append(Row(sample=sample, answers=answers, evidence=row.evidence, unsupported=()))
    return msgspec.structs.replace(found, rows=tuple(rows), figures=None, **more)


def first(found: Evidence) -> Diagnosis:
    return diagnose(found)[0]


def test_what_costs_most_by_itself_comes_first(shop: Project) -> None:
    """NS1 fails in more talks, CP1 in more by itself."""
    found = diagnose(evidence(shop, [["CP1"], ["CP1"], ["CP2", "NS1"], ["FT2", "NS1"], ["FT1", "NS1"], [], [], []]))
    assert [(one.question, one.failed, one.of, one.alone) for one in found] == [("CP1", 2, 8, 2), ("NS1", 3, 8, 0)]
    assert found[0].says.startswith("CP1 fails in 2 of 8 talks, 2 of which fail by it alone: Does the first reply")
    assert len(found[0].passages) == 2


def test_one_talk_is_no_diagnosis(shop: Project) -> None:
    assert diagnose(evidence(shop, [["CP1"], ["NS1"], [], []])) == ()


def test_the_chain_names_guard_anchor_or_what_is_missing(shop: Project) -> None:
    knowledge, prompt = shop.value(Documents.knowledge), shop.value(Documents.generation_prompt)
    questions = {question.id: question for question in shop.value(Documents.rubric).questions}
    assert modes_of(questions["CP1"], knowledge) == ("FM1",)
    assert clause_of(questions["CP1"], knowledge, prompt, [])[0].item == "GD1"
    without = msgspec.structs.replace(prompt, guards=prompt.guards[1:])
    missing, why = clause_of(questions["CP1"], knowledge, without, [])
    assert (missing.missing, missing.counters) == (True, ("FM1",))
    assert why == "CP1 checks DO1, DONT6 and catches FM1, and no guard of the generation prompt counters it"
    alone = msgspec.structs.replace(questions["FT1"], catches=())
    anchor, _ = clause_of(alone, knowledge, prompt, [])
    assert (anchor.document, anchor.item) == ("domain-frameworks", "DONT4")
    nothing = msgspec.structs.replace(alone, checks=())
    assert clause_of(nothing, knowledge, prompt, [])[0].missing


def test_a_measured_question_leads_to_the_few_shot_that_fails_it_or_to_the_format(shop: Project) -> None:
    knowledge, prompt = shop.value(Documents.knowledge), shop.value(Documents.generation_prompt)
    measured = next(question for question in shop.value(Documents.rubric).questions if question.id == "FT4")
    assert clause_of(measured, knowledge, prompt, [])[0].section == "Output format"
    shot = prompt.few_shots[1]
    long = msgspec.structs.replace(shot, conversation=shot.conversation.then("user", "And?").then("assistant", "word " * 90))
    wordy = msgspec.structs.replace(prompt, few_shots=(prompt.few_shots[0], long))
    assert clause_of(measured, knowledge, wordy, [])[0].item == "X2"


def test_people_may_find_a_question_too_strict_or_too_lax(shop: Project) -> None:
    """Where they let pass what it fails, and where they fail what it lets pass."""
    failing = [["CP1"], ["CP1"], ["CP1"], [], [], []]
    run = pilot_of(shop, "p" * 6)
    answers: list[tuple[int, str, YesNo]] = [(0, "CP1", "yes"), (1, "CP1", "yes"), (3, "NS1", "no"), (4, "NS1", "no")]
    for number, question, answer in answers:
        say(shop, run, number, "pass" if answer == "yes" else "fail", answers={question: answer})
    found = {one.question: one for one in diagnose(evidence(shop, failing))}
    assert (found["CP1"].clause.document, found["CP1"].clause.item) == ("evaluation-rubric", "CP1")
    assert "people who read 2 of these talks let CP1 pass in 2" in found["CP1"].because
    assert found["NS1"].clause.item == "NS1"
    assert found["NS1"].says.startswith("people answer NO to NS1 in 2 of 2 talks in which the judge says YES")


def test_probes_find_a_question_jumpy_or_blind(shop: Project) -> None:
    found = diagnose(evidence(shop, [["CP1"], ["CP1"], [], []], jumpy=frozenset({"CP1"}), blind={"FT2": 6}))
    assert [(one.question, one.clause.document, one.clause.item) for one in found] == [
        ("CP1", "evaluation-rubric", "CP1"),
        ("FT2", "evaluation-rubric", "FT2"),
    ]
    assert found[1].says.startswith("FT2 saw none of 6 faults that were planted for it")


def test_a_failure_that_people_noted_is_told_and_cannot_be_tried(shop: Project) -> None:
    run = pilot_of(shop, "pppp")
    say(shop, run, 1, "fail", missed=("It never says when the kiln is hot.",))
    (missed,) = [one for one in diagnose(evidence_of(shop, run)) if one.kind == "missed"]
    assert missed.says == "people noted a failure that no document holds: “It never says when the kiln is hot.”"
    assert (missed.clause.missing, missed.question) == (True, "")
