"""Figures of a run are counted once, and again as soon as anything that they rest on has changed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from finetune_prep.exports.figures import each_row, run_figures
from finetune_prep.project.project import Project
from finetune_prep.project.runs import Run
from finetune_prep.workflow.remembered import figures as module
from finetune_prep.workflow.remembered.figures import figures
from tests.phases.pottery_shop import pottery_project, rewrite
from tests.workflow.reviewing.pilots import edit_talk, pilot_of


@pytest.fixture
def shop(tmp_path: Path) -> Project:
    return pottery_project(tmp_path / "shop")


@pytest.fixture
def run(shop: Project) -> Run:
    return pilot_of(shop, "p" * 6 + "ff")


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A run's name each time that its figures are counted."""
    times: list[str] = []

    def rows(run: Run) -> object:
        times.append(run.name)
        return each_row(run)

    monkeypatch.setattr(module, "each_row", rows)
    return times


def settled(shop: Project, run: Run) -> None:
    """Count until it is kept: a file changed in the present tick of the clock is not trusted yet."""
    for _ in range(1000):
        figures(shop, run)
        if (shop.layout.private / "remembered" / f"figures-{run.name}.json").exists():
            return
    raise AssertionError("never kept")


def test_they_are_those_of_the_run_and_are_counted_once(shop: Project, run: Run, counted: list[str]) -> None:
    shop.layout.private.mkdir(exist_ok=True)
    settled(shop, run)
    before = len(counted)
    assert figures(shop, run) == run_figures(shop, each_row(run))
    assert len(counted) == before


def test_another_talk_or_another_rubric_is_counted_anew(shop: Project, run: Run, counted: list[str]) -> None:
    shop.layout.private.mkdir(exist_ok=True)
    settled(shop, run)
    before = len(counted)
    edit_talk(run, 0, "Would you like another one?")
    assert figures(shop, run) == run_figures(shop, each_row(run))
    assert len(counted) == before + 1
    rewrite(shop, "evaluation-rubric", "threshold: 0.75", "threshold: 0.5")
    assert figures(shop, run) == run_figures(shop, each_row(run))
    assert len(counted) == before + 2


def test_where_nothing_may_be_written_they_are_counted_each_time(shop: Project, run: Run, counted: list[str]) -> None:
    shutil.rmtree(shop.layout.private)
    shop.layout.private.write_text("a file")
    assert figures(shop, run) == figures(shop, run)
    assert len(counted) == 2
