"""A pottery shop on disk and a terminal in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from finetune_prep.project.project import Project
from tests.cli.terminal import Terminal
from tests.phases.pottery_shop import pottery_project


@pytest.fixture
def shop(tmp_path: Path) -> Project:
    return pottery_project(tmp_path / "shop")


@pytest.fixture
def terminal(capsys: pytest.CaptureFixture[str], shop: Project) -> Terminal:
    return Terminal(capsys, shop)
