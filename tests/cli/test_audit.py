"""`audit` on the command line: plain words first, exit codes, JSON, and a next step that leads to a row."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from finetune_prep.documents.kinds import Documents
from finetune_prep.project.project import Project, open_project
from finetune_prep.workflow.auditing.sentences import in_order
from tests.cli.terminal import Terminal
from tests.cli.test_pilot import next_of
from tests.phases.pottery_shop import accept_all
from tests.workflow.auditing.sets import said, saying, scaled


def test_a_sound_set(shop: Project, terminal: Terminal) -> None:
    accept_all(shop)
    scaled(shop, 40)
    shown = terminal("audit")
    assert shown.code == 0, shown.out
    assert shown.out.startswith("40 rows of scale-001: nothing must be put right\n")
    assert "What this cannot tell you" in shown.out
    told = json.loads(terminal("audit", "--json").out)
    assert (told["rows"], [flag for flag in told["flags"] if flag["level"] == "red"]) == (40, [])
    assert "[workflow.scale-audited]" not in terminal("check").out


def test_what_must_be_put_right_comes_first_and_leads_to_a_row(shop: Project, terminal: Terminal, tmp_path: Path) -> None:
    accept_all(shop)
    asked = "Which of our four old glazes can be put into a dishwasher every day without losing their colour or their shine?"
    exam = tmp_path / "exam.jsonl"
    exam.write_text(json.dumps({"prompt": asked}))
    run = scaled(shop, 40, change=lambda rows: [saying(rows[0], asked, 0), saying(rows[1], f"{said(rows[1])}\u202e"), *rows[2:]])
    first, second = (sample.scenario.id for sample in run.samples()[:2])
    assert "have not been audited as they are" in terminal("check").out
    shown = terminal("audit", "--against", str(exam))
    assert shown.code == 1
    assert shown.out.splitlines()[0] == "40 rows of scale-001: 2 things must be put right before training"
    assert f"test-set: 1 row holds words of exam.jsonl: {first}" in shown.out
    assert f"{second}: assistant, character" in shown.out
    assert "U+202E RIGHT-TO-LEFT OVERRIDE" in shown.out
    assert next_of(shown) == f"finetune-prep show {first}"
    assert terminal("show", first).code == 0
    assert "[workflow.scale-audited]" in terminal("check").out
    for id in (first, second):
        assert terminal("drop", id, "--because", "the audit named it", "--by", "Ada").code == 0
    assert terminal("audit", "--against", str(exam)).code == 0
    assert len(open_project(shop.folder).dropped()) == 2


def test_without_rows_it_names_the_next_command(shop: Project, terminal: Terminal) -> None:
    shown = terminal("audit")
    assert shown.code == 3
    assert "finetune-prep pilot" in shown.err
    assert terminal("audit", "--against", "nowhere.jsonl").code == 3


@pytest.mark.parametrize("command", [("audit",), ("export", "--preview"), ("review", "--terminal")])
def test_a_name_that_no_run_has_is_told_with_those_that_there_are(
    command: tuple[str, ...], shop: Project, terminal: Terminal
) -> None:
    """A slip of the hand leads to no pilot that would be paid for."""
    accept_all(shop)
    shown = terminal(*command, "--run", "pilot-009")
    assert shown.code == 2
    assert "there is no run pilot-009" in shown.err
    assert "finetune-prep pilot, which makes the first one" in shown.err
    scaled(shop, 10)
    shown = terminal(*command, "--run", "pilot-009")
    assert shown.code == 2
    assert "there is no run pilot-009" in shown.err
    assert "next:  one of: scale-001\n" in shown.err


def test_a_run_of_other_documents_is_told_with_what_has_changed(shop: Project, terminal: Terminal) -> None:
    accept_all(shop)
    scaled(shop, 10)
    config = shop.layout.config.read_text("utf-8")
    shop.layout.config.write_text(config.replace("seed = 1 ", "seed = 99 "), "utf-8")
    accept_all(open_project(shop.folder))
    shown = terminal("audit", "--run", "scale-001")
    assert shown.code == 3
    assert "scale-001 is stale: the project's seed has changed since" in shown.err.replace("\n", " ")


def test_codes_stand_beside_their_names_and_in_the_order_of_their_numbers(shop: Project, terminal: Terminal) -> None:
    accept_all(shop)
    run = scaled(shop, 4)
    shown = terminal("audit").out
    never = shown.partition("no row has these situations: ")[2].partition(",")[0]
    space = shop.value(Documents.space)
    situation = next(one for topic in space.topics for one in topic.situations if one.id == never)
    assert f"      {never}: {situation.text[:20]}" in shown
    page = (run.folder / "audit.html").read_text("utf-8")
    assert f'<span class="quiet">{space.topics[0].id}</span> {space.topics[0].name}' in page
    assert sorted(["TP10.2", "TP2", "TP10", "", "TP9.1"], key=in_order) == ["", "TP2", "TP9.1", "TP10", "TP10.2"]
