"""What is due to be read is what the criteria and the export wait for, and what `review` opens by itself."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from finetune_prep.project.project import Project
from finetune_prep.project.runs import Run
from finetune_prep.workflow import accepting
from finetune_prep.workflow.reviewing.counting import Due
from finetune_prep.workflow.reviewing.due import due
from finetune_prep.workflow.reviewing.sitting import open_sitting
from tests.phases.pottery_shop import pottery_project
from tests.workflow.auditing.sets import scaled
from tests.workflow.reviewing.pilots import ADA, pilot_of, say

OF_SCALED = "finetune-prep review --run scale-001 -n 10"


@pytest.fixture
def shop(tmp_path: Path) -> Project:
    return pottery_project(tmp_path / "shop")


@pytest.fixture
def pilot(shop: Project) -> Run:
    return pilot_of(shop, "p" * 10 + "ff")


def read_by_ada(shop: Project, run: Run) -> None:
    for number in range(10):
        say(shop, run, number, "pass")


def test_without_a_run_nothing_is_due(shop: Project) -> None:
    assert due(shop) is None


def test_a_pilot_is_due_until_ten_of_it_are_read(shop: Project, pilot: Run) -> None:
    waiting = Due(run="pilot-001", read=0, wanted=10, waited_for=True, command="finetune-prep review")
    assert due(shop) == waiting
    read_by_ada(shop, pilot)
    assert due(shop) == msgspec.structs.replace(waiting, read=10, waited_for=False)


def test_a_scaled_run_is_due_once_its_pilot_is_read(shop: Project, pilot: Run) -> None:
    scaled(shop, 20)
    assert due(shop) == Due(run="pilot-001", read=0, wanted=10, waited_for=True, command="finetune-prep review")
    read_by_ada(shop, pilot)
    assert due(shop) == Due(run="scale-001", read=0, wanted=10, waited_for=True, command=OF_SCALED)


def test_a_pilot_that_nobody_need_read_any_more_is_not_opened(shop: Project, pilot: Run) -> None:
    run = scaled(shop, 20)
    for gate in ("workflow.spot-check", "workflow.missed-failures"):
        shop.decide(accepting.override(shop, gate, None, by="Ines", because="a first look is enough"))
    found = due(shop)
    assert found is not None
    assert (found.run, found.waited_for, found.command) == ("scale-001", True, OF_SCALED)
    opened = open_sitting(shop, ADA)
    assert (opened.run.name, opened.wanted) == ("scale-001", 10)
    read_by_ada(shop, run)
    found = due(shop)
    assert found is not None
    assert (found.run, found.read, found.waited_for) == ("scale-001", 10, False)


def test_of_a_scaled_run_as_many_are_drawn_as_its_rows_ask_for(shop: Project, pilot: Run) -> None:
    scaled(shop, 501)
    sitting = open_sitting(shop, ADA, run="scale-001")
    assert (sitting.wanted, sum(not drawn.repeat for drawn in sitting.drawn)) == (20, 20)
    assert open_sitting(shop, ADA, run="scale-001", n=3).wanted == 3
