"""`show`: what is known of one request, also where it has no answer; of codes and gates."""

from __future__ import annotations

import json

import msgspec

from finetune_prep.core.sample import account
from finetune_prep.documents.kinds import Documents
from finetune_prep.project.beginning.scaffold import config_text
from finetune_prep.project.project import Project, open_project
from finetune_prep.workflow.lookup import look_up
from finetune_prep.workflow.reading.items import ID, FoundItem
from tests.cli.evaluated import BAD, GOOD, evaluated, says
from tests.cli.terminal import Terminal
from tests.fake_endpoint import FakeEndpoint, Status
from tests.phases.pottery_shop import accept_all
from tests.results import write_results
from tests.workflow.reviewing.pilots import pilot_of

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


def test_a_code_of_the_documents_is_explained(shop: Project, terminal: Terminal) -> None:
    """With its text, every document that has it, and what names it; whatever the letters."""
    question = shop.value(Documents.rubric).questions[0]
    shown = terminal("show", question.id.lower())
    assert shown.code == 0
    words = " ".join(shown.out.split())
    assert words.startswith(f"{question.id}: reference/evaluation-rubric.md:")
    assert question.text in words
    assert "also in prompts/evaluation-prompt.md:" in words
    naming = terminal("show", question.catches[0]).out.partition("named by ")[2]
    assert question.id in naming
    found = json.loads(terminal("show", question.id, "--json").out)
    assert [place["path"] for place in found["places"]] == ["reference/evaluation-rubric.md", "prompts/evaluation-prompt.md"]


def test_every_id_of_every_document_is_explained(shop: Project) -> None:
    for document in shop.documents():
        for id in (id for id in document.lines if ID.fullmatch(id)):
            found = look_up(shop, id)
            assert isinstance(found, FoundItem)
            assert id in found.text.splitlines()[0]
            assert document.path in {place.path for place in found.places}


def test_an_item_ends_where_the_next_one_begins(shop: Project) -> None:
    first, second = shop.value(Documents.knowledge).always[:2]
    found = look_up(shop, first.id)
    assert isinstance(found, FoundItem)
    assert (first.text in found.text, second.text in found.text) == (True, False)


def test_a_gate_is_explained_by_its_name(shop: Project, terminal: Terminal) -> None:
    accept_all(shop)
    words = " ".join(terminal("show", "rubric.one-thing").out.split())
    assert words.startswith("rubric.one-thing: waived")
    assert "a judge decides it, about reference/evaluation-rubric.md" in words
    assert "nobody can waive it" in " ".join(terminal("show", "rubric.safety-gate").out.split())


def test_what_is_nowhere_leads_to_a_command(shop: Project, terminal: Terminal) -> None:
    error = json.loads(terminal("show", "GD99", "--json").out)["error"]
    assert (error["next"], error["hint"]) == ("finetune-prep show", "finetune-prep show, which lists conversations")


def test_a_score_of_the_other_questions_is_told_from_a_no_of_the_safety_gate(shop: Project, terminal: Terminal) -> None:
    run = pilot_of(shop, "pf")
    gate = next(category for category in shop.value(Documents.rubric).categories if category.gate).questions[0].id
    samples = run.samples()
    samples[1] = msgspec.structs.replace(samples[1], failed=(gate,), score=1.0)
    write_results(run, samples, run.verdicts(), account(samples))
    words = " ".join(terminal("show", samples[1].scenario.id).out.split())
    assert f"rejected (NO to {gate}), score 1.00" in words
    assert f"{gate} belongs to the safety gate: a NO there rejects it whatever the score" in words
    assert "safety gate:" not in terminal("show", samples[0].scenario.id).out
