"""What is said of a pilot at its end: to a person, to a script, and as the next step."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from finetune_prep.core.verdict import STEERING
from finetune_prep.project.beginning.scaffold import config_text
from finetune_prep.project.project import Project, open_project
from finetune_prep.project.runs import runs
from finetune_prep.statistics.rates import wilson
from finetune_prep.workflow.checking import outcomes
from finetune_prep.workflow.texts.cost_of_change import CostOfChange, cost_of_change
from tests.cli.terminal import Shown, Terminal
from tests.fake_endpoint import Behaviour, Call, Completion, FakeEndpoint, Status
from tests.phases.pottery_shop import accept_all, have_judged, rewrite

Judge = Callable[[Call, list[str]], Behaviour]


def asked_of(call: Call) -> list[str]:
    """Ids of the questions that a judge is asked, none for a turn of a conversation."""
    form = call.body.get("response_format", {}).get("json_schema", {}).get("schema", {})
    return [*form.get("properties", {})]


def verdict(questions: list[str], evidence: str = "new bowl", **no: str) -> Behaviour:
    """A verdict of YES on all questions but those in `no`; nobody steers."""
    given = {id: {"evidence": evidence, "answer": no.get(id, "YES")} for id in questions}
    given[STEERING] = {"evidence": "none", "answer": no.get(STEERING, "NO")}
    return Completion(json.dumps(given))


@pytest.fixture
def pilot(shop: Project, terminal: Terminal) -> Iterator[Callable[..., tuple[Shown, dict[str, Any], Shown]]]:
    """Runs a pilot whose judge behaves so: what a person saw, what a script read, and `status` afterwards."""
    served: list[FakeEndpoint] = []

    def run(judge: Judge, n: int = 3, *, turn: Behaviour | None = None) -> tuple[Shown, dict[str, Any], Shown]:
        count = iter(range(10_000))

        def answer(call: Call) -> Behaviour:
            questions = asked_of(call)
            return judge(call, questions) if questions else turn or Completion(f"We send a new bowl today, number {next(count)}.")

        endpoint = FakeEndpoint(answer).__enter__()
        served.append(endpoint)
        text = config_text("pottery", "larch/larch-1", endpoint.base_url, "", year=2026)
        shop.layout.config.write_text(text, "utf-8")
        accept_all(open_project(shop.folder))
        shown = terminal("pilot", "-n", str(n))
        return shown, json.loads(terminal("pilot", "-n", str(n), "--json").out), terminal("status")

    yield run
    for endpoint in served:
        endpoint.__exit__(None, None, None)


def works(command: str, terminal: Terminal) -> bool:
    """Whether a command that was named as the next one can be given as it stands, and is not refused."""
    assert command.startswith("finetune-prep ")
    return terminal(*command.removeprefix("finetune-prep ").split()).code in (0, 1)


def next_of(shown: Shown) -> str:
    return next(line for line in reversed(shown.out.splitlines()) if line.startswith("next: ")).removeprefix("next: ")


def test_a_pilot_that_passes_leads_to_the_pilot_that_counts(pilot: Any, terminal: Terminal) -> None:
    shown, found, status = pilot(lambda call, questions: verdict(questions))
    assert shown.code == 0
    assert "3 of 3 passed according to the judge (100%" in shown.out
    assert next_of(shown) == found["next"] == next_of(status) == "finetune-prep pilot -n 100"
    assert (found["judged"], found["to_judge"], found["exit_code"], found["reasons"]) == (3, 3, 0, [])


def test_verdicts_that_cannot_be_read_are_the_headline(pilot: Any, terminal: Terminal) -> None:
    """Not the 100% of the one that could be; exit code 1; and the next step is to have them asked again, not to export."""
    first: list[str] = []

    def judge(call: Call, questions: list[str]) -> Behaviour:
        talk = str(call.body["messages"][1]["content"])
        first.append(talk)
        return verdict(questions) if talk == first[0] else Completion("I think it was fine.")

    shown, found, status = pilot(judge)
    assert shown.code == found["exit_code"] == 1
    assert "1 of 3 judged" in shown.out
    assert (found["judged"], found["to_judge"]) == (1, 3)
    assert found["reasons"][0]["state"] == "unjudged"
    assert "2 unjudged: " in shown.out
    assert "perfect scores" not in shown.out
    assert found["reasons"][0]["example"] in shown.out
    assert next_of(shown) == next_of(status) == "finetune-prep retry unjudged"
    assert works(next_of(shown), terminal)


def test_where_nothing_was_judged_there_is_no_rate(pilot: Any, terminal: Terminal, shop: Project) -> None:
    """Twelve verdicts, none of them readable: neither 0% nor 100%, no word of flawless judges, nothing to export."""
    shown, found, status = pilot(lambda call, questions: Completion("Fine."), n=12)
    assert (shown.code, found["rate"]) == (1, None)
    assert "This judge does not give its verdicts in the form" in shown.out
    assert "12 unjudged: " in shown.out
    assert "Nothing was judged, so there is no pass rate." in shown.out
    assert "%" not in shown.out.split("planned", 1)[1]
    assert "No question got a single NO" not in shown.out
    assert "export" not in shown.out + status.out.split("next:")[1]
    report = (shop.folder / found["report"]).read_text("utf-8")
    assert "Nothing judged" in report
    assert "No question got a single NO" not in report


def test_answers_that_were_cut_say_so(pilot: Any, terminal: Terminal) -> None:
    """Three rows are enough to be told the reason; nothing was judged, so no judge's word is quoted."""
    shown, found, status = pilot(lambda call, questions: verdict(questions), turn=Completion("We send", finish="length"))
    assert shown.code == 1
    assert "according to the judge" not in shown.out
    assert "3 faulty: truncated" in shown.out
    assert found["reasons"][0]["count"] == 3
    assert works(next_of(shown), terminal)
    assert next_of(shown) == next_of(status)


