"""Where things are: every path lies inside the project folder, and no two things share one."""

from __future__ import annotations

from pathlib import Path

from finetune_prep.documents.kinds import KINDS
from finetune_prep.project.layout import Layout

LAYOUT = Layout(Path("/shop"))
PLACES = [
    LAYOUT.config,
    LAYOUT.decisions,
    LAYOUT.sources,
    LAYOUT.snapshots,
    LAYOUT.runs,
    LAYOUT.dataset,
    LAYOUT.phase_prompts,
    LAYOUT.ledger,
    LAYOUT.lock,
    *(place(kind) for place in (LAYOUT.document, LAYOUT.published, LAYOUT.stamp) for kind in KINDS),
    *(LAYOUT.history(kind, text) for kind in KINDS for text in ("ab12", "cd34")),
]


def test_everything_lies_inside_the_project_folder() -> None:
    assert all(path.is_relative_to("/shop") and ".." not in path.parts for path in PLACES)


def test_no_two_things_share_a_path() -> None:
    assert len(set(PLACES)) == len(PLACES)


def test_the_folders_are_those_of_the_method() -> None:
    assert LAYOUT.document("evaluation-rubric") == Path("/shop/reference/evaluation-rubric.md")
    assert LAYOUT.published("domain-frameworks") == Path("/shop/skills/finetune-prep/references/domain-frameworks.md")
    assert LAYOUT.document("generation-prompt") == Path("/shop/prompts/generation-prompt.md")


def test_only_stamps_of_what_the_program_keeps_for_itself_are_files_to_commit() -> None:
    kept = [path for path in PLACES if path.is_relative_to(LAYOUT.private)]
    assert {path.relative_to(LAYOUT.private).parts[0] for path in kept} == {"ledger.sqlite", "lock", "stamps", "history"}


def test_paths_are_told_as_people_read_them() -> None:
    assert LAYOUT.relative(Path("/shop/runs/pilot-001")) == "runs/pilot-001"
    assert LAYOUT.relative(Path("/elsewhere/file")) == "/elsewhere/file"
    assert LAYOUT.relative(Path("/shopping/file")) == "/shopping/file"
