"""A ledger and a door for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from finetune_prep.ledger.sqlite.ledger import SqliteLedger
from finetune_prep.models import retry


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[SqliteLedger]:
    opened = SqliteLedger(tmp_path / ".finetune-prep" / "ledger.sqlite")
    yield opened
    opened.close()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Back-off in hundredths of a second, so that tests of retries take no time."""
    monkeypatch.setattr(retry, "FIRST_BOUND", 0.01)
    monkeypatch.setattr(retry, "LAST_BOUND", 0.02)


@pytest.fixture
def one_try(quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Back-off beyond any deadline: a call that fails in passing is given up, however long the machine took for the first try.

    After `quick`, where a module uses that for all its tests: what is set last counts.
    """
    monkeypatch.setattr(retry, "FIRST_BOUND", 1e9)
    monkeypatch.setattr(retry, "LAST_BOUND", 1e9)
