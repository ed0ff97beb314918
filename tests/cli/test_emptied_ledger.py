"""An emptied ledger beside a finished run: nothing is bought a second time unless somebody says so."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from finetune_prep.ledger.sqlite.ledger import SqliteLedger
from finetune_prep.models.providers.scripted import Scripted
from finetune_prep.project.project import Project
from tests.cli.served_shop import accepted_at_an_endpoint
from tests.cli.terminal import Terminal
from tests.cli.test_agreeing import PRICED, unattended
from tests.fake_endpoint import FakeEndpoint
from tests.phases.pottery_expert import pottery_people, pottery_sources
from tests.phases.test_preparing import prepared


def emptied_file(path: Path) -> None:
    path.write_bytes(b"")


def gone(path: Path) -> None:
    path.unlink()


def fresh(path: Path) -> None:
    """As a sync tool or another program's start leaves it: a ledger, with nothing in it."""
    path.unlink()
    SqliteLedger(path).close()


LOSSES = {"emptied": emptied_file, "gone": gone, "fresh": fresh}


@pytest.fixture
def endpoint(shop: Project) -> Iterator[FakeEndpoint]:
    with accepted_at_an_endpoint(shop, PRICED) as running:
        yield running


@pytest.mark.parametrize("lose", LOSSES.values(), ids=LOSSES.keys())
def test_nothing_is_bought_a_second_time_without_a_yes(
    lose: Callable[[Path], None], endpoint: FakeEndpoint, shop: Project, terminal: Terminal
) -> None:
    assert terminal("pilot", "-n", "2", "--yes").code == 0
    calls = len(endpoint.calls)
    for log in shop.layout.private.glob("ledger.sqlite-*"):
        log.unlink()
    lose(shop.layout.ledger)
    done = unattended(shop, "pilot", "-n", "2")
    assert (done.returncode, len(endpoint.calls)) == (3, calls)
    assert "holds no answers, although runs/pilot-001 holds 2 conversations" in done.stderr
    assert "a failed restore" in done.stderr
    assert "put back a copy of .finetune-prep/ledger.sqlite; or pay for it again: finetune-prep pilot -n 2 --yes" in done.stderr
    assert "holds no answers, although runs/pilot-001" in " ".join(terminal("status").out.split())
    assert json.loads(terminal("status", "--json").out)["overview"]["note"].endswith("ledger.sqlite")
    assert terminal("pilot", "-n", "2", "--yes").code == 0
    assert len(endpoint.calls) > calls
    assert json.loads(terminal("status", "--json").out)["overview"]["note"] == ""


def test_a_recording_is_the_way_back(endpoint: FakeEndpoint, shop: Project, terminal: Terminal) -> None:
    assert terminal("pilot", "-n", "2", "--yes").code == 0
    terminal("ledger", "export")
    calls = len(endpoint.calls)
    gone(shop.layout.ledger)
    done = unattended(shop, "pilot", "-n", "2")
    assert "finetune-prep ledger import recording.jsonl" in done.stderr
    assert terminal("ledger", "import", str(shop.folder / "recording.jsonl")).code == 0
    assert terminal("pilot", "-n", "2").code == 0
    assert len(endpoint.calls) == calls


def test_where_everything_is_free_it_is_said(endpoint: FakeEndpoint, shop: Project, terminal: Terminal) -> None:
    """Nobody is asked about money then; it goes on, and says what it looks like."""
    free = shop.layout.config.read_text("utf-8").replace("= 1.0", "= 0").replace("= 2.0", "= 0")
    shop.layout.config.write_text(free, "utf-8")
    assert terminal("pilot", "-n", "1").code == 0
    gone(shop.layout.ledger)
    shown = terminal("pilot", "-n", "1")
    assert shown.code == 0
    assert "The ledger holds no answers, although runs/pilot-001" in shown.out


def test_a_new_project_hears_nothing_of_it(endpoint: FakeEndpoint, shop: Project, terminal: Terminal) -> None:
    assert json.loads(terminal("status", "--json").out)["overview"]["note"] == ""
    assert "holds no answers" not in unattended(shop, "pilot", "-n", "2").stderr


def test_documents_that_models_have_written_are_evidence_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where there is no run yet: a phase was made here, and the ledger knows nothing of it."""
    project = pottery_sources(tmp_path / "shop")
    asyncio.run(prepared(project, Scripted(pottery_people())))
    terminal = Terminal(capsys, project)
    assert json.loads(terminal("status", "--json").out)["overview"]["note"] == ""
    for path in project.layout.private.glob("ledger*"):
        path.unlink()
    note = json.loads(terminal("status", "--json").out)["overview"]["note"]
    assert "although models have written reference/domain-frameworks.md" in note
