"""The environments that FINETUNE_PREP_TRAINERS names, folders below .venv-loaders; without it these tests are not collected."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

NAMES = os.environ.get("FINETUNE_PREP_TRAINERS", "").split()
ENVIRONMENTS = Path(__file__).parents[2] / ".venv-loaders"
collect_ignore_glob = [] if NAMES else ["test_*.py"]


@pytest.fixture(params=NAMES)
def trainer(request: pytest.FixtureRequest) -> Path:
    """The interpreter of one environment after the other."""
    return ENVIRONMENTS / str(request.param) / "bin" / "python"
