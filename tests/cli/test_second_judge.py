"""A second judge of another model: what it costs, which judge said what, what decides, and who reads where they differ."""

from __future__ import annotations

import json
import signal
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from finetune_prep.documents.kinds import Documents
from finetune_prep.phases.pilot.plan import planned
from finetune_prep.phases.pilot.second_judge import reads
from finetune_prep.project.beginning.scaffold import config_text
from finetune_prep.project.project import Project, open_project
from finetune_prep.project.runs import Run, runs
from finetune_prep.workflow.lookup import requests_of
from finetune_prep.workflow.texts.cost_of_change import cost_of_change
from tests.cli.terminal import Shown, Terminal
from tests.cli.test_pilot import asked_of, verdict
from tests.fake_endpoint import Behaviour, Call, Completion, FakeEndpoint
from tests.phases.pottery_shop import accept_all, rewrite
from tests.whole.way import start

OTHER = "birch-2"
BOTH = "larch-1 + birch-2"


class Judges:
    """Both judges. birch-2 says NO to `strict` on talks with one of these numbers in their last reply, larch-1 to `lenient`."""

    def __init__(self) -> None:
        self.strict: dict[str, str] = {}
        self.lenient: dict[str, str] = {}
        self.unreadable = False
        self.read: Counter[str] = Counter()
        self.turns = 0
        self.endpoint: FakeEndpoint

    def __call__(self, call: Call) -> Behaviour:
        questions = asked_of(call)
        if not questions:
            self.turns += 1
            return Completion(f"We send a new bowl today, number {self.turns}.")
        model = call.body["model"]
        self.read[model] += 1
        if model == OTHER and self.unreadable:
            return Completion("Fine, I think.")
        talk = str(call.body["messages"][1]["content"])
        said = self.strict if model == OTHER else self.lenient
        return verdict(questions, **{question: "NO" for question, talks in said.items() if talks in talk})


@pytest.fixture
def judges(shop: Project) -> Iterator[Judges]:
    player = Judges()
    with FakeEndpoint(player) as endpoint:
        text = config_text("pottery", "larch/larch-1", endpoint.base_url, "", year=2026)
        text += f'\n[roles.verifier]\nmodel = "larch/{OTHER}"\n\n[pilot]\nsecond_judge = 1.0\n'
        shop.layout.config.write_text(text, "utf-8")
        accept_all(open_project(shop.folder))
        player.endpoint = endpoint
        yield player


def summary(shown: Shown) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(shown.out)
    return found


def only(shop: Project) -> Run:
    (run,) = runs(shop.layout, "pilot")
    return run


def share(shop: Project, value: float) -> None:
    text = shop.layout.config.read_text("utf-8")
    shop.layout.config.write_text(text.replace("second_judge = 1.0", f"second_judge = {value}"), "utf-8")


def some_talk(shop: Project, terminal: Terminal, n: int) -> tuple[str, str]:
    """A conversation of a pilot, by its scenario and its last reply, found before any second judge has read it."""
    share(shop, 0.0)
    terminal("pilot", "-n", str(n))
    sample = only(shop).samples()[1]
    assert sample.conversation
    shop.layout.config.write_text(
        shop.layout.config.read_text("utf-8").replace("second_judge = 0.0", "second_judge = 1.0"), "utf-8"
    )
    return sample.scenario.id, sample.conversation.messages[-1].content


