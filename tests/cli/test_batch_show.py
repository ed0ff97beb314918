"""`batch show`: a person answers on pages, and imports the folder."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from finetune_prep.project.project import open_project
from tests.cli.terminal import Terminal
from tests.whole.way import ask, example_project


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    project = example_project(tmp_path / "shop")
    (project / "recording.jsonl").unlink()
    ask(project, "batch")
    return project


@pytest.fixture
def typed(capsys: pytest.CaptureFixture[str], folder: Path) -> Terminal:
    return Terminal(capsys, open_project(str(folder)))


def test_a_round_is_answered_on_pages(typed: Terminal, folder: Path) -> None:
    asked = typed("prepare")
    assert asked.code == 4
    expected = re.search(r"about (\d+) rounds of a batch", " ".join(asked.out.split()))
    assert expected, asked.out
    assert f"written to a batch file: round 1 of about {expected[1]}" in " ".join((asked.out + asked.err).split()).replace(
        "Batch API", ""
    )
    assert "or by hand on pages: finetune-prep batch show 1" in " ".join(asked.err.split())
    stopped = json.loads(typed("prepare", "--json").out)["stopped"]
    assert (stopped["rounds"], stopped["of_about"]) == ([1], int(expected[1]))
    shown = typed("batch", "show", "1")
    assert shown.code == 0
    pages = sorted((folder / "batches" / "round-001").glob("*.md"))
    assert f"{len(pages)} pages, new" in shown.out
    assert "batch import" in shown.out
    first = pages[0]
    first.write_text(first.read_text("utf-8") + "an answer by hand\n", "utf-8")
    again = json.loads(typed("batch", "show", "1", "--json").out)
    assert (again["pages"], again["written"]) == (len(pages), 0), "a page that somebody writes on is left alone"
    taken = typed("batch", "import", str(first.parent))
    assert "1 answer kept" in taken.out
    assert taken.out.endswith("next: finetune-prep batch import ANSWERS.jsonl, then finetune-prep prepare\n")
    assert json.loads(typed("batch", "show", "1", "--json").out)["pages"] == len(pages) - 1


def test_a_round_that_is_not_there(typed: Terminal) -> None:
    typed("prepare")
    shown = typed("batch", "show", "9")
    assert shown.code == 2
    assert "there is no round 9" in shown.err


def test_one_page_is_one_page(typed: Terminal, folder: Path) -> None:
    typed("prepare")
    pages = json.loads(typed("batch", "show", "1", "--json").out)["pages"]
    for page in sorted((folder / "batches" / "round-001").glob("*.md"))[: pages - 1]:
        page.write_text(page.read_text("utf-8") + "an answer by hand\n", "utf-8")
    typed("batch", "import", str(folder / "batches" / "round-001"))
    assert ": 1 page\n" in typed("batch", "show", "1").out
