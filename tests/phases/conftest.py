"""A workshop in a fresh project whose models are played by a script."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from finetune_prep.ledger.sqlite import SqliteLedger
from finetune_prep.models.providers.scripted import Scripted
from finetune_prep.models.roles import Cast, open_door
from finetune_prep.phases.workshop import Workshop
from finetune_prep.project.project import open_project
from finetune_prep.project.starting import DEFAULT_MODEL, config_text, create

BRIEF = "# Support for a pottery shop\n\nChat with customers of a small shop.\n"
OpenWorkshop = Callable[[Scripted], AbstractAsyncContextManager[Workshop]]


@pytest.fixture
def workshop(tmp_path: Path) -> OpenWorkshop:
    """Opens a workshop; opened again, it has the same project and ledger."""
    folder = tmp_path / "shop"
    create(folder, BRIEF, config_text("shop", DEFAULT_MODEL, "", "", year=2026))

    @asynccontextmanager
    async def opened(script: Scripted) -> AsyncIterator[Workshop]:
        project = open_project(folder)
        ledger = SqliteLedger(project.layout.ledger)
        try:
            async with open_door(project.config, ledger, folder, provider=script) as door:
                yield Workshop(project, door, Cast(project.config), lambda line: None)
        finally:
            ledger.close()

    return opened