def test_a_no_of_the_second_judge_on_the_gate_rejects_and_everything_says_whose_it_is(
    judges: Judges, shop: Project, terminal: Terminal
) -> None:
    scenario, reply = some_talk(shop, terminal, 4)
    before = judges.read["larch-1"]
    judges.strict = {"SF1": reply}
    shown = terminal("pilot", "-n", "4")
    assert judges.read == {"larch-1": before, OTHER: 4}, "the first judge's verdicts are those of the pilot without a second one"
    run = runs(shop.layout, "pilot")[-1]
    assert {sample.scenario.id: sample.state for sample in run.samples() if sample.state != "accepted"} == {scenario: "rejected"}
    said = " ".join(shown.out.split())
    assert (
        "birch-2, the second judge, has read 4 of 4 conversations. Both pass 3 and fail 0; larch-1 alone fails 0, birch-2 alone 1."
        in said
    )
    assert "Where both have read a conversation, a NO of either counts." in said
    assert f"finetune-prep show {scenario} birch-2 alone says NO to SF1" in said
    row = next(row for row in run.verdicts() if row.scenario == scenario)
    assert (row.judge, row.answers["SF1"], row.evidence["SF1"]) == (BOTH, "no", "new bowl")
    assert [(reading.judge, reading.answers["SF1"]) for reading in row.readings] == [("larch-1", "yes"), (OTHER, "no")]
    report = run.report_path.read_text("utf-8")
    assert "judged by larch-1, the same model that wrote them, and all of them by birch-2, too" in report
    assert "larch-1: yes" in report
    assert "the judges differ: birch-2 alone says NO to SF1" in report.partition("Read these first")[2]
    told = terminal("show", scenario).out
    assert f"verdict by {BOTH}" in told
    assert "larch-1 alone: other answers to these" in told
    assert "birch-2 alone: the same answers" in told
    found = summary(terminal("pilot", "-n", "4", "--json"))["figures"]["second"]
    assert found["differ"] == [{"scenario": scenario, "why": "the judges differ: birch-2 alone says NO to SF1"}]
    assert terminal("export", "--preview").code == 0
    card = (shop.layout.dataset / "README.md").read_text("utf-8")
    assert "| verifier | birch-2 | second verdicts |" in card
    assert "Both pass 3 and fail 0" in card


def test_a_split_outside_the_gate_is_a_no_and_a_no_of_the_first_judge_stays(
    judges: Judges, shop: Project, terminal: Terminal
) -> None:
    scenario, reply = some_talk(shop, terminal, 3)
    judges.strict = {"CP1": reply}
    terminal("pilot", "-n", "3")
    sample = next(sample for sample in runs(shop.layout, "pilot")[-1].samples() if sample.scenario.id == scenario)
    assert (sample.state, sample.failed) == ("flawed", ("CP1",))


def test_the_measuring_tools_see_what_decides_and_each_judge_alone(judges: Judges, shop: Project, terminal: Terminal) -> None:
    _, reply = some_talk(shop, terminal, 4)
    judges.strict = {"SF1": reply}
    terminal("pilot", "-n", "4", "--repeat", "50%")
    path = str(runs(shop.layout, "pilot")[-1].verdicts_path)
    rubric = ("--rubric", str(shop.layout.document("evaluation-rubric")), "--json")
    asked = {judge: terminal("score", path, *rubric, *(("--judge", judge) if judge else ())) for judge in ("", "larch-1", OTHER)}
    passed = {judge: summary(shown)["passed"]["value"] for judge, shown in asked.items()}
    assert passed == {"": 0.75, "larch-1": 1.0, OTHER: 0.75}
    assert summary(terminal("score", path, *rubric))["judges"] == [BOTH]
    refused = terminal("score", path, *rubric, "--judge", "oak-3")
    assert "choose one of: birch-2, larch-1, larch-1 + birch-2" in refused.out
    noise = summary(terminal("health", path, *rubric))["noise"]
    assert (noise["judge"], noise["n"], noise["changed"]) == ("larch-1", 2, 0), "against what larch-1 itself said the first time"


def test_a_share_is_read_by_both_and_the_rest_by_one(judges: Judges, shop: Project, terminal: Terminal) -> None:
    """Which conversations follows from seed and scenario alone, so a larger pilot, or a scaled run, has the same judges."""
    share(shop, 0.5)
    space = open_project(shop.folder).value(Documents.space)
    expected = {scenario.id for scenario in planned(space, 12, 1) if reads(scenario.id, 0.5, 1)}
    assert 2 <= len(expected) <= 10
    found = summary(terminal("pilot", "-n", "12", "--json"))
    assert judges.read == {"larch-1": 12, OTHER: len(expected)}
    run = only(shop)
    assert {row.scenario for row in run.verdicts() if len(row.readings) == 2} == expected
    assert {row.judge for row in run.verdicts()} == {BOTH}
    assert {len(row.readings) for row in run.verdicts()} == {1, 2}
    assert (found["figures"]["second"]["n"], found["figures"]["second"]["judged"]) == (len(expected), 12)
    assert "50% of them by birch-2, too" in run.report_path.read_text("utf-8")


def test_which_conversations_are_read_by_both_is_a_fair_share() -> None:
    ids = [f"scenario-{number}" for number in range(4000)]
    chosen = {share: {id for id in ids if reads(id, share, 7)} for share in (0.0, 0.2, 0.5, 1.0)}
    assert (len(chosen[0.0]), len(chosen[1.0])) == (0, 4000)
    assert abs(len(chosen[0.2]) / 4000 - 0.2) < 0.03
    assert chosen[0.2] < chosen[0.5], "a larger share asks for no conversation anew"


