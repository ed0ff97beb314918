"""`sources` lists what the reference rests on and looks things up; `doctor` says whether the web can be searched."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from finetune_prep.core.knowledge import Source
from finetune_prep.project.project import Project, open_project
from finetune_prep.sources.files import SourceText
from tests.cli.terminal import Terminal
from tests.fake_endpoint import Behaviour, FakeEndpoint, Status
from tests.phases.research.searched_web import new_shop

PAGE = SourceText(
    source=Source(
        id="S01",
        title="larch.example/returns",
        where="https://larch.example/returns",
        read="2026-11-22",
        publisher="Larch",
        published="2026-03-01",
    ),
    text="# Returns\n\nThe customer pays for the way back.\n",
    hash="ab12",
    headline="Returns \x1b[2Jat Larch",
)


@pytest.fixture
def shop(tmp_path: Path) -> Project:
    """A project with a file and a page, and a file that cannot be read."""
    folder = new_shop(tmp_path / "shop")
    (folder / "sources" / "tone.md").write_text("# Tone\n\nOne question at once.\n")
    (folder / "sources" / "photo.jpg").write_bytes(b"\xff\xd8")
    snapshots = folder / "reference" / "sources"
    snapshots.mkdir(parents=True)
    (snapshots / "S01.md").write_text(PAGE.snapshot)
    return open_project(folder)


def test_files_and_pages_are_listed_and_what_is_unread_is_told(terminal: Terminal) -> None:
    shown = terminal("sources")
    assert shown.code == 0
    assert "S02 Tone" in shown.out
    assert "S01 Returns" in shown.out
    assert "https://larch.example/returns · Larch · published 2026-03-01" in " ".join(shown.out.split())
    assert "sources/photo.jpg: not read: .jpg is not a text format known here" in shown.out
    assert "\x1b[2J" not in shown.out


def test_what_is_left_out_of_a_file_is_said(shop: Project, terminal: Terminal) -> None:
    page = f"<p>Due within <del>30</del> 14 days. {'Send it back as it came. ' * 9}</p><nav>Home</nav>"
    (shop.folder / "sources" / "fees.html").write_text(page)
    assert "left out: 1 menu, 1 deletion" in terminal("sources").out
    listed = json.loads(terminal("sources", "--json").out)
    assert [row["left_out"] for row in listed["sources"]] == ["", "1 menu, 1 deletion", ""]


def test_as_json(terminal: Terminal) -> None:
    listed = json.loads(terminal("sources", "--json").out)
    assert [row["id"] for row in listed["sources"]] == ["S01", "S02"]
    assert listed["sources"][0]["read"] == "2026-11-22"
    assert [finding["path"] for finding in listed["unread"]] == ["sources/photo.jpg"]


def test_passages_that_fit_a_query(terminal: Terminal) -> None:
    shown = terminal("sources", "who", "pays", "the", "way", "back?", "-n", "1")
    assert "pays for the way back" in shown.out
    assert "One question" not in shown.out
    (passage,) = json.loads(terminal("sources", "question", "--json").out)["passages"]
    assert (passage["source_id"], passage["start"]) == ("S02", 0)
    assert "None of these words is in the 2 sources." in terminal("sources", "zebra").out


def test_a_project_without_sources_says_what_to_do(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    empty = Terminal(capsys, open_project(new_shop(tmp_path / "empty")))
    assert "No sources." in empty("sources").out


def searching(terminal: Terminal) -> dict[str, str]:
    """The check of `doctor` that is about searching."""
    checks = json.loads(terminal("doctor", "--no-ask", "--json").out)
    (found,) = [check for check in checks if check["about"] == "web search"]
    return dict(found)


@pytest.mark.parametrize(
    ("toml", "keys", "state", "words"),
    [
        ("", {}, "note", "none of TAVILY_API_KEY"),
        ("", {"EXA_API_KEY": "exa-canary"}, "fine", "exa, with a key that is not tried out"),
        ('provider = "none"', {"EXA_API_KEY": "exa-canary"}, "note", "switched off"),
        ('provider = "brave"', {}, "wrong", "BRAVE_API_KEY is not set"),
        ('provider = "searxng"', {}, "wrong", "has no base_url"),
    ],
)
def test_doctor_says_whether_the_web_can_be_searched(
    terminal: Terminal, shop: Project, monkeypatch: pytest.MonkeyPatch, toml: str, keys: dict[str, str], state: str, words: str
) -> None:
    for name, value in keys.items():
        monkeypatch.setenv(name, value)
    shop.layout.config.write_text(f"{shop.layout.config.read_text()}{toml}\n")
    found = searching(terminal)
    assert found["state"] == state
    assert words in found["found"]
    assert "canary" not in str(found)


@pytest.mark.parametrize(
    ("answer", "state", "words"),
    [
        (Status(200, raw=b'{"query": "test", "results": []}'), "fine", "answers in JSON"),
        (Status(403, raw=b"Forbidden"), "wrong", "HTTP 403"),
        (Status(200, raw=b"<html>"), "wrong", "cannot be read"),
    ],
)
def test_doctor_asks_a_searxng(terminal: Terminal, shop: Project, answer: Behaviour, state: str, words: str) -> None:
    with FakeEndpoint(answer) as endpoint:
        toml = f'provider = "searxng"\nbase_url = "http://127.0.0.1:{endpoint.port}"\n'
        shop.layout.config.write_text(shop.layout.config.read_text() + toml)
        found = searching(terminal)
    assert found["state"] == state
    assert words in found["found"]
