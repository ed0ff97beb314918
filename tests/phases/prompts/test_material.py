"""What the writers of the last phase read: what helps to write, and nothing that they or the people they play may not know."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from finetune_prep.core.scenarios.space import Gap, Length
from finetune_prep.models.roles import Roles
from finetune_prep.phases.prompts import material
from finetune_prep.phases.requests import Requests
from tests.gates import pottery
from tests.phases.pottery_shop import pottery_project


@pytest.fixture
def requests(tmp_path: Path) -> Requests:
    project = pottery_project(tmp_path / "shop")
    return Requests(project, Roles(project.config))


def test_the_reference_comes_without_its_apparatus(requests: Requests) -> None:
    text = material.reference(requests)
    known = pottery.knowledge()
    for technique in known.techniques:
        assert f"### {technique.id}. {technique.name}" in text
        assert technique.does in text
    assert all(f"- {anchor.id}: {anchor.text}" in text for anchor in known.anchors)
    assert "- FA1: Photographs: kiln@shop.example (address)." in text
    for apparatus in ("Source:", "Confirmed by:", "From:", "## Sources", "sources/damaged.md"):
        assert apparatus not in text, apparatus
    assert "Counter: " in text, "a field is no apparatus"


def test_wishes_of_the_brief_come_without_their_quotes(requests: Requests) -> None:
    text = material.asked_for(requests)
    assert all(f"- {wish.id}: {wish.text}" in text for wish in pottery.knowledge().asked_for)
    assert "Source" not in text


def test_no_user_knows_what_a_case_expects(requests: Requests) -> None:
    space = pottery.space()
    assert space.edge_cases[0].expected in material.cases(space, expected=True)
    for text in (material.cases(space, expected=False), material.users(requests)):
        assert all(case.expected not in text for case in (*space.edge_cases, *space.out_of_scope))
    assert "Techniques:" not in material.users(requests)
    assert all(situation.text in material.users(requests) for topic in space.topics for situation in topic.situations)
    assert all(case.situation in material.cases(space, expected=False) for case in space.edge_cases)


def test_questions_come_without_what_would_be_written_towards() -> None:
    rubric = pottery.rubric()
    text = material.questions(rubric)
    assert all(f"- {question.id}: {question.text}" in text for question in rubric.questions)
    assert not any(question.yes and question.yes in text for question in rubric.questions)


@pytest.mark.parametrize(
    ("lengths", "asked"),
    [
        ([(0.3, 1), (0.5, 3), (0.2, 5)], (1, 3, 3, 5)),
        ([(1.0, 1)], (1, 1, 1, 1)),
        ([(0.5, 4), (0.5, 2)], (2, 2, 4, 4)),
        ([(0.1, 30), (0.4, 8), (0.3, 2), (0.1, 1), (0.1, 3)], (1, 2, 8, 10)),
    ],
)
def test_few_shots_are_as_long_as_talks_are(lengths: list[tuple[float, int]], asked: tuple[int, ...]) -> None:
    """The longest is always among them, the usual ones come twice, and none is longer than a prompt can afford."""
    drawn = tuple(Length(id=f"LN{n}", name="x", weight=w, exchanges=x) for n, (w, x) in enumerate(lengths, 1))
    space = msgspec.structs.replace(pottery.space(), lengths=drawn)
    assert material.few_shot_lengths(space) == asked


def test_where_talks_go_over_days_their_writer_sees_how_time_is_told() -> None:
    space = pottery.space()
    assert material.gap_example(msgspec.structs.replace(space, gaps=()), "en") == ""
    gaps = (
        Gap(id="GP1", name="Later", weight=0.5, fewest=0, most=0, reads="later that day"),
        Gap(id="GP2", name="Days", weight=0.5, fewest=6, most=8, reads="{days} days later"),
    )
    days = msgspec.structs.replace(space, gaps=gaps)
    assert material.gap_example(days, "en") == "[Thursday, 6 days later]"
    assert material.gap_example(days, "de").startswith("[Donnerstag, ")