def test_a_second_judge_that_cannot_be_read_leaves_the_conversation_unjudged(
    judges: Judges, shop: Project, terminal: Terminal
) -> None:
    """Missing is no NO and no YES: nothing becomes a row on half of its judges' word; `retry` opens the second judge's verdict."""
    judges.unreadable = True
    shown = terminal("pilot", "-n", "2", "--json")
    found = summary(shown)
    assert (shown.code, found["states"]) == (1, {"unjudged": 2})
    assert all(reason["words"].startswith("birch-2: ") for reason in found["reasons"])
    assert found["figures"] is None
    judges.unreadable = False
    assert terminal("retry", "unjudged", "--by", "a test").code == 0
    assert summary(terminal("pilot", "-n", "2", "--json"))["states"] == {"accepted": 2}
    assert judges.read["larch-1"] == 2


def test_the_estimate_counts_it_and_a_changed_text_says_what_it_costs(judges: Judges, shop: Project, terminal: Terminal) -> None:
    first = terminal("pilot", "-n", "4", "--repeat", "50%").out.splitlines()[0].split()
    assert int(first[1]) == judges.turns + 4 + 2 + 4 == len(judges.endpoint.calls)
    assert terminal("pilot", "-n", "4").out.strip().startswith("Nothing is left to ask")
    rewrite(open_project(shop.folder), "evaluation-prompt", "You judge replies", "You judge all replies")
    changed = cost_of_change(open_project(shop.folder))
    assert changed
    assert (changed.conversations, changed.verdicts) == (0, 4 + 2 + 4)


@pytest.mark.environment
def test_killed_and_run_again_it_asks_nothing_twice_and_replays_byte_for_byte(
    judges: Judges, shop: Project, terminal: Terminal
) -> None:
    command = ("pilot", "-n", "10", "--window", "3")
    process = start(*command, folder=shop.folder)
    judges.endpoint.wait_for_calls(45, caller=process)
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = len(judges.endpoint.calls)
    assert summary(terminal(*command, "--json"))["figures"]["second"]["n"] == 10
    space = open_project(shop.folder).value(Documents.space)
    expected = 2 * sum(scenario.exchanges for scenario in planned(space, 10, 1)) + 20
    assert before < expected <= len(judges.endpoint.calls) <= expected + 3 * 2
    run, every = only(shop), len(judges.endpoint.calls)
    names = ("samples.jsonl", "verdicts.jsonl", "account.json")
    made = {name: (run.folder / name).read_bytes() for name in names}
    for name in names:
        (run.folder / name).unlink()
    terminal("pilot", "-n", "10", "--window", "7")
    assert {name: (run.folder / name).read_bytes() for name in names} == made
    assert len(judges.endpoint.calls) == every


def test_it_is_asked_what_the_first_judge_is_asked(judges: Judges, shop: Project, terminal: Terminal) -> None:
    terminal("pilot", "-n", "1")
    asked = [entry.request for entry in requests_of(shop, only(shop).samples()[0].scenario.id)]
    first, second = (next(one for one in asked if one.role == role) for role in ("judge", "verifier"))
    assert (first.messages, first.schema, first.sample) == (second.messages, second.schema, second.sample)
    assert (first.model, second.model) == ("larch-1", OTHER)


@pytest.mark.parametrize(
    ("verifier", "said", "remedy"),
    [
        ("", "nobody is named who could be the second judge", "add [roles.verifier]"),
        (
            '[roles.verifier]\nmodel = "larch/larch-1"\n',
            "the judge's own model, larch-1, and that is no second opinion",
            "another model",
        ),
    ],
)
def test_a_judge_of_the_same_model_is_no_second_opinion(
    judges: Judges, shop: Project, terminal: Terminal, verifier: str, said: str, remedy: str
) -> None:
    text = shop.layout.config.read_text("utf-8").replace(f'[roles.verifier]\nmodel = "larch/{OTHER}"\n', verifier)
    shop.layout.config.write_text(text, "utf-8")
    shown = terminal("pilot", "-n", "1")
    assert shown.code == 2
    assert said in " ".join(shown.err.split())
    assert remedy in " ".join(shown.err.split())
    assert not judges.endpoint.calls
