"""One finished project of either example for all tests that only look at it, or copy it. Whole ways are slow."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.whole.way import MUSEUM, MUSEUM_SIZE, example_project, run, whole_way

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def walked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder in which `demo` has run, in a process of its own, and what it said."""
    folder = tmp_path_factory.mktemp("demo") / "demo"
    done = run("demo", str(folder))
    assert done.returncode == 0, done.stdout + done.stderr
    return folder, done.stdout


@pytest.fixture(scope="session")
def demo(walked: tuple[Path, str]) -> Path:
    """A folder in which `demo` has run. Copy it before changing anything."""
    return walked[0]


@pytest.fixture(scope="session")
def museum(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The museum's project, walked to its export. Copy it before changing anything."""
    return whole_way(example_project(tmp_path_factory.mktemp("museum") / "museum", MUSEUM), MUSEUM_SIZE)
