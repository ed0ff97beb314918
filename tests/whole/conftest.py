"""One finished demo for all tests that only look at it, or copy it. Whole ways are slow."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.whole.way import run

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which `demo` has run. Copy it before changing anything."""
    folder = tmp_path_factory.mktemp("demo") / "demo"
    done = run("demo", str(folder))
    assert done.returncode == 0, done.stdout + done.stderr
    return folder
