"""`batch show`: a person answers on pages, and imports the folder."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

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
    assert "0 answers kept" in taken.out
    assert "1 cannot be used, not being in the form that was asked for" in taken.out
    assert taken.out.endswith("next: finetune-prep batch import batches/round-001, then finetune-prep prepare\n")
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


def asked_for(key: str, folder: Path) -> dict[str, Any]:
    """The schema of the answer that a page asks for."""
    rows = [json.loads(line) for line in (folder / "batches" / "round-001.requests.jsonl").read_text("utf-8").splitlines()]
    (row,) = [row for row in rows if row["custom_id"] == key]
    schema: dict[str, Any] = row["body"]["response_format"]["json_schema"]["schema"]
    return schema


def an_answer(schema: dict[str, Any]) -> Any:
    """Something that follows a schema."""
    if schema.get("type") == "object":
        return {name: an_answer(part) for name, part in schema["properties"].items()}
    if schema.get("type") == "array":
        return [an_answer(schema["items"]) for _ in range(schema.get("minItems", 0))]
    values = {"string": "x" * schema.get("minLength", 1), "integer": schema.get("minimum", 1), "number": 1, "boolean": True}
    return schema["enum"][0] if "enum" in schema else values[schema["type"]]


def test_a_page_can_be_corrected_and_imported_again(typed: Terminal, folder: Path) -> None:
    """And the message says so, with the line of the page; an answer that cannot be used is not counted as one that is kept."""
    typed("prepare")
    place = folder / "batches" / "round-001"
    typed("batch", "show", "1")
    page = sorted(place.glob("*.md"))[0]
    asked = page.read_text("utf-8")
    key = re.findall(r"answer below this line: ([0-9a-f]+)", asked)[-1]
    page.write_text(f"{asked}\nHere is my answer:\n{{}}\n", "utf-8")
    refused = typed("batch", "import", str(page))
    assert (refused.code, refused.out.splitlines()[0][:15]) == (1, "0 answers kept,")
    line = asked.count("\n") + 2
    assert f"{page.name}:{line}: not JSON, column 1: invalid character; the JSON has to stand alone" in refused.out
    assert "Correct them and import them again" in refused.out
    page.write_text(f"{asked}\n```json\n{{\n  “a”: 1\n}}\n```\n", "utf-8")
    refused = typed("batch", "import", str(page))
    assert (refused.code, "already answered" in refused.out) == (1, False)
    assert f"{page.name}:{line + 2}: not JSON, column 3" in refused.out
    page.write_text(f"{asked}\n{json.dumps(an_answer(asked_for(key, folder)))}\n", "utf-8")
    taken = typed("batch", "import", str(page))
    assert (taken.code, taken.out.splitlines()[0][:14]) == (0, "1 answer kept,")
    assert "1 of them in the place of an answer that could not be used" in taken.out
    assert "1 already answered" in typed("batch", "import", str(page)).out


def test_an_answer_in_the_wrong_place_is_named(typed: Terminal, folder: Path) -> None:
    typed("prepare")
    place = folder / "batches" / "round-001"
    typed("batch", "show", "1")
    first, second, *rest = sorted(place.glob("*.md"))
    untouched = typed("batch", "import", str(place))
    assert (untouched.code, f"{2 + len(rest)} pages without an answer below the last line" in untouched.out) == (1, True)
    asked = first.read_text("utf-8")
    first.write_text(asked.replace("## Form of the answer", "My answer.\n\n## Form of the answer"), "utf-8")
    second.write_text(second.read_text("utf-8").replace("\n", "\r\n"), "utf-8", newline="")
    line = asked[: asked.index("## Form of the answer")].count("\n") + 1
    misplaced = typed("batch", "import", str(place))
    assert misplaced.code == 1
    assert f"{first.name}:{line}: something was written here, and nothing below the page's last line" in misplaced.out
    assert second.name not in misplaced.out
