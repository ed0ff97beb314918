"""A share of a pilot's conversations is judged twice: what that costs, what it says, and that it decides nothing."""

from __future__ import annotations

import json
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from finetune_prep.documents.kinds import Documents
from finetune_prep.phases.pilot.plan import planned
from finetune_prep.project.beginning.scaffold import config_text
from finetune_prep.project.project import Project, open_project
from finetune_prep.project.runs import runs
from finetune_prep.workflow.lookup import requests_of
from tests.cli.terminal import Shown, Terminal
from tests.cli.test_pilot import asked_of, verdict
from tests.fake_endpoint import Behaviour, Call, Completion, FakeEndpoint, Status
from tests.phases.pottery_shop import accept_all
from tests.whole.way import start


class Judge:
    """Answers YES, but to `flips` the second time that it reads a conversation."""

    def __init__(self, *flips: str) -> None:
        self.flips = flips
        self.seen: Counter[str] = Counter()
        self.turns = 0
        self.down = self.unreadable = False
        self.endpoint: FakeEndpoint

    def __call__(self, call: Call) -> Behaviour:
        questions = asked_of(call)
        if not questions:
            self.turns += 1
            return Completion(f"We send a new bowl today, number {self.turns}.")
        talk = str(call.body["messages"][1]["content"])
        self.seen[talk] += 1
        if self.seen[talk] == 1:
            return verdict(questions)
        if self.down or self.unreadable:
            return Status(503, {}) if self.down else Completion("Fine, I think.")
        return verdict(questions, **dict.fromkeys(self.flips, "NO"))

    def turns_planned(self, shop: Project, n: int) -> int:
        """Turns of the conversations of a pilot of this size."""
        space = open_project(shop.folder).value(Documents.space)
        return 2 * sum(scenario.exchanges for scenario in planned(space, n, 1))


@pytest.fixture
def judge(shop: Project) -> Iterator[Judge]:
    """Who plays all roles of the shop, whose documents are accepted."""
    player = Judge()
    with FakeEndpoint(player) as endpoint:
        text = config_text("pottery", "larch/larch-1", endpoint.base_url, "", year=2026)
        shop.layout.config.write_text(
            text.replace('kind = "openai-compatible"', 'kind = "openai-compatible"\ntimeout = 1', 1), "utf-8"
        )
        accept_all(open_project(shop.folder))
        player.endpoint = endpoint
        yield player


def files(shop: Project, *names: str) -> dict[str, bytes]:
    (run,) = runs(shop.layout, "pilot")
    return {name: (run.folder / name).read_bytes() for name in names or ("samples.jsonl", "verdicts.jsonl", "account.json")}


def found(shown: Shown) -> dict[str, Any]:
    summary: dict[str, Any] = json.loads(shown.out)
    return summary


def test_without_it_nothing_is_asked_twice_and_files_say_nothing_of_it(judge: Judge, shop: Project, terminal: Terminal) -> None:
    summary = found(terminal("pilot", "-n", "5", "--json"))
    assert set(judge.seen.values()) == {1}
    assert summary["figures"]["noise"] is None
    (run,) = runs(shop.layout, "pilot")
    assert b"again" not in run.verdicts_path.read_bytes()
    assert b"repeat" not in (run.folder / "plan.json").read_bytes()
    assert "udged twice" not in terminal("pilot", "-n", "5").out + run.report_path.read_text("utf-8")


def test_a_steady_and_a_flipping_question_and_no_row_changes(judge: Judge, shop: Project, terminal: Terminal) -> None:
    """Half of ten: five second verdicts, in which SF1, of the gate, is always NO. Every row stays accepted."""
    terminal("pilot", "-n", "10", "--json")
    before, asked = files(shop, "samples.jsonl", "account.json"), sum(judge.seen.values())
    judge.flips = ("SF1",)
    shown = terminal("pilot", "-n", "10", "--repeat", "50%")
    assert shown.code == 0
    assert (asked, sum(judge.seen.values())) == (10, 15), "of the first ten none is asked again"
    assert files(shop, "samples.jsonl", "account.json") == before
    noise = found(terminal("pilot", "-n", "10", "--json"))["figures"]["noise"]
    assert (noise["judge"], noise["drawn"], noise["n"]) == ("larch-1", 5, 5)
    assert (noise["decisions"]["k"], noise["to_fail"]) == (5, 5)
    words = {question["id"]: (question["word"], question["flips"]["k"]) for question in noise["questions"]}
    assert words.pop("SF1") == ("noisy", 5)
    assert set(words.values()) == {("too few to say", 0)}
    said = " ".join(shown.out.split())
    assert "Judged twice by larch-1: 5 conversations." in said
    assert "5 of 5 changed between pass and fail" in said
    assert "Only the first verdict decided anything." in said
    assert "SF1 is noisy: answered differently in 5 of 5" in said
    assert "24 more" not in said
    assert f"5 are too few to say whether {len(words)} questions are noisy; 29 without a change show that one is not." in said


