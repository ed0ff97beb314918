"""A pilot that is being made, looked at while it is: the page disturbs nobody, and says how far it has come."""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from finetune_prep.phases.scaling.scale import Size, scale_plan
from finetune_prep.project.beginning.scaffold import config_text
from finetune_prep.project.lock import holder, locked
from finetune_prep.project.project import Project, open_project
from finetune_prep.project.runs import Run
from finetune_prep.project.scaling.result import scaled_run_of
from finetune_prep.web.app import application
from finetune_prep.web.desk import Desk
from finetune_prep.workflow.reading.under_way import under_way
from tests.cli.test_pilot import asked_of, verdict
from tests.fake_endpoint import Behaviour, Call, Completion, FakeEndpoint, Stall
from tests.phases.pottery_shop import accept_all
from tests.waiting import HUNG
from tests.web.conftest import OWN, PORT
from tests.workflow.auditing.sets import scaled
from tests.workflow.reviewing.pilots import ADA


@pytest.fixture
def slow(shop: Project) -> Iterator[Project]:
    """A shop whose judge falls silent after two verdicts."""
    numbers, verdicts = itertools.count(), itertools.count()

    def answer(call: Call) -> Behaviour:
        questions = asked_of(call)
        if questions:
            return verdict(questions) if next(verdicts) < 2 else Stall()
        return Completion(f"We send a new bowl today, number {next(numbers)}.")

    with FakeEndpoint(answer) as endpoint:
        shop.layout.config.write_text(config_text("pottery", "larch/larch-1", endpoint.base_url, "", year=2026), "utf-8")
        project = open_project(shop.folder)
        accept_all(project)
        yield project


def test_a_running_pilot_is_seen_and_not_disturbed(slow: Project) -> None:
    project = slow
    guard = application(Desk(project, ADA, n=10), PORT)
    client = TestClient(guard, base_url=OWN)
    client.get(guard.link)
    command = [sys.executable, "-m", "finetune_prep", "--project", str(project.folder), "pilot", "-n", "6", "--yes"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as pilot:
        try:
            text = until(client, "2 conversations judged", pilot)
            assert '<span class="badge live">running</span>' in text
            assert 'content="4"' in text
            assert 'http-equiv="refresh"' in text
            assert re.search(r"\d+ answers of the assistant", text)
            still = client.get("/runs?still").text
            assert 'http-equiv="refresh"' not in still
            for path in ("/", "/documents", "/documents/domain-frameworks", "/confirm", "/spent", "/runs/pilot-001"):
                assert client.get(path).status_code == 200, path
            refused = client.post(
                "/gates/workflow.pilot-size/waive", data={"because:workflow.pilot-size": "x"}, headers={"origin": OWN}
            )
            assert refused.status_code == 409
            assert f"finetune-prep pilot -n 6 (process {pilot.pid}) is working on this project" in refused.text
            assert pilot.poll() is None
        finally:
            pilot.kill()
            pilot.wait(HUNG)
    text = client.get("/runs").text
    assert "running</span>" not in text
    assert 'http-equiv="refresh"' not in text
    assert "Not finished." in text


def until(client: TestClient, words: str, pilot: subprocess.Popen[str]) -> str:
    """The page of the runs once it says so."""
    given_up = time.monotonic() + HUNG
    while words not in (text := client.get("/runs").text):
        assert pilot.poll() is None, pilot.stderr and pilot.stderr.read()
        assert time.monotonic() < given_up, text
    return text


def test_looking_who_holds_the_lock_takes_none(shop: Project) -> None:
    assert holder(shop.layout.lock) == ""
    with locked(shop.layout.lock, "pilot -n 3"):
        assert holder(shop.layout.lock) == "pilot -n 3"
    shop.layout.lock.write_text("finetune-prep pilot -n 3 (process 999999999999999999999)")
    assert holder(shop.layout.lock) == ""
    shop.layout.lock.write_text("")
    assert holder(shop.layout.lock) == ""


def test_a_scaled_run_that_is_being_made_larger_is_seen(shop: Project) -> None:
    scaled(shop, 12)
    with locked(shop.layout.lock, "scale 12"):
        assert under_way(shop) is None, "it has its rows"
        scaled_run_of(shop.layout, scale_plan(shop, Size(rows=20)))
        now = under_way(shop)
    assert now is not None
    assert now.run == "scale-001"


def test_runs_are_listed_with_what_became_of_them(client: TestClient, run: Run) -> None:
    text = client.get("/runs").text
    assert "<b>9</b> accepted" in text
    assert "<b>3</b> rejected" in text
    assert "running</span>" not in text


def test_without_a_run_the_page_says_what_makes_one(shop: Project) -> None:
    guard = application(Desk(shop, ADA, n=10), PORT)
    client = TestClient(guard, base_url=OWN)
    client.get(guard.link)
    assert "finetune-prep pilot" in client.get("/runs").text
    assert "Nothing has been asked yet." in client.get("/spent").text
