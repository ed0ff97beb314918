"""`status` and `check` say the same out of memory as they say anew."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from finetune_prep.project.project import open_project
from finetune_prep.workflow import checking
from finetune_prep.workflow.remembered.answers import checked, standing
from finetune_prep.workflow.remembered.state import REMEMBERED
from finetune_prep.workflow.status.overview import overview, standing_of
from tests.workflow.remembered.test_store import settle

EXAMPLES = Path(__file__).parents[3] / "examples"


@pytest.mark.parametrize("name", ["online-shop", "museum"])
def test_memory_says_what_looking_says(name: str, tmp_path: Path) -> None:
    folder = next(EXAMPLES.glob(f"*{name}*"))
    project = open_project(shutil.copytree(folder, tmp_path / "example"))
    settle(project)
    kept = project.layout.private / REMEMBERED
    first = standing(project, standing_of), checked(project, checking.check_all)
    wanted = {"status.json", "check.json", "gates.json", "said.json", "texts", "figures-pilot-001.json"}
    assert {path.name for path in kept.iterdir()} == wanted
    again = standing(project, standing_of), checked(project, checking.check_all)
    shutil.rmtree(kept)
    assert first == again
    assert first[0].overview == overview(project)
    assert list(first[1].outcomes) == checking.outcomes(project)
    assert first[1].of_form() == checking.of_form(project)
    assert first[0].criteria == checking.criteria(project)