def test_report_show_and_health_tell_it(judge: Judge, shop: Project, terminal: Terminal) -> None:
    terminal("pilot", "-n", "4")  # the first verdicts; both of a conversation are asked at the same time
    judge.flips = ("SF1",)
    summary = found(terminal("pilot", "-n", "4", "--repeat", "1", "--json"))
    report = (shop.folder / summary["report"]).read_text("utf-8")
    assert "Judged twice by larch-1: 4 conversations." in report
    assert "noisy, 4 of 4 answered differently the second time" in report
    assert report.count("the second time: no") == 4
    (run,) = runs(shop.layout, "pilot")
    shown = terminal("show", run.samples()[0].scenario.id)
    assert "judged twice, the second time: other answers to these" in shown.out
    assert json.loads(terminal("show", run.samples()[0].scenario.id, "--json").out)["verdict"]["again"]["answers"]["SF1"] == "no"
    health = json.loads(
        terminal("health", str(run.verdicts_path), "--rubric", str(shop.layout.document("evaluation-rubric")), "--json").out
    )
    assert health["health"]["repeats"] == 4
    assert health["noise"]["decisions"]["k"] == summary["figures"]["noise"]["decisions"]["k"] == 4
    assert [one["id"] for one in health["noise"]["questions"] if one["flips"]["k"]] == ["SF1"]
    told = terminal("health", str(run.verdicts_path), "--rubric", str(shop.layout.document("evaluation-rubric"))).out
    assert "Judged twice by larch-1: 4 conversations." in " ".join(told.split())


def test_the_setting_does_the_same_and_a_run_keeps_what_it_judged_twice(judge: Judge, shop: Project, terminal: Terminal) -> None:
    with shop.layout.config.open("a") as file:
        file.write("\n[pilot]\nrepeat = 0.2\n")
    assert found(terminal("pilot", "-n", "10", "--json"))["figures"]["noise"]["n"] == 2
    shop.layout.config.write_text(shop.layout.config.read_text("utf-8").replace("repeat = 0.2", "repeat = 0.0"), "utf-8")
    before = files(shop)
    again = found(terminal("pilot", "-n", "10", "--json"))
    assert (again["figures"]["noise"]["n"], again["run"]) == (2, "pilot-001")
    assert files(shop) == before
    assert found(terminal("pilot", "-n", "10", "--repeat", "30%", "--json"))["figures"]["noise"]["n"] == 3
    assert sum(judge.seen.values()) == 13


def test_the_estimate_counts_it_and_what_is_there_is_free(judge: Judge, shop: Project, terminal: Terminal) -> None:
    first = terminal("pilot", "-n", "10", "--repeat", "20%")
    assert judge.turns + sum(judge.seen.values()) == _estimated(first)
    assert sum(judge.seen.values()) == 12
    assert _estimated(terminal("pilot", "-n", "10")) == 0
    assert _estimated(terminal("pilot", "-n", "10", "--repeat", "50%")) == 3


def _estimated(shown: Shown) -> int:
    line = shown.out.strip().splitlines()[0]
    return 0 if line.startswith("Nothing is left to ask") else int(line.removeprefix("Estimate: ").split()[0])


