"""`prepare` says what it will do and cost, asks once where it costs anything, and stops with what to look at."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from pathlib import Path

import pytest

from finetune_prep.method.phases import PHASES
from finetune_prep.models.providers.scripted import Scripted
from finetune_prep.project.beginning.scaffold import config_text
from finetune_prep.project.project import Project, open_project
from tests.cli.terminal import Terminal, on_a_terminal
from tests.fake_endpoint import FakeEndpoint
from tests.phases.pottery_expert import pottery_people, pottery_sources
from tests.phases.pottery_shop import accept_all, pottery_project
from tests.phases.test_preparing import prepared


def prepare(project: Project, typed: str, *options: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "finetune_prep", "prepare", *options]
    code, shown = on_a_terminal(command, typed, folder=project.folder)
    return code, " ".join(shown.split())


def test_it_explains_itself_and_a_no_sends_nothing(tmp_path: Path) -> None:
    """And as nothing was asked, it explains itself again the next time."""
    project = pottery_sources(tmp_path / "shop")
    with FakeEndpoint() as endpoint:
        text = config_text("pottery", "larch/larch-1", endpoint.base_url, "", year=2026)
        project.layout.config.write_text(f"{text}\n[prices.larch-1]\ninput = 1.0\noutput = 2.0\n", "utf-8")
        code, shown = prepare(project, "n\n")
        assert code == 3
        assert endpoint.calls == []
        assert "Sources: 2 files in sources/." in prepare(project, "n\n")[1]
    for phase in PHASES:
        assert f"{phase.title}: {phase.does}." in shown
    assert "Sources: 2 files in sources/." in shown
    assert "It stops four times, the last time when everything is written" in shown
    assert "Estimate: " in shown
    assert "calls" in shown
    assert re.search(r"Estimate: \d+ calls, .*, about \$\d+\.\d\d.*This costs money, or may:", shown)
    assert "Begin? [y/N]" in shown
    assert "Nothing was sent" in shown
    assert "nobody has agreed" not in shown


def test_batch_files_cost_nothing_here_and_are_begun_without_a_question(tmp_path: Path) -> None:
    """It explains itself once: what was written to a batch file was asked."""
    project = pottery_sources(tmp_path / "shop")
    code, shown = prepare(project, "")
    assert (code, "Begin?" in shown, "Sources:" in shown) == (4, False, True)
    assert "4 questions to models were written to a batch file" in shown
    code, shown = prepare(project, "")
    assert (code, "Begin?" in shown, "Sources:" in shown) == (4, False, False)


def test_without_sources_it_says_so_before_anything_is_spent(tmp_path: Path) -> None:
    project = pottery_sources(tmp_path / "shop")
    for path in project.layout.sources.iterdir():
        path.unlink()
    code, shown = prepare(project, "n\n")
    assert "No sources. The reference will rest on what the model knows" in shown
    assert "Go on without sources? [y/N]" in shown
    assert code == 3
    assert shown.endswith(" put what you have into sources/, then: finetune-prep prepare")
    assert not (project.folder / "batches").exists()
    code, shown = prepare(project, "y\n")
    assert (code, "were written to a batch file" in shown) == (4, True)


@pytest.mark.parametrize("options", [["--yes"], []])
def test_without_sources_it_goes_on_where_that_was_said_or_nobody_can_be_asked(
    tmp_path: Path, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    project = pottery_sources(tmp_path / "shop")
    for path in project.layout.sources.iterdir():
        path.unlink()
    code, shown = prepare(project, "", *options) if options else Terminal(capsys, project)("prepare")[:2]
    assert (code, "is asked, which is now." in " ".join(shown.split()), "Go on without" in shown) == (4, True, False)


def test_without_files_a_search_provider_is_a_source(tmp_path: Path) -> None:
    project = pottery_sources(tmp_path / "shop")
    for path in project.layout.sources.iterdir():
        path.unlink()
    text = project.layout.config.read_text("utf-8")
    project.layout.config.write_text(f'{text}\n[search]\nprovider = "searxng"\nbase_url = "http://127.0.0.1:9"\n', "utf-8")
    _, shown = prepare(project, "")
    assert "No files in sources/. The reference will rest on what is found on the web." in shown
    assert "Go on without" not in shown


def test_a_source_that_cannot_be_read_is_told_before_anything_is_spent(tmp_path: Path) -> None:
    project = pottery_sources(tmp_path / "shop")
    (project.layout.sources / "table.xlsx").write_bytes(b"PK")
    _, shown = prepare(project, "")
    assert "sources/table.xlsx: not read: .xlsx is not a text format known here" in shown


async def test_at_the_end_it_names_what_is_still_to_be_read(tmp_path: Path) -> None:
    project = pottery_sources(tmp_path / "shop")
    await prepared(project, Scripted(pottery_people()))
    code, shown = prepare(project, "")
    assert code == 0
    assert "Still to be read by a person: prompts/generation-prompt.md: every gate holds look first at" in shown
    assert "reference/digest/5-generation-prompt.md" in shown
    assert shown.endswith("next: finetune-prep accept")


def test_its_exit_code_says_that_documents_are_there_and_to_accept_which_are_to_be_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As its help has it: 3 where a person must accept before it can go on, 0 at the end."""
    project = pottery_sources(tmp_path / "shop")
    asyncio.run(prepared(project, Scripted(pottery_people())))
    typed = Terminal(capsys, project)
    ended = typed("prepare", "--json")
    generation = ["generation-prompt", "user-prompt", "system-prompt"]
    found = json.loads(ended.out)
    assert (ended.code, found["to_accept"], found["next"]) == (0, generation, "finetune-prep accept")
    rubric = project.layout.document("evaluation-rubric")
    rubric.write_text(rubric.read_text("utf-8").replace("## Goals", "A word of mine.\n\n## Goals", 1), "utf-8")
    assert typed("prepare", "--json").code == 3
    help = " ".join(typed("prepare", "--help").out.split())
    assert "Exit code 3: a person has to accept a document before it can continue. Exit code 0: all documents exist" in help