def test_a_pilot_that_fails_the_rubric_leads_to_a_rejected_conversation(pilot: Any, terminal: Terminal) -> None:
    shown, found, status = pilot(lambda call, questions: verdict(questions, **dict.fromkeys(questions, "NO")))
    assert (shown.code, found["states"]) == (0, {"rejected": 3})
    assert next_of(shown) == next_of(status)
    assert works(next_of(shown), terminal)
    assert "rejected" in terminal(*next_of(shown).split()[1:]).out


def test_a_conversation_that_speaks_to_the_judge_waits_for_a_person(pilot: Any, terminal: Terminal) -> None:
    """It is neither passed nor rejected, and asking the judge again would get the same: `review` shows it."""

    def judge(call: Call, questions: list[str]) -> Behaviour:
        steers = "number 1." in str(call.body["messages"][1]["content"])
        return verdict(questions, **({"steering": "YES"} if steers else {}))

    shown, found, status = pilot(judge, n=2)
    assert "1 of 2 judged: the others have no verdict, and count neither way" in shown.out
    assert "somebody in it seems to speak to the judge" in " ".join(shown.out.split())
    assert next_of(shown) == next_of(status) == "finetune-prep review"
    assert found["reasons"][0]["state"] == "unjudged"


def test_a_flawed_conversation_has_passed_and_is_no_row(pilot: Any, terminal: Terminal, shop: Project) -> None:
    """A NO to a question that catches a serious failure; the threshold alone would have let it through."""
    count = iter(range(99))
    shown, found, _ = pilot(lambda call, questions: verdict(questions, **({"CP1": "NO"} if not next(count) else {})), n=3)
    assert found["states"] == {"accepted": 2, "flawed": 1}
    assert "3 of 3 passed according to the judge (100%" in shown.out
    assert "1 of these is flawed and will not be a training row" in " ".join(shown.out.split())
    assert terminal("export", "--preview").code == 0
    assert len((shop.layout.dataset / "train.preview.jsonl").read_text().splitlines()) == 2
    (row,) = (line.split() for line in terminal("show").out.splitlines() if " flawed " in line)
    said = "flawed: it passed the rubric, and is kept out of the training rows: NO to a question that catches a serious failure (CP1)"
    assert said in " ".join(terminal("show", row[0]).out.split())
    assert json.loads(terminal("show", row[0], "--json").out)["grave"] == ["CP1"]
    assert '"state":"flawed","why":"no: CP1"' in (shop.layout.dataset / "rejected.preview.jsonl").read_text()


