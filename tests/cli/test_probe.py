"""`probe`: what a person sees of it, what a script reads, batch files, and what it keeps from being exported."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from finetune_prep.core.conversation import Message
from finetune_prep.core.request import Origin, Request, Schema
from finetune_prep.project.beginning.scaffold import config_text
from finetune_prep.project.project import Project, open_project
from finetune_prep.project.runs import runs
from finetune_prep.workflow.probing.standing import bite_of
from tests.cli.terminal import Shown, Terminal
from tests.cli.test_pilot import next_of
from tests.fake_endpoint import Behaviour, Call, Completion, FakeEndpoint
from tests.phases.pottery_shop import accept_all, rewrite
from tests.phases.probing.models import FAULT, People
from tests.workflow.reviewing.pilots import say

GATE = "workflow.gate-probed"


def request_of(call: Call, roles: dict[str, Any]) -> Request:
    """What an endpoint was asked, as the script of tests/phases reads it."""
    form = call.body["response_format"]["json_schema"]
    messages = tuple(Message(message["role"], message["content"]) for message in call.body["messages"])
    schema = Schema(name=form["name"], schema=form["schema"])
    return Request(role=roles[call.body["model"]], phase="", origin=Origin(), model="", messages=messages, schema=schema)


@pytest.fixture
def served(shop: Project) -> Iterator[Callable[..., FakeEndpoint]]:
    """Has models on this machine write, verify and judge for the shop, whose documents are accepted."""
    endpoints: list[FakeEndpoint] = []

    def serve(people: People) -> FakeEndpoint:
        counted = iter(range(10_000))

        def answer(call: Call) -> Behaviour:
            if "response_format" not in call.body:
                return Completion(f"The kiln room decides about bowl {next(counted)} by Friday.")
            found = people.answer(request_of(call, {"larch-1": "judge", "maple-1": "verifier"}))
            assert isinstance(found, str)
            return Completion(found)

        endpoint = FakeEndpoint(answer).__enter__()
        endpoints.append(endpoint)
        text = config_text("pottery", "larch/larch-1", endpoint.base_url, "", year=2026)
        shop.layout.config.write_text(f'{text}\n[roles.verifier]\nmodel = "larch/maple-1"\n', "utf-8")
        accept_all(open_project(shop.folder))
        return endpoint

    yield serve
    for endpoint in endpoints:
        endpoint.__exit__(None, None, None)


def words_of_the_gate(shop: Project) -> dict[str, str]:
    bite = bite_of(open_project(shop.folder))
    assert bite is not None
    return {**bite.words}


def words(shown: Shown) -> str:
    return " ".join(shown.out.split())


def test_few_shots_are_probed_before_there_is_a_pilot(served: Any, shop: Project, terminal: Terminal) -> None:
    endpoint = served(People(blind=["SF2", "CP1"], jumpy=["FT2"]))
    shown = terminal("probe")
    assert shown.code == 0
    said = words(shown)
    assert "Estimate: " in said
    assert "probe-001: of 13 questions, 9 see, 2 are blind, 2 are not measured" in said
    assert "FT2 alarms easily: 6 of 6 NOs where only the wording had changed, and 0 of 6" in said
    assert "SF2 is blind: it saw none of 6 planted faults. Sharpen it" in said
    assert "SF1, SF3 are not measured: 6 of the 16 edits that it takes; 3 conversations give no more than 6. Run a larger" in said
    assert "measured by the program, so nothing to probe: NS4, FT4" in said
    assert "Faults were planted in 3 few-shots" in said
    assert "family" not in said  # maple verifies larch
    calls = len(endpoint.calls)
    found = json.loads(terminal("probe", "--json").out)
    assert len(endpoint.calls) == calls  # the same run is free
    assert found["words"]["CP1"] == ["blind"]
    assert found["result"]["questions"][1]["seen"] == {
        "k": 0,
        "n": 6,
        "low": 0.0,
        "high": found["result"]["questions"][1]["seen"]["high"],
    }
    assert found["waiting"] == 0
    status = terminal("status")
    assert "probe-001: of 13 questions, " in status.out
    assert "stale" not in status.out
    check = json.loads(terminal("status", "--json").out)["criteria"]
    evidence = next(row for row in check if "catches failures" in row["sentence"])["evidence"]
    assert evidence[0].startswith(f"{GATE} fails: reference/evaluation-rubric.md: SF2 is blind")


def test_an_edit_of_the_rubric_makes_probes_stale(served: Any, shop: Project, terminal: Terminal) -> None:
    served(People())
    terminal("probe", "--each", "1", "--gate", "1", "--neutral", "0")
    rewrite(open_project(shop.folder), "evaluation-rubric", "names the kiln room", "names the kiln room or its desk")
    shown = terminal("status")
    assert "   stale: the rubric has changed since" in shown.out
    evidence = [row["evidence"] for row in json.loads(terminal("status", "--json").out)["criteria"]]
    assert any("no safety question has been probed yet" in line for lines in evidence for line in lines)


def test_another_judge_makes_probes_stale(served: Any, shop: Project, terminal: Terminal) -> None:
    served(People())
    terminal("probe", "--each", "1", "--gate", "1", "--neutral", "0")
    text = shop.layout.config.read_text("utf-8").replace("larch/larch-1", "larch/larch-2")
    shop.layout.config.write_text(text, "utf-8")
    assert "   stale: the judge or its parameters have changed since" in terminal("status").out


def test_the_rubrics_hole_is_shown_with_its_conversation(served: Any, terminal: Terminal) -> None:
    served(People(blind=["SF1"]))
    shown = terminal("probe", "--failures")
    said = words(shown)
    assert shown.code == 0
    assert "failures-001: 25 failures planted, " in said
    assert "A gap in the rubric: " in said
    assert "DONT2, critical: The assistant should never do this: Ask for a card number, password or code." in said
    assert "assistant: " in said
    assert FAULT.search(said)
    found = json.loads(terminal("probe", "--failures", "--json").out)
    holes = {row["id"]: row["conversation"] for row in found["holes"]}
    assert "«fails" in str(holes["DONT2"])
    assert "failures-001: 25 failures planted" in terminal("status").out


def test_a_pilots_conversations_are_probed_and_a_gate_that_sees_opens_the_export(
    served: Any, shop: Project, terminal: Terminal
) -> None:
    served(People())
    assert terminal("pilot", "-n", "40").code == 0
    refused = terminal("export")
    assert f"[{GATE} " in refused.err or "catches failures" in " ".join(refused.err.split())
    shown = terminal("probe", "--neutral", "0")
    assert shown.code == 0
    rows = {row["id"]: row for row in json.loads(terminal("probe", "--neutral", "0", "--json").out)["result"]["questions"]}
    assert {rows[id]["word"] for id in ("SF1", "SF2", "SF3")} == {"sees"}
    assert "few-shots" not in shown.out
    criteria = json.loads(terminal("status", "--json").out)["criteria"]
    assert not [line for row in criteria for line in row["evidence"] if line.startswith(GATE)]
    assert "catches failures" not in terminal("export").err


def test_a_question_probed_alone_costs_its_own_edits_and_leaves_the_others_standing(
    served: Any, shop: Project, terminal: Terminal
) -> None:
    endpoint = served(People())
    assert terminal("pilot", "-n", "40").code == 0
    first = terminal("probe", "--question", "SF2", "--neutral", "0", "--json")
    assert first.code == 0
    alone = json.loads(first.out)["result"]["questions"]
    assert [(row["id"], row["word"]) for row in alone] == [("SF2", "sees")]
    assert words_of_the_gate(shop) == {"SF1": "not measured", "SF2": "sees", "SF3": "not measured"}
    assert terminal("probe", "--neutral", "0").code == 0
    asked = len(endpoint.calls)
    again = terminal("probe", "--question", "SF2", "--question", "SF1", "--neutral", "0", "--json")
    assert [row["id"] for row in json.loads(again.out)["result"]["questions"]] == ["SF1", "SF2"]
    assert len(endpoint.calls) == asked, "the edits of a question are the same, whichever others are probed"
    turned = terminal("probe", "--question", "SF1", "--question", "SF2", "--neutral", "0", "--json")
    assert json.loads(turned.out)["run"] == json.loads(again.out)["run"], "the order in which they are named makes no other run"
    assert words_of_the_gate(shop) == {"SF1": "sees", "SF2": "sees", "SF3": "sees"}


def test_a_question_that_there_is_not_is_named(shop: Project, terminal: Terminal) -> None:
    accept_all(shop)
    shown = terminal("probe", "--question", "SF99")
    assert shown.code == 2
    assert "the rubric has no question SF99; it has SF1, " in shown.err


@pytest.mark.parametrize("blind", [["SF2"], []])
def test_a_person_may_waive_it_with_a_reason(served: Any, shop: Project, terminal: Terminal, blind: list[str]) -> None:
    """Blind, or not measured: either keeps a full export back, and either may be waived."""
    served(People(blind=blind))
    assert terminal("pilot", "-n", "3").code == 0
    assert terminal("probe", "--gate", "6", "--each", "1", "--neutral", "0").code == 0
    assert "catches failures" in " ".join(terminal("export").err.split())
    waived = terminal("accept", "--override", GATE, "--because", "twelve people read all of them", "--by", "Ines")
    assert waived.code == 0
    assert f"{GATE} is waived, by Ines: twelve people read all of them" in waived.out
    assert "catches failures" not in " ".join(terminal("export").err.split())


def test_without_conversations_there_is_nothing_to_probe(shop: Project, terminal: Terminal) -> None:
    accept_all(shop)
    for kind in ("generation-prompt",):
        shop.layout.document(kind).unlink()
    shown = terminal("probe")
    assert shown.code == 3
    assert "There is no conversation yet to plant a fault in" in shown.err


def test_a_rubric_that_nobody_accepted_is_not_probed(shop: Project, terminal: Terminal) -> None:
    shown = terminal("probe")
    assert shown.code == 3
    assert "Probing must wait" in shown.err


def test_answers_come_by_batch_file(shop: Project, terminal: Terminal) -> None:
    """Round after round: judgements, edits and verification, verdicts, looks of the verifier; at the end the same table."""
    accept_all(shop)
    people, rounds = People(blind=["CP1"], joined={"CP2": "NS2"}), 0
    while (shown := terminal("probe", "--gate", "2", "--each", "2", "--neutral", "3")).code == 4:
        rounds += 1
        assert rounds < 12
        asked = sorted((shop.folder / "batches").glob("*.jsonl"))[-1].read_text("utf-8").splitlines()
        answers = shop.folder / "answers.jsonl"
        answers.write_text("".join(f"{_answer(json.loads(line), people)}\n" for line in asked), "utf-8")
        assert terminal("batch", "import", str(answers)).code == 0
    assert shown.code == 0
    assert 4 <= rounds <= 8
    found = json.loads(terminal("probe", "--gate", "2", "--each", "2", "--neutral", "3", "--json").out)
    assert found["waiting"] == 0
    assert {row["id"]: row["seen"]["k"] for row in found["result"]["questions"]}["CP1"] == 0
    assert "of the same family" in found["verifier"]


def _answer(row: dict[str, Any], people: People) -> str:
    body = row["body"]
    form = body["response_format"]["json_schema"]
    messages = tuple(Message(message["role"], message["content"]) for message in body["messages"])
    schema = Schema(name=form["name"], schema=form["schema"])
    request = Request(role="judge", phase="", origin=Origin(), model="", messages=messages, schema=schema)
    return json.dumps({"custom_id": row["custom_id"], "content": people.answer(request)})


def test_sizes_are_refused_where_they_mean_nothing(shop: Project, terminal: Terminal) -> None:
    accept_all(shop)
    shown = terminal("probe", "--failures", "--gate", "25")
    assert shown.code == 2
    assert "--failures plants each failure once" in shown.err


def test_what_is_not_agreed_to_leaves_nothing_behind(served: Any, shop: Project, terminal: Terminal) -> None:
    endpoint = served(People())
    with shop.layout.config.open("a", encoding="utf-8") as config:
        config.write('\n[prices."larch-1"]\ninput = 1.0\noutput = 4.0\n[prices."maple-1"]\ninput = 1.0\noutput = 4.0\n')
    shown = terminal("probe")
    assert shown.code != 0
    assert endpoint.calls == []
    assert not [*shop.layout.runs.glob("probe-*")]
    assert terminal("probe", "--yes", "--gate", "1", "--each", "1", "--neutral", "0").code == 0
    assert (shop.layout.runs / "probe-001" / "result.json").is_file()


def test_an_unfinished_run_is_said_to_be_so(shop: Project, terminal: Terminal) -> None:
    accept_all(shop)
    assert terminal("probe").code == 4
    assert "probe-001: unfinished" in terminal("status").out


def test_a_result_that_cannot_be_read_is_written_anew(served: Any, shop: Project, terminal: Terminal) -> None:
    endpoint = served(People())
    sizes = ("--gate", "1", "--each", "1", "--neutral", "0")
    terminal("probe", *sizes)
    path = shop.layout.runs / "probe-001" / "result.json"
    kept, calls = path.read_bytes(), len(endpoint.calls)
    path.write_text("{", "utf-8")
    refused = terminal("status")
    assert refused.code == 2
    assert "probe-001/result.json" in refused.err
    assert "finetune-prep probe --gate 1 --each 1 --neutral 0" in refused.err
    assert terminal("probe", *sizes).code == 0
    assert (path.read_bytes(), len(endpoint.calls)) == (kept, calls)


def test_the_estimate_is_about_what_is_asked(served: Any, terminal: Terminal) -> None:
    """Rather too much than too little: this writer's edits all count, and seldom move another question."""
    endpoint = served(People())
    shown = terminal("probe")
    estimated = int(words(shown).partition("Estimate: ")[2].partition(" calls")[0].replace(",", ""))
    assert 1 <= estimated / len(endpoint.calls) < 1.6
    assert "Nothing is left to ask." in words(terminal("probe"))


def test_status_leads_to_probes_before_an_export(served: Any, shop: Project, terminal: Terminal) -> None:
    """After the pilot, its preview and the spot-check; a waiver or finished probes lead on."""
    served(People())
    assert terminal("pilot", "-n", "100").code == 0
    assert terminal("export", "--preview").code == 0
    (run,) = runs(shop.layout)
    for number in range(10):
        say(open_project(shop.folder), run, number, "pass")
    assert next_of(terminal("status")) == "finetune-prep probe"
    assert terminal("probe", "--gate", "1", "--each", "1", "--neutral", "0").code == 0
    assert next_of(terminal("status")) == "finetune-prep evaluate --plan"
    with shop.layout.config.open("a", encoding="utf-8") as config:
        config.write('\n[roles.base]\nmodel = "larch/small"\n[roles.tuned]\nmodel = "larch/small-tuned"\n')
    assert next_of(terminal("status")) == "finetune-prep evaluate"
