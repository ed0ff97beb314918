"""A session in a fresh project whose models are played by a script."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from finetune_prep.models.providers.scripted import Scripted
from finetune_prep.phases.session import Session, open_session
from finetune_prep.project.beginning.scaffold import DEFAULT_MODEL, config_text, create
from finetune_prep.project.project import open_project

BRIEF = "# Support for a pottery shop\n\nChat with customers of a small shop.\n"
OpenSession = Callable[[Scripted], AbstractAsyncContextManager[Session]]


@pytest.fixture
def session(tmp_path: Path) -> OpenSession:
    """Opens a session; opened again, it has the same project and ledger."""
    folder = tmp_path / "shop"
    create(folder, BRIEF, config_text("shop", DEFAULT_MODEL, "", "", year=2026))
    return lambda script: open_session(open_project(folder), provider=script)
