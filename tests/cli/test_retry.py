"""`retry`: what ended with unusable answers is asked once more, because a person says so, and by the next run."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from finetune_prep.project.beginning.scaffold import config_text
from finetune_prep.project.project import Project, open_project
from finetune_prep.project.runs import runs
from tests.cli.terminal import Shown, Terminal
from tests.cli.test_pilot import asked_of, next_of, verdict
from tests.fake_endpoint import Behaviour, Call, Completion, FakeEndpoint, Status
from tests.phases.pottery_expert import pottery_sources
from tests.phases.pottery_shop import accept_all, have_judged, rewrite


class Server:
    """A model that can be ill and healed. judge, turn, second: what it answers while it is ill; second: in an assistant's second
    turn."""

    def __init__(self) -> None:
        self.judge: Behaviour | None = None
        self.turn: Behaviour | None = None
        self.second: Behaviour | None = None
        self.count = 0

    def __call__(self, call: Call) -> Behaviour:
        questions = asked_of(call)
        if questions:
            return self.judge or verdict(questions)
        if self.second and len(call.body["messages"]) == 4:
            return self.second
        self.count += 1
        return self.turn or Completion(f"We send a new bowl today, number {self.count}.")


@pytest.fixture
def server(shop: Project) -> Iterator[tuple[Server, FakeEndpoint]]:
    ill = Server()
    with FakeEndpoint(ill) as endpoint:
        text = config_text("pottery", "larch/larch-1", endpoint.base_url, "", year=2026)
        shop.layout.config.write_text(text, "utf-8")
        accept_all(open_project(shop.folder))
        yield ill, endpoint


def states(terminal: Terminal, n: int = 3) -> dict[str, int]:
    found: dict[str, int] = json.loads(terminal("pilot", "-n", str(n), "--json").out)["states"]
    return found


UNREADABLE = Completion('{"SF1": "I think it was fine."}')


def test_unjudged_rows_are_judged_after_a_decision(
    server: tuple[Server, FakeEndpoint], terminal: Terminal, shop: Project
) -> None:
    """The way of it: three attempts, nothing asked again; `next:` names retry, which asks nothing; the next run does; and then
    nothing is asked again."""
    ill, endpoint = server
    ill.judge = UNREADABLE
    assert states(terminal) == {"unjudged": 3}
    ill.judge = None
    shown = terminal("pilot", "-n", "3")
    assert "Nothing is left to ask." in shown.out
    assert next_of(shown) == next_of(terminal("status")) == "finetune-prep retry unjudged"
    calls = len(endpoint.calls)
    opened = terminal("retry", "unjudged")
    assert opened.code == 0
    assert "3 questions will be asked once more (3 unjudged). Nothing was asked just now." in opened.out
    assert next_of(opened) == next_of(terminal("status")) == "finetune-prep pilot -n 3"
    assert len(endpoint.calls) == calls
    decision = json.loads(shop.layout.decisions.read_text("utf-8").splitlines()[-1])
    assert (decision["decision"], len(decision["keys"])) == ("retry", 3)
    assert decision["by"]
    assert decision["at"]
    assert states(terminal) == {"accepted": 3}
    assert len(endpoint.calls) == calls + 3
    assert states(terminal) == {"accepted": 3}
    assert len(endpoint.calls) == calls + 3


def test_what_was_opened_is_estimated(server: tuple[Server, FakeEndpoint], terminal: Terminal, shop: Project) -> None:
    """One call for each that was opened, however often it was asked in vain; the others are not counted."""
    ill, endpoint = server
    ill.judge = UNREADABLE
    states(terminal)
    ill.judge = None
    first, *_ = runs(shop.layout)[0].samples()
    for words, ids in (("1 call,", [first.scenario.id]), ("2 calls,", ["unjudged"])):
        terminal("retry", *ids)
        calls = len(endpoint.calls)
        assert f"Estimate: {words}" in terminal("pilot", "-n", "3").out
        assert len(endpoint.calls) == calls + int(words[0])
    assert "Nothing is left to ask." in terminal("pilot", "-n", "3").out


def test_the_rest_of_a_conversation_is_estimated_with_the_turn_that_was_opened(
    server: tuple[Server, FakeEndpoint], terminal: Terminal, shop: Project
) -> None:
    """That turn, those behind it, and the verdict; nothing for the others, which are settled.

    An assistant who had to be asked three times for every second turn is expected to have to be asked again.
    """
    ill, endpoint = server
    ill.second = Completion("We send", finish="length")
    assert states(terminal, 6)["faulty"] > 1
    ill.second = None
    assert "Nothing is left to ask." in terminal("pilot", "-n", "6").out
    ended = [sample for sample in runs(shop.layout)[0].samples() if sample.unusable]
    for sample in ended[:2]:
        terminal("retry", sample.scenario.id)
        calls = len(endpoint.calls)
        shown = terminal("pilot", "-n", "6").out
        made = len(endpoint.calls) - calls
        assert made == 2 * (sample.scenario.exchanges - 2) + 2
        estimate = re.search(r"Estimate: (\d+) calls?,", shown)
        assert estimate is not None
        assert made <= int(estimate[1]) <= 1.5 * made


def test_the_price_of_what_was_opened_is_told(server: tuple[Server, FakeEndpoint], terminal: Terminal, shop: Project) -> None:
    ill, endpoint = server
    ill.judge = UNREADABLE
    states(terminal)
    terminal("retry")
    config = shop.layout.config.read_text("utf-8")
    shop.layout.config.write_text(f'{config}\n[prices."larch-1"]\ninput = 1\noutput = 2\n', "utf-8")
    calls = len(endpoint.calls)
    shown = terminal("pilot", "-n", "3")
    assert (shown.code, len(endpoint.calls)) == (3, calls)
    assert "Estimate: 3 calls, " in shown.out
    assert ", about $" in shown.out
    assert "more calls than the estimate foresaw" not in shown.err


@pytest.fixture
def judged_before(shop: Project) -> Iterator[tuple[Server, FakeEndpoint]]:
    """All is judged and accepted, and then another judge is named, who has seen nothing of it."""
    have_judged(shop)
    accept_all(open_project(shop.folder))
    ill = Server()
    with FakeEndpoint(ill) as endpoint:
        text = config_text("pottery", "larch/larch-1", endpoint.base_url, "", year=2026)
        shop.layout.config.write_text(text, "utf-8")
        yield ill, endpoint


def test_following_next_comes_from_unanswered_gates_to_a_pilot(
    judged_before: tuple[Server, FakeEndpoint], terminal: Terminal, shop: Project
) -> None:
    """Unasked, unusable, opened, unusable again: `status` and the refusal of `pilot` name the step that leads on."""
    ill, endpoint = judged_before
    assert refused(terminal) == next_of(terminal("status")) == "finetune-prep check --judge"
    ill.judge = Completion("no idea")
    first = terminal("check", "--judge")
    assert first.code == 1
    assert "24 answers from the judge could not be used. You can have them asked for once more" in first.out
    assert "another judge in finetune-prep.toml" in first.out
    assert next_of(first) == refused(terminal) == next_of(terminal("status")) == "finetune-prep retry unusable"
    terminal("retry", "unusable")
    assert refused(terminal) == next_of(terminal("status")) == "finetune-prep check --judge"
    again = terminal("check", "--judge")
    assert "Estimate: 24 calls" in again.out
    assert "24 questions to a judge, 0 of them answered before" in again.out
    assert (again.code, "although they were asked for again" in again.out) == (1, True)
    assert next_of(again) == next_of(terminal("status"))
    assert next_of(again).startswith("finetune-prep show ")
    assert refused(terminal).startswith("name another judge in finetune-prep.toml and ask it: finetune-prep check --judge")
    calls = len(endpoint.calls)
    assert json.loads(terminal("check", "--judge", "--json").out)["unusable"]
    assert len(endpoint.calls) == calls
    ill.judge = None
    terminal("retry", "unusable")
    have_judged(open_project(shop.folder))
    assert terminal("check", "--judge").code == 0
    assert next_of(terminal("status")) == "finetune-prep pilot -n 20"
    assert terminal("pilot", "-n", "1").code == 0


def refused(terminal: Terminal) -> str:
    """What the refusal of a pilot names; it gives each reason once."""
    shown = terminal("pilot", "-n", "3")
    assert (shown.code, "the pilot must wait" in shown.err) == (1, True)
    reasons = [line for line in shown.err.splitlines() if line.startswith("  unchecked: ")]
    assert len(reasons) == len({reason.partition("  [")[0] for reason in reasons}) <= 4
    return next(line.removeprefix("next: ").strip() for line in shown.err.splitlines() if line.startswith("next: "))


def test_accepting_names_retry_where_the_judge_was_asked_in_vain(
    server: tuple[Server, FakeEndpoint], terminal: Terminal, shop: Project
) -> None:
    ill, _ = server
    ill.judge = Completion("no idea")
    rewrite(shop, "domain-frameworks", "a fault repaired fast", "a fault repaired quickly")
    before = terminal("accept", "domain-frameworks", "--yes", "--by", "a reader")
    assert "ask the judge: finetune-prep check domain-frameworks --judge" in before.err
    assert next_of(terminal("check", "domain-frameworks", "--judge")) == "finetune-prep retry unusable"
    after = terminal("accept", "domain-frameworks", "--yes", "--by", "a reader")
    assert "asked for once more: finetune-prep retry unusable, and finetune-prep check domain-frameworks --judge" in after.err


def test_it_is_offered_once_and_then_a_person_has_to_look(server: tuple[Server, FakeEndpoint], terminal: Terminal) -> None:
    """An agent that follows `next:` does not go round in circles; a person may open a fifth attempt all the same."""
    ill, endpoint = server
    ill.judge = UNREADABLE
    states(terminal)
    terminal("retry")
    calls = len(endpoint.calls)
    assert states(terminal) == {"unjudged": 3}
    assert len(endpoint.calls) == calls + 3
    assert next_of(terminal("status")).startswith("finetune-prep show ")
    assert json.loads(terminal("retry", "--json").out)["asked_again"] == 3
    ill.judge = None
    assert states(terminal) == {"accepted": 3}


def test_twice_in_a_row_opens_nothing_twice(server: tuple[Server, FakeEndpoint], terminal: Terminal, shop: Project) -> None:
    ill, _ = server
    ill.judge = UNREADABLE
    states(terminal)
    assert json.loads(terminal("retry", "--json").out)["asked_again"] == 3
    before = shop.layout.decisions.read_bytes()
    found = json.loads(terminal("retry", "--json").out)
    assert (found["asked_again"], found["open_already"], found["next"]) == (0, 3, "finetune-prep pilot -n 3")
    assert shop.layout.decisions.read_bytes() == before


@pytest.mark.parametrize(
    ("turn", "kind", "state"),
    [
        (Completion("<think>Hm."), "unusable", "faulty"),
        (Completion("I cannot.", finish="content_filter"), "unusable", "faulty"),
        (Completion(message={"content": None, "refusal": "No."}), "unusable", "faulty"),
    ],
    ids=["garbled", "filtered", "refused"],
)
def test_rows_without_a_usable_turn(
    turn: Behaviour, kind: str, state: str, server: tuple[Server, FakeEndpoint], terminal: Terminal
) -> None:
    ill, _ = server
    ill.turn = turn
    assert states(terminal) == {state: 3}
    ill.turn = None
    assert states(terminal) == {state: 3}
    assert json.loads(terminal("retry", kind, "--json").out)["kinds"] == {kind: 3}
    assert states(terminal) == {"accepted": 3}


def test_a_request_that_was_refused_for_good(shop: Project, terminal: Terminal) -> None:
    """One of three: what a server refuses to everybody pauses the run instead."""
    refused: list[str] = []

    def answer(call: Call) -> Behaviour:
        questions, words = asked_of(call), str(call.body["messages"])
        if not questions and not refused:
            refused.append(words)
        if words in refused and not healed:
            return Status(400, error={"message": "this prompt is not for us"})
        return verdict(questions) if questions else Completion(f"We send a new bowl today, number {len(endpoint.calls)}.")

    healed: list[bool] = []
    with FakeEndpoint(answer) as endpoint:
        text = config_text("pottery", "larch/larch-1", endpoint.base_url, "", year=2026)
        shop.layout.config.write_text(text, "utf-8")
        accept_all(open_project(shop.folder))
        assert states(terminal) == {"accepted": 2, "failed": 1}
        healed.append(True)
        assert states(terminal) == {"accepted": 2, "failed": 1}
        assert json.loads(terminal("retry", "failed", "--json").out)["kinds"] == {"failed": 1}
        assert states(terminal) == {"accepted": 3}


def test_one_by_its_id(server: tuple[Server, FakeEndpoint], terminal: Terminal, shop: Project) -> None:
    """A scenario, a conversation, or the key of any attempt; the others stay as they are."""
    ill, _ = server
    ill.judge = UNREADABLE
    states(terminal)
    scenarios = [sample.scenario.id for sample in runs(shop.layout)[0].samples()]
    keys = json.loads(terminal("show", scenarios[1], "--json").out)["requests"]
    ill.judge = None
    assert json.loads(terminal("retry", scenarios[0], "--json").out)["asked_again"] == 1
    assert states(terminal) == {"accepted": 1, "unjudged": 2}
    assert json.loads(terminal("retry", keys[-1], "--json").out)["asked_again"] == 1  # the last attempt at the second verdict
    assert states(terminal) == {"accepted": 2, "unjudged": 1}
    wrong: dict[str, Shown] = {
        "nothing here has the id": terminal("retry", "zzzz"),
        "is accepted: none of its answers was unusable": terminal("retry", scenarios[0]),
        "no row, gate or phase ended with": terminal("retry", keys[0]),
        "nothing here has the id “”": terminal("retry", ""),
    }
    for words, shown in wrong.items():
        assert (shown.code, words in shown.err) == (2, True), (words, shown.err)


def test_where_nothing_ended_so_it_says_so(server: tuple[Server, FakeEndpoint], terminal: Terminal, shop: Project) -> None:
    states(terminal)
    before = shop.layout.decisions.read_bytes()
    shown = terminal("retry")
    assert (shown.code, shop.layout.decisions.read_bytes()) == (0, before)
    assert "there is nothing to ask again" in shown.out


def test_a_judged_gate_whose_answer_cannot_be_read(server: tuple[Server, FakeEndpoint], terminal: Terminal) -> None:
    """It stayed unchecked for ever; opened, the next `check --judge` asks that question alone."""
    ill, endpoint = server
    ill.judge = Completion("no idea")
    terminal("check", "--judge")
    calls = len(endpoint.calls)
    terminal("check", "--judge")
    assert len(endpoint.calls) == calls
    ill.judge = None
    found = json.loads(terminal("retry", "unusable", "--json").out)
    assert found["asked_again"] > 5
    assert found["next"] == "finetune-prep check --judge"
    terminal("check", "--judge")
    assert len(endpoint.calls) == calls + found["asked_again"]


def test_a_recording_holds_the_attempts_and_the_decision_its_effect(
    server: tuple[Server, FakeEndpoint], terminal: Terminal, shop: Project
) -> None:
    """What was exported replays to the same rows without a call, in a project that has nothing but its files."""
    ill, endpoint = server
    ill.judge = UNREADABLE
    states(terminal)
    ill.judge = None
    terminal("retry")
    assert states(terminal) == {"accepted": 3}
    rows = (shop.layout.runs / "pilot-001" / "samples.jsonl").read_bytes()
    assert terminal("ledger", "export").code == 0
    for path in (*shop.layout.private.glob("ledger*"), *shop.layout.runs.glob("*/samples.jsonl")):
        path.unlink()
    calls = len(endpoint.calls)
    assert terminal("pilot", "-n", "3", "--provider", "recording").code == 0
    assert (shop.layout.runs / "pilot-001" / "samples.jsonl").read_bytes() == rows
    assert len(endpoint.calls) == calls


def test_a_phase_that_stopped_goes_on(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """`prepare` ends with the same error, asking nothing, until a person opens what it ended with; then it asks that anew."""
    project = pottery_sources(tmp_path / "shop")
    terminal = Terminal(capsys, project)
    with FakeEndpoint(Completion("I'm sorry, I can't do that.")) as endpoint:
        text = config_text("pottery", "larch/larch-1", endpoint.base_url, "", year=2026)
        project.layout.config.write_text(text + '\n[prices."larch-1"]\ninput = 0\noutput = 0\n', "utf-8")
        first = terminal("prepare", "--yes")
        calls = len(endpoint.calls)
        assert (terminal("prepare", "--yes").code, len(endpoint.calls)) == (1, calls)
        assert first.code == 1
        assert "finetune-prep retry " in first.err
        status = terminal("status")
        assert next_of(status) == "finetune-prep retry unusable"
        assert re.search(r"! stopped: The answer .*\(what came: finetune-prep show [0-9a-f]{12}\)", " ".join(status.out.split()))
        found = json.loads(terminal("retry", "--json").out)
        assert found["asked_again"] >= 1
        assert found["next"] == next_of(terminal("status")) == "finetune-prep prepare"
        assert terminal("prepare", "--yes").code == 1
        assert len(endpoint.calls) == calls + found["asked_again"]
        shown = next_of(terminal("status"))
        assert shown.startswith("finetune-prep show ")
        last = json.loads(terminal("show", shown.split()[-1], "--json").out)
        assert last["request"]["origin"]["attempt"] == 4, "what is shown is what the message spoke of"


def test_a_phase_that_waits_for_a_batch_has_not_stopped(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Once the opened questions are in a batch file, the next step is to go on, and no longer to look at what came before."""
    project = pottery_sources(tmp_path / "shop")
    terminal = Terminal(capsys, project)
    for number in range(1, 5):
        assert terminal("prepare", "--yes").code == 4
        round_file = max(project.folder.glob("batches/round-*.requests.jsonl"))
        keys = [json.loads(line)["custom_id"] for line in round_file.read_text("utf-8").splitlines()]
        answers = "".join(json.dumps({"custom_id": key, "content": "I'm sorry."}) + "\n" for key in keys)
        (project.folder / "answers.jsonl").write_text(answers, "utf-8")
        imported = terminal("batch", "import", str(project.folder / "answers.jsonl"))
        assert next_of(imported) == "finetune-prep prepare"
        if number == 3:
            assert terminal("prepare", "--yes").code == 1
            assert json.loads(terminal("retry", "--json").out)["asked_again"] == len(keys)
    assert terminal("prepare", "--yes").code == 1
    assert next_of(terminal("status")).startswith("finetune-prep show ")


