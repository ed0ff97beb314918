"""Where things are: every path lies inside the project folder, and no two things share one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from finetune_prep.documents.kinds import KINDS
from finetune_prep.errors import UsageError
from finetune_prep.project.beginning import scaffold
from finetune_prep.project.layout import OWN_FILES, OWN_FOLDERS, Layout
from finetune_prep.project.project import open_project

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


@pytest.mark.parametrize(
    "name", [*OWN_FOLDERS, *OWN_FILES, "runs/pilot-001", "sources/notes.md", ".finetune-prep/ledger.sqlite", "batches/gone"]
)
def test_a_link_that_leads_out_of_the_project_is_refused(name: str, tmp_path: Path) -> None:
    """Nothing is read or written through it; a link that stays inside is the user's own affair."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    folder = tmp_path / "shop"
    scaffold.create(folder, "# Pottery\n\nA shop.\n", scaffold.config_text("p", scaffold.DEFAULT_MODEL, "", "", year=2026))
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        shutil.rmtree(path)
    before = path.read_bytes() if path.is_file() else b""
    path.unlink(missing_ok=True)
    (elsewhere / "copy").write_bytes(before)
    path.symlink_to(elsewhere / "copy" if before else elsewhere / "not-there" if name == "batches/gone" else elsewhere)
    with pytest.raises(UsageError, match="is a link that leads out of the project") as caught:
        open_project(folder)
    assert name in caught.value.what
    path.unlink()
    (folder / "own").write_bytes(before)
    path.symlink_to(folder / "own")
    assert open_project(folder)