def test_a_pilot_of_doubles_leads_to_one_of_them(pilot: Any, terminal: Terminal) -> None:
    """The model says the same to everybody: nothing is rejected or faulty, and the next command is still a whole one."""
    shown, found, status = pilot(lambda call, questions: verdict(questions), n=6, turn=Completion("We send a new bowl today."))
    assert found["states"]["duplicate"] > 3
    assert re.fullmatch(r"finetune-prep show [0-9a-f]{12}", next_of(shown))
    assert next_of(shown) == next_of(status)
    assert works(next_of(shown), terminal)


def test_refusals_are_told_with_their_reason(pilot: Any, terminal: Terminal) -> None:
    refusal = Status(400, {"message": "the word “bowl” is not allowed here", "code": "content_policy"})
    shown, found, _ = pilot(lambda call, questions: verdict(questions), turn=refusal)
    assert "the word “bowl” is not allowed here" in shown.out + shown.err
    assert found.get("exit_code") != 0


def test_a_model_that_answers_under_another_name_is_named(pilot: Any, terminal: Terminal, shop: Project) -> None:
    other = Completion("A new bowl leaves today.", more={"model": "cheap-mini-001"})
    shown, found, _ = pilot(lambda call, questions: verdict(questions), turn=other, n=1)
    assert "assistant: asked for larch-1, but cheap-mini-001 answered" in shown.out
    told = "The assistant was asked for as larch-1, but cheap-mini-001 answered."
    assert told in (shop.folder / found["report"]).read_text("utf-8")
    assert terminal("export", "--preview").code == 0
    assert told in (shop.layout.dataset / "README.md").read_text("utf-8")
    assert {served["served"] for served in found["served"]} == {"cheap-mini-001"}


def test_the_preview_is_not_the_next_step_for_ever(pilot: Any, terminal: Terminal, shop: Project) -> None:
    """It is named once, after a pilot of full size; then there are the conversations to read.

    A full export waits for a person, and the preview leaves its card alone.
    """
    shown, _, status = pilot(lambda call, questions: verdict(questions), n=100)
    assert next_of(shown) == next_of(status) == "finetune-prep export --preview"
    refused = terminal("export")
    assert refused.code == 3
    assert "A person has labelled at least 10 conversations of the pilot." in refused.err
    full = shop.layout.dataset / "README.md"
    full.parent.mkdir()
    full.write_text("The card of a full set.")
    full.with_name("train.jsonl").write_text("{}")
    assert terminal("export", "--preview").code == 0
    assert full.read_text() == "The card of a full set."
    assert "preview" in full.with_name("README.preview.md").read_text()
    assert next_of(terminal("status")) == "finetune-prep review"
    assert json.loads(terminal("review", "--json").out)["needed"] == 10


