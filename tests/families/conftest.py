"""An accepted pottery shop that every member copies, and the counts of a full run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from finetune_prep.ledger.sqlite.ledger import SqliteLedger
from finetune_prep.project.project import open_project
from tests.cli.terminal import Terminal
from tests.phases.pottery_shop import accept_all, pottery_project
from tests.soak import SOAK

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def accepted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose documents are all accepted. Copy it before changing anything."""
    shop = pottery_project(tmp_path_factory.mktemp("accepted") / "shop")
    accept_all(shop)
    return shop.folder


@pytest.fixture
def terminal_in(capsys: pytest.CaptureFixture[str]) -> Callable[[Path], Terminal]:
    return lambda folder: Terminal(capsys, open_project(folder))


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[SqliteLedger]:
    opened = SqliteLedger(tmp_path / ".finetune-prep" / "ledger.sqlite")
    yield opened
    opened.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.slow)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How many members of each family held, and how many did not: what a full run is for."""
    if not SOAK:
        return
    for outcome in ("passed", "failed"):
        reports = terminalreporter.stats.get(outcome, [])
        counts = Counter(report.nodeid.split("[")[0] for report in reports if "/families/" in report.nodeid)
        for name, count in sorted(counts.items()):
            terminalreporter.write_line(f"{outcome} {count:5} {name.split('families/')[1]}")
