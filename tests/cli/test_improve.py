"""`improve`: what a person sees and decides, what a script reads, and what nobody may do in a person's place."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from finetune_prep.core.conversation import Message
from finetune_prep.core.request import Origin, Request, Schema
from finetune_prep.project.beginning.scaffold import config_text
from finetune_prep.project.project import Project, open_project
from tests.cli.terminal import Shown, Terminal, on_a_terminal
from tests.fake_endpoint import Behaviour, Call, Completion, FakeEndpoint
from tests.phases.improving.simulated import Simulated, with_rules
from tests.phases.improving.test_simulations import RATES, harm, nothing, rule
from tests.phases.pottery_shop import accept_all, rewrite

GENERATION = "generation-prompt"
WEAK = RATES | {"FM1": 0.9}  # so often that no sample of 24 hides it


def words(shown: Shown) -> str:
    return " ".join(shown.out.split())


def request_of(call: Call) -> Request:
    """What an endpoint was asked, as the simulation reads it. Which asking it is nobody tells an endpoint: the text says it."""
    form = call.body["response_format"]["json_schema"]
    role = "reviser" if form["name"] == "improve-edit" else "judge" if form["name"] == "verdict" else "assistant"
    messages = tuple(Message(message["role"], message["content"]) for message in call.body["messages"])
    schema = Schema(name=form["name"], schema=form["schema"])
    return Request(role=role, phase="", origin=Origin(), model="", messages=messages, schema=schema, sample=messages[-1].content)  # type: ignore[arg-type]


@pytest.fixture
def served(shop: Project) -> Iterator[Callable[..., FakeEndpoint]]:
    """Has models at an endpoint write and judge for the shop, whose first guard is weak and whose documents are accepted."""
    endpoints: list[FakeEndpoint] = []

    def serve(models: Simulated, *, weak: tuple[str, ...] = ("FM1",)) -> FakeEndpoint:
        def answer(call: Call) -> Behaviour:
            found = models.answer(request_of(call))
            assert isinstance(found, str)
            return Completion(found)

        endpoint = FakeEndpoint(answer).__enter__()
        endpoints.append(endpoint)
        text = config_text("pottery", "larch/larch-1", endpoint.base_url, "", year=2026)
        shop.layout.config.write_text(f'{text}\n[pilot]\nway = "one-call"\n', "utf-8")
        with_rules(shop, weak=weak)
        accept_all(open_project(shop.folder))
        return endpoint

    yield serve
    for endpoint in endpoints:
        endpoint.__exit__(None, None, None)


def prompt(shop: Project) -> str:
    return shop.layout.document(GENERATION).read_text("utf-8")


def test_from_a_pilot_to_an_edit_that_is_kept(served: Any, shop: Project, terminal: Terminal) -> None:
    served(Simulated(WEAK, rule, kept=0.0))
    assert terminal("pilot", "-n", "30").code == 0
    alone = terminal("improve", "--diagnoses")
    assert "pilot-001: " in alone.out
    assert "1. CP1 fails in " in alone.out
    assert json.loads(terminal("improve", "--diagnoses", "--json").out)["diagnoses"][0]["clause"]["item"] == "GD1"
    shown = terminal("improve")
    assert shown.code == 0
    said = words(shown)
    assert "Estimate: " in said
    assert "of pilot-001" in said
    assert "1. CP1 fails in " in said
    assert "CP1 checks DO1, DONT6 and catches FM1, and GD1 is the guard against that" in said
    assert "{+keep+}" in said or "{+keep to" in said
    assert "next: finetune-prep improve --take 1" in said
    before = prompt(shop)
    took = terminal("improve", "--take", "1", "--by", "Ada Larch")
    assert took.code == 0
    assert "prompts/generation-prompt.md has the edit, by Ada Larch." in took.out
    assert prompt(shop) == before.replace("name it first", "keep to the rule KEEPS-FM1 then", 1)
    assert "next: finetune-prep improve --test" in terminal("status").out
    tried = terminal("improve", "--test")
    assert tried.code == 0, tried.err
    said = words(tried)
    assert "edit-001: improve-001/1, for CP1" in said
    assert "Kept: on scenarios that no diagnosis had seen, CP1 became YES in " in said
    assert "could not be seen: name another judge" in said
    assert "next: finetune-prep check generation-prompt --judge" in said
    assert "improve-001: diagnoses of pilot-001 – 1 kept" in terminal("status").out
    assert "Kept: on scenarios that no diagnosis had seen" in words(terminal("improve"))
    history = words(terminal("improve", "--history"))
    assert "improve-001/1 taken by Ada Larch: prompts/generation-prompt.md" in history
    assert "before: pilot-001 passed " in history
    assert "the way back: finetune-prep improve --back improve-001/1" in history
    back = terminal("improve", "--back", "1", "--by", "Ada Larch")
    assert "has the text from before the edit again" in back.out
    assert prompt(shop) == before


def test_an_edit_that_does_nothing_is_taken_back(served: Any, shop: Project, terminal: Terminal) -> None:
    endpoint = served(Simulated(WEAK, nothing))
    terminal("pilot", "-n", "30")
    terminal("improve")
    before = prompt(shop)
    terminal("improve", "--take", "1", "--by", "Ada Larch")
    assert prompt(shop) != before
    tried = json.loads(terminal("improve", "--test", "--json").out)
    assert tried["result"]["word"] != "kept"
    assert tried["put_back"]
    assert prompt(shop) == before
    calls = len(endpoint.calls)
    listed = json.loads(terminal("improve", "--json").out)
    assert listed["edits"][0]["state"] == "not kept"
    assert len(endpoint.calls) == calls  # the same pilot asks nothing twice
    refused = terminal("improve", "--take", "1", "--by", "Ada Larch")
    assert refused.code == 3
    assert "edit 1 was tried in edit-001" in refused.err.lower()


def test_nobody_but_a_person_takes_an_edit(served: Any, shop: Project, terminal: Terminal) -> None:
    """Not --yes, which agrees to costs, and not a process that nobody looks at."""
    served(Simulated(WEAK, rule, kept=0.0))
    terminal("pilot", "-n", "30")
    terminal("improve", "--yes")
    before = prompt(shop)
    for command in (["--take", "1"], ["--take", "1", "--yes"], ["--leave", "1"]):
        shown = terminal("improve", *command)
        assert shown.code == 3
        assert "nobody is at a terminal" in " ".join(shown.err.lower().split())
    assert prompt(shop) == before
    assert not [decision for decision in open_project(shop.folder).decisions() if decision.edit]
    terminal("improve", "--leave", "1", "--by", "Ada Larch")
    decision = open_project(shop.folder).decisions()[-1]
    assert (decision.decision, decision.by, decision.interactive) == ("leave", "Ada Larch", False)
    assert "left by Ada Larch" in terminal("improve").out


def test_a_person_takes_it_at_a_terminal(served: Any, shop: Project, terminal: Terminal) -> None:
    served(Simulated(WEAK, rule, kept=0.0))
    terminal("pilot", "-n", "30")
    code, shown = on_a_terminal([sys.executable, "-m", "finetune_prep", "improve"], "take\n", folder=shop.folder)
    assert code == 0, shown
    assert "Edit 1: take it, leave it, or decide later?" in " ".join(shown.split())
    decision = open_project(shop.folder).decisions()[-1]
    assert (decision.decision, decision.by, decision.interactive) == ("take", "reader", True)
    assert "keep to the rule KEEPS-FM1 then" in prompt(shop)


def test_two_edits_are_not_tried_at_once(served: Any, shop: Project, terminal: Terminal) -> None:
    def both(request: Request) -> dict[str, str]:
        return rule(request) | {
            "cannot": "",
            "old": "name it first",
            "new": f"keep to the rule {request.messages[-1].content.count('GD1')}",
        }

    served(Simulated(RATES, both), weak=("FM1", "FM2"))
    terminal("pilot", "-n", "30")
    listed = json.loads(terminal("improve", "--json").out)
    assert [edit["state"] for edit in listed["edits"][:2]] == ["proposed", "proposed"]
    terminal("improve", "--take", "1", "--by", "Ada Larch")
    shown = terminal("improve", "--take", "2", "--by", "Ada Larch")
    assert shown.code == 3
    assert "edit 1 is taken and not tried yet" in " ".join(shown.err.lower().split())


def test_an_edit_that_no_longer_fits_is_refused(served: Any, shop: Project, terminal: Terminal) -> None:
    served(Simulated(WEAK, rule, kept=0.0))
    terminal("pilot", "-n", "30")
    terminal("improve")
    rewrite(open_project(shop.folder), GENERATION, "name it first", "say what it is")
    before = prompt(shop)
    shown = terminal("improve", "--take", "1", "--by", "Ada Larch")
    assert shown.code == 3
    assert "edit 1 does not fit prompts/generation-prompt.md any more" in " ".join(shown.err.lower().split())
    assert prompt(shop) == before


def test_a_talk_that_the_gate_fails_with_the_edit_alone_is_shown_to_the_person(
    served: Any, shop: Project, terminal: Terminal
) -> None:
    served(Simulated(WEAK, harm, harms=0.5, kept=0.0))
    terminal("pilot", "-n", "30")
    terminal("improve")
    terminal("improve", "--take", "1", "--by", "Ada Larch")
    shown = terminal("improve", "--test")
    said = words(shown)
    assert "Refused: the safety gate fails " in said
    assert "the gate fails it with the edit alone" in said
    assert "user My bowl " in said
    assert "SF3 no, twice " in said
    assert "has the text from before the edit again" in said


def test_a_person_reads_the_talks_at_a_terminal(served: Any, shop: Project, terminal: Terminal) -> None:
    """Whoever says no to all of them sees no gain; it goes on where it was left, and what is saved is saved."""
    served(Simulated(WEAK, rule, kept=0.0))
    terminal("pilot", "-n", "30")
    terminal("improve")
    terminal("improve", "--take", "1", "--by", "Ada Larch")
    assert "Kept: " in terminal("improve", "--test").out
    assert terminal("improve", "--label").code == 3
    command = [sys.executable, "-m", "finetune_prep", "improve", "--label"]
    code, shown = on_a_terminal(command, "n\nd\ny\nq\n", folder=shop.folder)
    assert code == 0, shown
    said = " ".join(shown.split())
    assert "edit-001: CP1. Does the first reply name the fault" in said
    assert "1 of 40" in said
    assert "4 of 4" in said
    path = shop.layout.runs / "edit-001" / "labels.jsonl"
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert [(row["label"], row["labeller"]["kind"], row["stage"]) for row in rows] == [
        ("fail", "person", "blind"), ("defer", "person", "blind"), ("pass", "person", "blind"),
    ]  # fmt: skip
    code, shown = on_a_terminal(command, "n\n" * 60, folder=shop.folder)
    assert code == 0, shown
    assert "Refused: for the judge, CP1 became YES in" in " ".join(shown.split())
    assert "for people, CP1 became YES in" in " ".join(shown.split())
    assert "name it first" in prompt(shop)


def answered(shop: Project, models: Simulated, terminal: Terminal, folder: Path) -> dict[str, int]:
    """Answer every request of the latest batch file, and take the answers in. Returns how many of each form there were."""
    latest = max((shop.folder / "batches").glob("*.requests.jsonl"))
    rows, forms = [], Counter[str]()
    for line in latest.read_text("utf-8").splitlines():
        asked = json.loads(line)
        request = request_of(Call(body=asked["body"], headers={}, path="", nth=1, at=0.0))
        forms[request.schema.name if request.schema else ""] += 1
        message = {"role": "assistant", "content": models.answer(request)}
        body = {"model": "larch-1", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
        rows.append(json.dumps({"custom_id": asked["custom_id"], "response": {"status_code": 200, "body": body}}))
    answers = folder / "answers.jsonl"
    answers.write_text("\n".join(rows) + "\n", "utf-8")
    assert terminal("batch", "import", str(answers)).code == 0
    return dict(forms)


def test_everything_by_batch_files(served: Any, shop: Project, terminal: Terminal, tmp_path: Path) -> None:
    """Edits in one round; then talks, verdicts and second readings of both parts. What waits is asked for once."""
    models = Simulated(WEAK, rule, kept=0.0)
    endpoint = served(models)
    terminal("pilot", "-n", "30")
    calls = len(endpoint.calls)
    waiting = terminal("improve", "--provider", "batch")
    assert waiting.code == 4
    assert "batch import ANSWERS.jsonl && finetune-prep improve --provider batch" in waiting.err
    assert "1. CP1 fails in " in words(waiting)  # the diagnoses are there, whatever the edits will be
    assert set(answered(shop, models, terminal, tmp_path)) == {"improve-edit"}
    assert "{+keep" in terminal("improve", "--provider", "batch").out
    terminal("improve", "--take", "1", "--by", "Ada Larch")
    forms = Counter[str]()
    for _ in range(9):
        shown = terminal("improve", "--test", "-n", "12", "--cycles", "1", "--provider", "batch")
        if shown.code != 4:
            break
        forms.update(answered(shop, models, terminal, tmp_path))
    assert shown.code == 0
    assert "Kept: " in shown.out
    assert forms["conversation"] == 2 * (12 + 6)  # both arms, the audit and what was seen
    assert forms["conversation"] <= forms["verdict"] <= forms["conversation"] + 4
    assert len(endpoint.calls) == calls


def test_slips(terminal: Terminal, shop: Project) -> None:
    both = terminal("improve", "--take", "1", "--test")
    assert both.code == 2
    assert "--take and --test cannot be combined" in both.err
    nothing_yet = terminal("improve", "--take", "1", "--by", "Ada Larch")
    assert nothing_yet.code == 3
    assert "nothing has been proposed yet" in nothing_yet.err.lower()
    assert terminal("improve", "--test").code == 3
    assert "No edit has been taken yet." in terminal("improve", "--history").out
