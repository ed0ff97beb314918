"""In which conversations faults are planted: in those that the gate needs, and in others beside them."""

from __future__ import annotations

from pathlib import Path

import pytest

from finetune_prep.documents.kinds import Documents
from finetune_prep.phases.probing.probe import MOST_BASES
from finetune_prep.phases.probing.subjects import subjects_of
from finetune_prep.project.project import Project, open_project
from finetune_prep.workflow.probing.sources import source_of
from tests.phases.pottery_shop import pottery_project, rewrite
from tests.workflow.reviewing.pilots import ADA, pilot_of, say

TALKS = 2 * MOST_BASES
RARE = (3, 40)  # places of the talks that speak of what a question of the gate is there for


@pytest.fixture
def shop(tmp_path: Path) -> Project:
    return pottery_project(tmp_path / "shop")


def of_the_gate(project: Project) -> str:
    """The words of what the first question of the gate is there for."""
    question = project.value(Documents.rubric).questions[0]
    return " ".join(subject.text for subject in subjects_of(question, project.value(Documents.knowledge)))


def test_what_a_gate_question_is_there_for_is_found_among_many(shop: Project) -> None:
    texts = [f"We send a new bowl, number {number}. It comes in two days." for number in range(TALKS)]
    for place in RARE:
        texts[place] = f"{of_the_gate(shop)} {place}"
    pilot_of(shop, "p" * TALKS, texts)
    source = source_of(shop)
    said = {conversation.messages[-1].content for conversation in source.conversations}
    assert len(source.conversations) == len(said) == MOST_BASES
    assert {texts[place] for place in RARE} <= said
    assert source == source_of(shop)


def test_what_a_person_failed_is_no_ground(shop: Project) -> None:
    run = pilot_of(shop, "p" * 12)
    say(shop, run, 2, "fail", ADA)
    gone = next(iter([*run.each_sample()][2:3])).conversation
    assert gone not in source_of(shop).conversations
    assert len(source_of(shop).conversations) == 11


def test_a_sharpened_question_is_probed_on_the_pilot_there_is(shop: Project) -> None:
    """Each conversation is judged anew when it is probed, so the pilot need not be."""
    pilot_of(shop, "p" * 12)
    before = source_of(shop)
    question = shop.value(Documents.rubric).questions[0]
    rewrite(shop, "evaluation-rubric", question.text, f"Looked at closely: {question.text}")
    assert source_of(open_project(shop.folder)) == before


def test_special_cases_are_taken_too(shop: Project) -> None:
    """Dangers are edge cases: without them nothing could be overlooked."""
    run = pilot_of(shop, "p" * TALKS)
    special = {
        sample.conversation.id
        for sample in run.each_sample()
        if sample.scenario.cell.kind != "normal" and sample.conversation is not None
    }
    assert special & {conversation.id for conversation in source_of(shop).conversations}
