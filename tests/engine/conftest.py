"""The engines that FINETUNE_PREP_ENGINE names; without it these tests are not collected."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.engine.engines import ENGINES, Served, serving

NAMES = os.environ.get("FINETUNE_PREP_ENGINE", "").split()
collect_ignore_glob = [] if NAMES else ["test_*.py"]


@pytest.fixture(scope="session", params=NAMES)
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One engine after the other, each started once."""
    with serving(ENGINES[request.param], tmp_path_factory.mktemp(request.param)) as running:
        yield running