def test_a_second_verdict_that_is_outstanding_holds_no_row_up(judge: Judge, shop: Project, terminal: Terminal) -> None:
    """The run ends with all its rows, says what is missing, and names the command that asks for that alone."""
    judge.down = True
    shown = terminal("pilot", "-n", "4", "--repeat", "0.5", "--json")
    summary = found(shown)
    assert (shown.code, summary["states"], summary["figures"]["noise"]["waiting"]) == (5, {"accepted": 4}, 2)
    assert summary["next"] == "finetune-prep pilot -n 4"
    judge.down, judge.flips = False, ()
    asked = judge.turns
    later = found(terminal("pilot", "-n", "4", "--json"))
    assert (later["exit_code"], later["figures"]["noise"]["n"], later["figures"]["noise"]["changed"]) == (0, 2, 0)
    assert judge.turns == asked


def test_a_second_verdict_that_cannot_be_read_is_counted_apart(judge: Judge, terminal: Terminal) -> None:
    terminal("pilot", "-n", "4", "--json")
    judge.unreadable = True
    summary = found(terminal("pilot", "-n", "4", "--repeat", "0.5", "--json"))
    noise = summary["figures"]["noise"]
    assert (summary["states"], summary["exit_code"]) == ({"accepted": 4}, 0)
    assert (noise["n"], noise["unread"], noise["same"]["value"]) == (0, 2, None)


@pytest.mark.environment
def test_killed_and_run_again_it_asks_nothing_twice_and_replays_byte_for_byte(
    judge: Judge, shop: Project, terminal: Terminal
) -> None:
    """Killed among the verdicts; only what was in flight is asked again. Then the run's folder is made anew from the ledger alone."""
    command = ("pilot", "-n", "12", "--repeat", "50%", "--window", "3")
    process = start(*command, folder=shop.folder)
    judge.endpoint.wait_for_calls(60, caller=process)
    process.send_signal(signal.SIGKILL)
    process.wait()
    asked = len(judge.endpoint.calls)
    assert found(terminal(*command, "--json"))["figures"]["noise"]["n"] == 6
    expected = judge.turns_planned(shop, 12) + 12 + 6
    assert asked < expected, "it was killed before its end"
    assert expected <= len(judge.endpoint.calls) <= expected + 3 * 2
    every = len(judge.endpoint.calls)
    made = files(shop)
    (run,) = runs(shop.layout, "pilot")
    for name in made:
        (run.folder / name).unlink()
    terminal("pilot", "-n", "12", "--window", "7")
    assert files(shop) == made
    assert len(judge.endpoint.calls) == every


def test_the_first_verdict_keeps_its_key(judge: Judge, shop: Project, terminal: Terminal) -> None:
    """What a pilot without a repeat recorded answers one with it: the second asking alone is new."""

    def keys(role: str) -> dict[str, str]:
        (run,) = runs(shop.layout, "pilot")
        found = (entry.request for sample in run.samples() for entry in requests_of(shop, sample.scenario.id))
        return {request.key: request.sample for request in found if request.role == role}

    terminal("pilot", "-n", "4")
    before = {role: keys(role) for role in ("user", "assistant", "judge")}
    assert set(before["judge"].values()) == {""}
    terminal("pilot", "-n", "4", "--repeat", "50%")
    after = {role: keys(role) for role in before}
    new = {key: sample for key, sample in after.pop("judge").items() if key not in before["judge"]}
    assert sorted(new.values()) == ["repeat", "repeat"]
    assert after == {role: asked for role, asked in before.items() if role != "judge"}


def test_a_share_that_is_none_is_refused(terminal: Terminal) -> None:
    shown = terminal("pilot", "--repeat", "10")
    assert (shown.code, "“10” is not a share: write it as 10% or 0.1" in shown.err) == (2, True)


def test_any_file_of_verdicts_can_hold_a_second_one_beside_the_first(terminal: Terminal, shop: Project, tmp_path: Path) -> None:
    path = tmp_path / "verdicts.jsonl"
    questions = [question.id for question in shop.value(Documents.rubric).questions]
    row = {"conversation_id": "c1", "judge": "J", "answers": dict.fromkeys(questions, "yes")}
    row["again"] = {"judge": "J", "answers": dict.fromkeys(questions, "yes") | {questions[0]: "no"}}
    path.write_text(json.dumps(row) + "\n", "utf-8")
    shown = terminal("health", str(path), "--rubric", str(shop.layout.document("evaluation-rubric")), "--json")
    health = json.loads(shown.out)
    assert (health["health"]["repeats"], health["noise"]["n"], health["noise"]["changed"], health["findings"]) == (1, 1, 1, [])
