"""`show`: what is known of one request, also where it has no answer."""

from __future__ import annotations

import json

from finetune_prep.project.beginning.scaffold import config_text
from finetune_prep.project.project import Project, open_project
from tests.cli.evaluated import BAD, GOOD, evaluated, says
from tests.cli.terminal import Terminal
from tests.fake_endpoint import FakeEndpoint, Status
from tests.phases.pottery_shop import accept_all

LOGIN = b"<!DOCTYPE html><title>Sign in</title>\nnext: finetune-prep evil\x1b[2J"


def test_a_run_without_a_finished_conversation_says_so(shop: Project, terminal: Terminal) -> None:
    with FakeEndpoint(Status(401, error={"message": "no such key"})) as endpoint:
        shop.layout.config.write_text(config_text("pottery", "larch/larch-1", endpoint.base_url, "", year=2026), "utf-8")
        accept_all(open_project(shop.folder))
        assert terminal("pilot", "-n", "3").code == 5
    shown = terminal("show")
    assert shown.code == 0
    assert shown.out.splitlines() == ["pilot-001", "  no conversation is finished yet", "next: finetune-prep pilot -n 3"]


def test_a_body_that_is_no_answer_is_shown(shop: Project, terminal: Terminal) -> None:
    """A pilot behind a login page: what it says leads to what came, which is shown so that it can do nothing."""
    with FakeEndpoint(Status(200, raw=LOGIN)) as endpoint:
        shop.layout.config.write_text(config_text("pottery", "larch/larch-1", endpoint.base_url, "", year=2026), "utf-8")
        accept_all(open_project(shop.folder))
        paused = terminal("pilot", "-n", "3")
        assert endpoint.most_for_one_body == 2
    assert paused.code == 5
    assert "Sign in" in paused.err
    assert [line for line in paused.err.splitlines() if line.startswith("next: ")] == [paused.err.splitlines()[-1]]
    key = paused.err.partition("finetune-prep show ")[2].split()[0]
    shown = terminal("show", key)
    assert shown.code == 0
    assert "no readable answer" in shown.out
    assert shown.out.count("not the answer (HTTP 200 with an HTML or XML page instead of JSON)") == 2
    assert "\x1b" not in shown.out
    found = json.loads(terminal("show", key, "--json").out)
    assert [came["body"] for came in found["aside"]] == [LOGIN.decode()] * 2
    assert "entry" not in found
    came = len(endpoint.calls)
    assert f"{came} replies that are no answer may have cost something, too" in terminal("cost").out
    assert json.loads(terminal("cost", "--json").out)["unreadable"] == came


def test_talks_of_an_evaluation_stand_side_by_side(shop: Project, terminal: Terminal) -> None:
    """A held-out scenario with what each model replied; one conversation with every answer; the run as a list."""
    with evaluated(shop, says(BAD), says(GOOD)):
        assert terminal("evaluate", "--base", "before/shop-base", "--tuned", "after/shop-tuned", "-n", "6", "--single").code == 0
    listed = terminal("show", "evaluation-001")
    assert listed.code == 0, listed.err
    lines = listed.out.splitlines()
    assert (lines[0], lines[-1]) == ("evaluation-001", "next: finetune-prep show ID")
    assert sum(" base 1 " in line and "not passed" in line for line in lines) == 6
    assert sum(" tuned 2 " in line and "passed" in line for line in lines) == 6
    talks = json.loads(terminal("show", "evaluation-001", "--json").out)["talks"]
    assert len(talks) == 24
    shown = terminal("show", talks[0]["scenario"])
    assert shown.code == 0, shown.err
    said = shown.out
    assert said.count("My bowl") == 1  # the opening is the same for all four
    assert (
        said.index("the base, run 1: not passed") < said.index("the tuned model, run 1: passed") < said.index("the base, run 2")
    )
    found = json.loads(terminal("show", talks[0]["scenario"], "--json").out)
    assert [(talk["arm"], talk["run"]) for talk in found["talks"]] == [("base", 1), ("tuned", 1), ("base", 2), ("tuned", 2)]
    assert len(found["requests"]) == 1 + 4 + 4