def test_what_comes_after_it_makes_sense_for_the_project(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With everything accepted: a pilot that can run, and none where answers come from a recording that holds no pilot."""
    project = pottery_project(tmp_path / "shop")
    accept_all(project)
    assert Terminal(capsys, project)("prepare").code == 3  # it puts the rubric's questions in anew
    accept_all(open_project(project.folder))
    assert Terminal(capsys, project)("prepare").out.endswith("next: finetune-prep pilot -n 20\n")
    config = project.layout.config
    config.write_text(config.read_text("utf-8").replace("batch/", "recording/"), "utf-8")
    (project.folder / "recording.jsonl").write_text('{"recording":3}\n', "utf-8")
    shown = Terminal(capsys, open_project(project.folder))("prepare", "--json")
    found = json.loads(shown.out)
    assert found["next"] == ""
    assert found["hint"].startswith("name a model for the roles in finetune-prep.toml")


def test_a_german_brief_that_names_no_language_is_not_prepared_in_english(tmp_path: Path) -> None:
    """Told before anything is asked; with the language written down, the plan says it."""
    project = pottery_sources(tmp_path / "shop")
    brief = project.layout.document("brief")
    german = "# Töpferladen\n\nEin kleiner Töpferladen beantwortet die Fragen seiner Kunden zu Bestellungen und Rücksendungen.\n"
    brief.write_text(german, "utf-8")
    code, shown = prepare(project, "")
    assert code == 3
    assert "brief.md: the brief names no language but is written in de" in shown
    assert "language: de" in shown
    brief.write_text(f"---\nlanguage: de\n---\n{german}", "utf-8")
    assert not project.layout.ledger.exists()
    code, shown = prepare(project, "")
    assert "Language: conversations in German (from brief.md)." in shown


def test_a_title_that_says_nothing_gives_way_to_the_folders(tmp_path: Path) -> None:
    project = pottery_sources(tmp_path / "shop")
    project.layout.document("brief").write_text("# Brief\n\nA small shop answers its customers' questions.\n", "utf-8")
    _, shown = prepare(project, "")
    assert "Brief" not in shown
    assert "Shop" in shown
