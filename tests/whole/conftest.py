"""One finished demo for all tests that only look at it, or copy it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.whole.way import run


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which `demo` has run. Copy it before changing anything."""
    folder = tmp_path_factory.mktemp("demo") / "demo"
    done = run("demo", str(folder))
    assert done.returncode == 0, done.stdout + done.stderr
    return folder