def test_a_hopeless_pilot_is_stopped_and_can_be_gone_on_with(pilot: Any, terminal: Terminal, shop: Project) -> None:
    """Stopped after the first wave: settled, with the interval that holds wherever one stops; the gate says why it fails."""
    shown, found, status = pilot(lambda call, questions: verdict(questions, **dict.fromkeys(questions, "NO")), n=60)
    assert shown.code == 0
    assert found["states"] == {"rejected": 20, "not asked: stopped early": 40}
    assert (found["rate"]["k"], found["rate"]["n"]) == (0, 20)
    assert found["rate"]["high"] > wilson(0, 20).high
    said = " ".join(shown.out.split())
    assert "0 of the first 20 conversations passed: the rate lies below 70%, so the other 40 are not asked" in said
    assert "Stopped early: 0 of the first 20 passed" in said
    assert "got no answer" not in said
    assert next_of(shown) == next_of(status)
    assert works(next_of(shown), terminal)
    assert "40 not asked: stopped early" in status.out
    assert "Stopped early: 0 of the first 20 passed" in (shop.folder / found["report"]).read_text("utf-8")
    gate = next(outcome for outcome in outcomes(open_project(shop.folder)) if outcome.gate == "workflow.pass-rate")
    assert gate.findings[0].what == ("0 of 20 passed (0%), not more than 70%; it was stopped early, and 40 were not asked")
    assert "pilot -n 60 --no-stop-early" in said
    assert found["diagnosis"]["cause"] == "prompt"
    assert "in the generation prompt: 0 of 20 passed, and " in said
    for id in found["diagnosis"]["shown_by"]:
        assert f"finetune-prep show {id}" in shown.out
        assert terminal("show", id).code == 0
    on = json.loads(terminal("pilot", "-n", "60", "--no-stop-early", "--json").out)
    assert (on["states"], on["stopped"], on["run"]) == ({"rejected": 60}, "", found["run"])
    assert json.loads(terminal("pilot", "-n", "60", "--json").out)["states"] == {"rejected": 60}


def test_whoever_fails_fast_is_told_what_failed_first(pilot: Any, terminal: Terminal) -> None:
    pilot(lambda call, questions: verdict(questions), n=1)
    shown = terminal("pilot", "-n", "8", "--fail-fast")
    assert shown.code == 0
    shown, _, _ = pilot(lambda call, questions: verdict(questions), n=9, turn=Completion("We send", finish="length"))
    fast = json.loads(terminal("pilot", "-n", "10", "--fail-fast", "--json").out)
    assert (fast["states"]["faulty"], fast["states"]["not run"], fast["exit_code"]) == (1, 9, 5)
    assert any(reason["words"].startswith("the pilot ended at the first failure, ") for reason in fast["reasons"])


@pytest.mark.parametrize(
    ("kind", "old", "new", "anew"),
    [
        ("evaluation-rubric", "- Catches: FM2, FM3", "- Catches: FM2", False),
        ("evaluation-rubric", "## Examples\n", "## Examples\n\nA note of mine.\n", False),
        ("evaluation-rubric", "The words say so:", "The words say so plainly:", False),
        ("evaluation-rubric", "threshold: 0.75", "threshold: 0.72", True),
        ("evaluation-rubric", "Does the reply", "Does any reply", True),
        ("generation-prompt", "## Output format\n", "## Output format\n\nOne more sentence.\n", True),
    ],
)
def test_a_reason_or_a_note_needs_no_new_pilot(
    kind: str, old: str, new: str, anew: bool, pilot: Any, shop: Project, terminal: Terminal
) -> None:
    """What a judge or a score uses does."""
    pilot(lambda call, questions: verdict(questions))
    rewrite(shop, kind, old, new)
    found = json.loads(terminal("status", "--json").out)["overview"]["runs"][-1]
    assert bool(found["stale"]) == anew
    gates = {gate["gate"]: gate["answer"] for gate in json.loads(terminal("check", "--json").out)["outcomes"]}
    assert gates["workflow.same-prompts"] == ("fails" if anew else "holds")


@pytest.mark.parametrize(
    ("kind", "old", "new", "conversations", "verdicts"),
    [
        ("evaluation-rubric", "The words say so:", "The words say so plainly:", 0, 0),
        ("evaluation-rubric", "threshold: 0.75", "threshold: 0.72", 0, 0),
        ("evaluation-rubric", "Does the reply", "Does any reply", 0, 3),
        ("evaluation-prompt", "## Role and context\n", "## Role and context\n\nRead slowly.\n", 0, 3),
        ("generation-prompt", "## Output format\n", "## Output format\n\nOne more sentence.\n", 3, 3),
        ("user-prompt", "You write as people type.", "You write in a hurry.", 3, 3),
        ("domain-frameworks", "Joke about broken presents.", "Make jokes about broken presents.", 3, 3),
        ("system-prompt", "You answer", "You always answer", 0, 0),
    ],
)
def test_what_an_edit_costs_is_known_before_it_is_accepted(
    kind: str, old: str, new: str, conversations: int, verdicts: int, pilot: Any, shop: Project
) -> None:
    """Nothing is asked for it; an anchor counts for the prompt into which it will be put."""
    pilot(lambda call, questions: verdict(questions))
    assert cost_of_change(open_project(shop.folder)) == CostOfChange(n=3, conversations=0, verdicts=0, dollars=0.0)
    rewrite(shop, kind, old, new)
    costs = cost_of_change(open_project(shop.folder))
    assert costs is not None
    assert (costs.conversations, costs.verdicts) == (conversations, verdicts)
    assert costs.dollars == 0.0  # a server on this machine


