"""Front matter of prompts: who is asked, how often and how much; never sent, and no part of what identifies a prompt."""

from __future__ import annotations

from pathlib import Path

import pytest

from finetune_prep.core.request import Origin
from finetune_prep.errors import UsageError
from finetune_prep.models.roles import Roles
from finetune_prep.phases.drafting.prompt_facts import Facts, Use, facts
from finetune_prep.phases.drafting.prompt_files import BUILT_IN, DIVIDER, messages, source
from finetune_prep.phases.requests import Requests
from tests.phases.pottery_shop import pottery_project


def own(folder: Path, front: str, name: str = "anchors") -> Path:
    """A folder of own prompts with one in it."""
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.md").write_text(f"{front}Write anchors.\n{DIVIDER}\n{{{{ brief }}}}\n{{{{ frameworks }}}}\n", "utf-8")
    return folder


@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_every_built_in_prompt_says_who_is_asked_and_how_often(name: str) -> None:
    about = facts(name, Path())
    assert about.uses or about.added
    for use in about.uses:
        assert use.input > 0
        assert use.output > 0


def test_a_line_is_read_as_it_stands(tmp_path: Path) -> None:
    front = "---\nrole: judge\nrubric: per draft of rubric-questions × category, for evaluation-prompt, 3100 in, 310 out\n"
    front += "pilot: once, 5 in, 6 out\nreturned: 0.5\nform: verdict\n---\n"
    use = Use(
        phase="rubric",
        document="evaluation-prompt",
        counts=("category",),
        drafts_of="rubric-questions",
        input=3100,
        output=310,
    )
    pilot = Use(phase="pilot", document="", input=5, output=6)
    expected = Facts(role="judge", uses=(use, pilot), returned=0.5, form="verdict")
    assert facts("anchors", own(tmp_path, front)) == expected
    assert (use.asked_in, pilot.asked_in) == ("evaluation-prompt", "pilot")
    assert (use.often, pilot.often) == ("per draft of rubric-questions × category", "once")


def test_what_makes_a_document_is_asked_in_its_phase() -> None:
    asked_in = {(name, use.phase): use.asked_in for name in BUILT_IN for use in facts(name, Path()).uses}
    assert asked_in["anchors", "anchors"] == "anchors"  # a section of the reference, which another phase makes
    assert asked_in["generation-user-prompt", "generation-prompt"] == "generation-prompt"
    assert asked_in["judge", "rubric"] == "evaluation-prompt"


def test_a_file_of_the_users_needs_none(tmp_path: Path) -> None:
    """It is asked like the built-in one, and what it says itself goes before that."""
    built_in = facts("anchors", Path())
    assert facts("anchors", own(tmp_path, "")) == built_in
    assert facts("anchors", own(tmp_path, "---\nrole: reviser\n---\n")) == Facts(role="reviser", form="anchors")


def test_front_matter_is_not_sent(tmp_path: Path) -> None:
    """Nor is it part of the text by which a run knows its prompts."""
    bare, headed = own(tmp_path / "one", ""), own(tmp_path / "two", "---\nrole: judge\n---\n")
    assert source("anchors", headed) == source("anchors", bare)
    slots = {"brief": "A shop.", "frameworks": "F1"}
    assert messages("anchors", headed, **slots) == messages("anchors", bare, **slots)
    for name in BUILT_IN:
        assert not source(name, Path()).startswith("---")


def test_a_mistake_below_front_matter_is_found_in_its_line(tmp_path: Path) -> None:
    (tmp_path / "anchors.md").write_text("---\nrole: expert\n---\nWrite.\n{% for %}\n", "utf-8")
    with pytest.raises(UsageError, match=r"cannot be filled in") as caught:
        messages("anchors", tmp_path)
    assert caught.value.where == f"{tmp_path / 'anchors.md'}:5"


@pytest.mark.parametrize(
    ("line", "number", "words"),
    [
        ("role: boss", 2, "there is no role “boss”"),
        ("role: expert\nrole: judge", 3, "stands twice"),
        ("role: expert\ncolour: red", 3, "has no “colour”"),
        ("role: expert\nrubric: often", 3, "does not say how often and how much"),
        ("role: expert\nrubric: per moon, 3 in, 4 out", 3, "“moon” is nothing that is counted"),
        ("role: expert\nrubric: per draft of moon, 3 in, 4 out", 3, "“draft of moon” is nothing that is counted"),
        ("role: expert\nrubric: once, for moon, 3 in, 4 out", 3, "there is no document “moon”"),
        ("role: expert\nreturned: 2", 3, "“2” is no number from 0 to 1"),
        ("role: expert\nreturned: often", 3, "“often” is no number"),
        ("role: expert\n- a list", 3, "is not `key: value`"),
        ("returned: 1", 0, "does not say who is asked"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_line(line: str, number: int, words: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        facts("anchors", own(tmp_path, f"---\n{line}\n---\n"))
    assert caught.value.where == str(tmp_path / "anchors.md") + (f":{number}" if number else "")
    assert caught.value.next


def test_a_request_goes_to_the_role_that_its_prompt_names(tmp_path: Path) -> None:
    project = pottery_project(tmp_path / "shop")
    requests = Requests(project, Roles(project.config))
    slots = {"brief": "A shop.", "frameworks": "F1"}
    asked = requests.request("anchors", slots, phase="anchors", origin=Origin("anchors"))
    own(project.layout.phase_prompts, "---\nrole: judge\n---\n")
    later = Requests(project, Roles(project.config))  # a prompt is read once by each
    other = later.request("anchors", slots, phase="anchors", origin=Origin("anchors"))
    assert (asked.role, other.role) == ("expert", "judge")
