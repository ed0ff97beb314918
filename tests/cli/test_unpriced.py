"""The question about an unknown price beside a budget, on a real terminal and where there is none."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from finetune_prep.project.beginning.scaffold import config_text
from finetune_prep.project.project import Project, open_project
from finetune_prep.workflow.run_summary import UNREAD  # this endpoint is no judge: its verdicts cannot be read
from tests.cli.terminal import environment, on_a_terminal
from tests.fake_endpoint import FakeEndpoint
from tests.phases.pottery_shop import accept_all, pottery_project
from tests.waiting import HUNG

PRICE = '[prices."nobody-9"]'


@pytest.fixture
def endpoint() -> Iterator[FakeEndpoint]:
    with FakeEndpoint() as opened:
        yield opened


@pytest.fixture
def shop(tmp_path: Path, endpoint: FakeEndpoint) -> Project:
    """An accepted project whose roles are played at an address that is not known to be this machine's, though it is."""
    project = pottery_project(tmp_path / "shop")
    base_url = f"http://0.0.0.0:{endpoint.port}/v1"
    settings = config_text("pottery", "larch/nobody-9", base_url, "", year=2026)
    project.layout.config.write_text(f"budget = 5.0\n{settings}", "utf-8")
    accept_all(open_project(project.folder))
    return open_project(project.folder)


def pilot(shop: Project, *options: str) -> list[str]:
    return [sys.executable, "-m", "finetune_prep", "--project", str(shop.folder), "pilot", "-n", "1", *options]


def test_a_yes_is_kept_and_asked_for_once(shop: Project, endpoint: FakeEndpoint) -> None:
    """That it costs something is agreed to first. The decision stands in decisions.jsonl; the next run, unattended, goes on."""
    code, shown = on_a_terminal(pilot(shop), "y\ny\n")
    assert code == UNREAD, shown
    assert "Or go on uncounted? Then the budget does not cover it. [y/N]" in " ".join(shown.split())
    assert PRICE in shown
    decided = shop.decisions()[-1]
    assert (decided.decision, decided.model, decided.by) == ("uncounted", "larch/nobody-9", "reader")
    assert endpoint.calls
    again = subprocess.run(pilot(shop), env=environment(), capture_output=True, text=True, timeout=HUNG)
    assert again.returncode == UNREAD, again.stderr
    assert "[y/N]" not in again.stdout + again.stderr


def test_a_no_sends_nothing(shop: Project, endpoint: FakeEndpoint) -> None:
    code, shown = on_a_terminal(pilot(shop), "y\n\n")
    assert code == 3, shown
    assert endpoint.calls == []
    assert all(decision.decision != "uncounted" for decision in shop.decisions())


def test_without_a_terminal_it_says_what_to_write(shop: Project, endpoint: FakeEndpoint) -> None:
    """A yes beforehand is to a cost, and no budget is given up with it. With the price written down it counts."""
    done = subprocess.run(
        pilot(shop, "--yes"), env=environment(), capture_output=True, text=True, timeout=HUNG, stdin=subprocess.DEVNULL
    )
    assert done.returncode == 3
    assert PRICE in done.stderr
    assert endpoint.calls == []
    shop.layout.config.write_text(f"{shop.layout.config.read_text('utf-8')}\n{PRICE}\ninput = 1.0\noutput = 2.0\n", "utf-8")
    done = subprocess.run(
        pilot(shop, "--yes"), env=environment(), capture_output=True, text=True, timeout=HUNG, stdin=subprocess.DEVNULL
    )
    assert done.returncode == UNREAD, done.stderr
    assert endpoint.calls