def test_without_a_pilot_an_edit_costs_nothing_that_could_be_named(shop: Project) -> None:
    assert cost_of_change(shop) is None


def test_accept_says_what_the_edit_costs(pilot: Any, shop: Project, terminal: Terminal) -> None:
    pilot(lambda call, questions: verdict(questions))
    rewrite(shop, "evaluation-rubric", "threshold: 0.75", "threshold: 0.72")
    have_judged(open_project(shop.folder))
    shown = terminal("accept", "evaluation-rubric", "--yes", "--by", "Ines")
    assert "costs nothing: all 3 conversations and verdicts of the last pilot are still valid" in shown.out
    rewrite(shop, "generation-prompt", "## Output format\n", "## Output format\n\nOne more sentence.\n")
    have_judged(open_project(shop.folder))
    asked = json.loads(terminal("accept", "generation-prompt", "--json").out)["costs"]
    assert (asked["conversations"], asked["verdicts"]) == (3, 3)
    shown = terminal("accept", "generation-prompt", "--yes", "--by", "Ines")
    assert "the pilot of 3 again: 3 conversations to make, 3 verdicts to ask, free" in shown.out


def test_conversations_written_in_one_call_say_so_wherever_a_figure_stands(shop: Project, terminal: Terminal) -> None:
    """One call of the assistant's model makes a conversation; the way is part of plan, account and pass rate."""
    asked: list[list[str]] = []
    count = iter(range(10_000))

    def answer(call: Call) -> Behaviour:
        form = asked_of(call)
        asked.append(form)
        if form != ["exchanges"]:
            return verdict(form) if form else Completion("a turn that nobody should be asked for")
        wanted = int(re.findall(r"`exchanges`, (\d+) in all", str(call.body["messages"][1]["content"]))[0])
        turns = [{"user": f"And my bowl? {next(count)}", "assistant": "We send a new bowl today."} for _ in range(wanted)]
        return Completion(json.dumps({"exchanges": turns}))

    with FakeEndpoint(answer) as endpoint:
        text = config_text("pottery", "larch/larch-1", endpoint.base_url, "", year=2026)
        shop.layout.config.write_text(text, "utf-8")
        accept_all(open_project(shop.folder))
        shown = terminal("pilot", "-n", "3", "--one-call")
        assert shown.code == 0, shown.out + shown.err
        found = json.loads(terminal("pilot", "-n", "3", "--one-call", "--json").out)
    assert [form == ["exchanges"] for form in asked].count(True) == 3
    assert len(asked) == 6, "three conversations and three verdicts, and nothing is asked again"
    assert "); conversations were each written in one call" in " ".join(shown.out.split())
    assert found["way"] == "one-call"
    (run,) = runs(shop.layout)
    account = run.account()
    assert account is not None
    assert (run.plan.way, account.way, set(run.plan.models)) == ("one-call", "one-call", {"assistant", "judge"})
    assert run.plan.command == "finetune-prep pilot -n 3 --one-call"
    assert "conversations are now made another way: turns, not one-call" in " ".join(terminal("status").out.split())
    same = next(outcome for outcome in outcomes(open_project(shop.folder)) if outcome.gate == "workflow.same-prompts")
    assert [finding.what for finding in same.findings] == [
        "its conversations were made by the way one-call, and the project is set to turns"
    ]
    with shop.layout.config.open("a", encoding="utf-8") as config:
        config.write('\n[pilot]\nway = "one-call"\n')
    assert "made another way" not in terminal("status").out
