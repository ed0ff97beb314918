"""A pilot of the pottery shop, the desk of somebody who reviews it, and a client that has entered by the link."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from finetune_prep.project.project import Project
from finetune_prep.project.runs import Run
from finetune_prep.web.app import application
from finetune_prep.web.desk import Desk
from finetune_prep.web.guard import Guard
from tests.phases.pottery_shop import pottery_project
from tests.workflow.reviewing.pilots import ADA, pilot_of

PORT = 8123
OWN = f"http://127.0.0.1:{PORT}"


@pytest.fixture
def shop(tmp_path: Path) -> Project:
    return pottery_project(tmp_path / "shop")


@pytest.fixture
def run(shop: Project) -> Run:
    return pilot_of(shop, "p" * 9 + "fff" + "x")


@pytest.fixture
def guard(shop: Project, run: Run) -> Guard:
    return application(Desk(shop, ADA, n=10), PORT)


@pytest.fixture
def client(guard: Guard) -> TestClient:
    """A browser that came by the link."""
    browser = TestClient(guard, base_url=OWN)
    assert browser.get(guard.link, follow_redirects=False).status_code == 303
    return browser