def test_by_batch_files_alone(shop: Project, terminal: Terminal) -> None:
    """Three rounds of useless answers end it; a decision opens a fourth round, which asks in the words of the first one."""
    accept_all(shop)
    asked: list[list[dict[str, Any]]] = []
    for number in range(1, 5):
        assert terminal("check", "--judge").code == 4
        files = sorted(shop.folder.glob("batches/round-*.requests.jsonl"))
        lines = [line for path in files for line in path.read_text("utf-8").splitlines()]
        known = {row["custom_id"] for rows in asked for row in rows}
        asked.append([row for row in map(json.loads, lines) if row["custom_id"] not in known])
        answers = "".join(json.dumps({"custom_id": row["custom_id"], "content": "I'm sorry."}) + "\n" for row in asked[-1])
        (shop.folder / "answers.jsonl").write_text(answers, "utf-8")
        assert terminal("batch", "import", str(shop.folder / "answers.jsonl")).code == 1  # kept, and not in the form
        if number == 3:
            assert terminal("check", "--judge").code != 4
            assert json.loads(terminal("retry", "--json").out)["asked_again"] == len(asked[0])
    assert terminal("check", "--judge").code != 4
    first, second, _, fourth = ({json.dumps(row["body"]) for row in rows} for rows in asked)
    assert fourth == first
    assert second.isdisjoint(first)
