"""`evaluate`: what a person sees of it, what a script reads, what it refuses before anybody is paid."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec
import pytest

from finetune_prep.core.verdict import STEERING
from finetune_prep.ledger.protocols import Consumption
from finetune_prep.models.roles import Roles
from finetune_prep.phases.evaluating.evaluate import Wanted, named
from finetune_prep.phases.requests import Requests
from finetune_prep.project.project import Project, open_project
from finetune_prep.statistics.comparison import MARGIN
from finetune_prep.workflow.evaluating.expected import expected
from finetune_prep.workflow.looking import looked
from finetune_prep.workflow.planned_calls import Used, used
from tests.cli.evaluated import BAD, GOOD, Reply, evaluated, judged, says
from tests.cli.terminal import Shown, Terminal
from tests.cli.test_pilot import asked_of, next_of
from tests.fake_endpoint import Behaviour, Call, Completion, Status
from tests.phases.pottery_shop import accept_all, accept_one, rewrite

BOTH = ("evaluate", "--base", "before/shop-base", "--tuned", "after/shop-tuned", "-n", "8")
ALONE = ("evaluate", "--base", "before/shop-base", "-n", "8")


def words(shown: Shown) -> str:
    return " ".join(shown.out.split())


def refusal(shown: Shown) -> str:
    return " ".join(shown.err.split())


def read(shown: Shown) -> Any:
    assert shown.code == 0, shown.err
    return json.loads(shown.out)


def arm(found: Any, name: str) -> Any:
    return next(row for row in found["table"]["arms"] if row["arm"] == name)


def test_a_tuned_model_that_is_better(shop: Project, terminal: Terminal) -> None:
    with evaluated(shop) as running:
        shown = terminal(*BOTH)
        assert shown.code == 0, shown.err
        said = words(shown)
        assert said.endswith("next: finetune-prep status")
        assert "Established: the tuned model is better than the base. Have people read conversations of both" in said
        assert "passed 0% 100% 95% interval 0% to 32% 68% to 100%" in said
        assert "finished / cut off 16 / 0 16 / 0 questions answered 15.0 15.0" in said
        assert "passed, edge 0% of 1 100% of 1 passed, out-of-scope 0% of 1 100% of 1" in said
        calls, verdicts = len(running.replies), len(running.verdicts)
        found = read(terminal(*BOTH, "--json"))
        assert (len(running.replies), len(running.verdicts)) == (calls, verdicts)  # the same evaluation is free
        assert verdicts == 2 * 2 * 8
        estimated = int(said.partition("Estimate: ")[2].partition(" calls")[0])
        assert estimated == len([call for call in running.shop.calls if call.body]) + calls
    pair = found["table"]["pairs"][0]
    assert (pair["word"], pair["groups"], pair["difference"]["value"]) == ("better", 8, 1.0)
    assert {change["id"] for change in pair["questions"] if change["difference"]} >= {"CP1", "FT1"}
    folder = shop.folder / "runs" / "evaluation-001"
    assert {path.name for path in folder.iterdir()} == {
        "evaluation.json", "scenarios.jsonl", "talks.jsonl", "verdicts.base.jsonl", "verdicts.tuned.jsonl", "result.json", "report.html",
    }  # fmt: skip
    status = terminal("status")
    assert "evaluation-001: base, tuned, 8 scenarios × 2 runs – Established: the tuned model is better" in status.out
    assert re.search(r"evaluation-001 +judge", terminal("cost").out)
    rubric = shop.folder / "reference" / "evaluation-rubric.md"
    files = [str(folder / f"verdicts.{name}.jsonl") for name in ("base", "tuned")]
    assert read(terminal("compare", *files, "--rubric", str(rubric), "--json"))["word"] == "better"


def test_the_same_users_meet_both_models_and_the_judge_knows_neither(shop: Project, terminal: Terminal) -> None:
    """Openings are the same letter by letter, every run is an asking of its own, and no request names the model before a judge."""
    with evaluated(shop) as running:
        assert terminal(*BOTH, "--single").code == 0
        asked = {
            name: [call for call in calls if call.body] for name, calls in (("b", running.base.calls), ("t", running.tuned.calls))
        }
        said = {name: sorted(call.text for call in calls) for name, calls in asked.items()}
        assert said["b"] == said["t"]
        assert len(said["b"]) == 2 * len(set(said["b"])) == 16
        prompt = (shop.folder / "prompts" / "system-prompt.md").read_text("utf-8").split("\n", 2)[2].strip()
        assert {call.body["messages"][0]["content"] for calls in asked.values() for call in calls} == {prompt}
        assert {call.body["max_tokens"] for calls in asked.values() for call in calls} == {512}
        judged_words = json.dumps([call.body["messages"] for call in running.verdicts])
        assert not re.search(r"shop-base|shop-tuned|\btuned\b|before/|after/", judged_words)


def test_the_base_alone_before_there_is_a_generation_prompt(shop: Project, terminal: Terminal) -> None:
    """As soon as the judge's prompt is accepted: the brief stands in for the prompts that nobody has written."""
    with evaluated(shop, says(GOOD), accept=False) as running:
        for kind in ("generation-prompt", "user-prompt", "system-prompt"):
            shop.layout.document(kind).unlink()
        assert "Is tuning worth it at all?" not in terminal("status").out
        refused = terminal(*ALONE)
        assert refused.code == 3
        assert "The evaluation must wait" in refusal(refused)
        for kind in ("domain-frameworks", "scenario-space", "evaluation-rubric", "evaluation-prompt"):
            accept_one(open_project(shop.folder), kind)
        assert "Is tuning worth it at all? finetune-prep evaluate --base provider/model" in words(terminal("status"))
        shown = terminal(*ALONE, "-n", "12")
        assert shown.code == 0, shown.err
        assert "The base already performs well: tuning has little left to win." in words(shown)
        assert "Is tuning worth it" not in terminal("status").out
        (sent,) = {call.body["messages"][0]["content"] for call in running.replies}
        assert "hand-thrown bowls" in sent
        refused = terminal(*BOTH)
        assert refused.code == 3  # a tuned model carries the prompt of its rows
        assert "system-prompt" in refusal(refused) or "user-prompt" in refusal(refused)


@pytest.mark.parametrize(("reply", "word"), [(says(BAD), "The base leaves room"), (says(GOOD), "performs well")])
def test_the_base_alone_says_whether_tuning_is_worth_it(shop: Project, terminal: Terminal, reply: Reply, word: str) -> None:
    with evaluated(shop, reply):
        shown = terminal(*ALONE, "-n", "12")
    assert word in words(shown)
    assert "tuned" not in shown.out.partition("What this cannot tell you")[0].partition("evaluation-001")[2]


def test_what_was_asked_of_the_base_alone_serves_the_comparison(shop: Project, terminal: Terminal) -> None:
    with evaluated(shop) as running:
        assert terminal(*ALONE).code == 0
        calls, verdicts = len([call for call in running.base.calls if call.body]), len(running.verdicts)
        shown = terminal(*BOTH)
        assert shown.code == 0
        assert len([call for call in running.base.calls if call.body]) == calls
        assert len(running.verdicts) == 2 * verdicts
        estimated = int(words(shown).partition("Estimate: ")[2].partition(" calls")[0])
        assert estimated <= len(running.verdicts) - verdicts + len(running.shop.calls) + calls


def test_verdicts_on_another_model_are_no_verdicts_on_this_one(shop: Project, terminal: Terminal) -> None:
    """Once its replies are there, what is left to ask is every verdict, whatever a judge said of another model's."""
    with evaluated(shop, lists=(("shop-base", "shop-other"), ())) as running:
        assert terminal(*ALONE, "--single").code == 0
        before = len(running.verdicts)
        other = ("evaluate", "--base", "before/shop-other", "-n", "8", "--single")
        assert terminal(*other, "--no-judge").code == 0
        shown = terminal(*other)
        assert f"Estimate: {len(running.verdicts) - before} calls" in words(shown)
        assert len(running.verdicts) == 2 * before


@pytest.mark.parametrize(("again", "left"), [(16, 8), (8, 1)])
def test_a_verdict_asked_for_again_is_not_taken_for_another(again: int, left: int, shop: Project, terminal: Terminal) -> None:
    """24 answers of a judge that was hard to read, of which so many came again: of an evaluation that has not come to its end,
    something is left to ask even if each verdict was asked for once."""
    with evaluated(shop):
        assert terminal(*ALONE, "--single", "--no-judge").code == 0
        project = named(open_project(shop.folder), "before/shop-base", "")
        so_far = looked(project, used, Used())
        judged = Consumption(
            phase="evaluate", run="evaluation-001", role="judge", model="larch-1", served="", answers=24, again=again,
            input=0, cached=0, output=0, cost=0.0, unpriced=0,
        )  # fmt: skip
        so_far = msgspec.structs.replace(so_far, tokens=(*so_far.tokens, judged))
        found = expected(Requests(project, Roles(project.config)), so_far, Wanted(groups=8, margin=MARGIN, single=True))
    assert [(row.role, row.calls) for row in found.rows if row.calls] == [("judge", left)]


def test_a_base_that_loops_is_faulty_and_not_safe(shop: Project, terminal: Terminal) -> None:
    with evaluated(shop, says("I am sorry. I am sorry", finish="length")) as running:
        shown = terminal(*BOTH)
        assert shown.code == 0, shown.err
        said = words(shown)
        assert "faulty 16 of 16 0 of 16 finished / cut off 0 / 16 16 / 0" in said
        assert "passed the safety gate 0 of 0 judged 16 of 16 judged" in said
        assert (
            "16 of the 16 conversations of the base are faulty (all 16 were cut off at the token limit); they count as neither passed nor safe."
            in said
        )
        assert len(running.verdicts) == 16  # nobody is paid to judge a loop
        assert len([call for call in running.base.calls if call.body]) == 16  # and nobody asked for it again


def test_a_tuned_model_that_does_not_stop_is_told_so(shop: Project, terminal: Terminal) -> None:
    with evaluated(shop, says(GOOD), says("We send", finish="length")):
        said = words(terminal(*BOTH))
    assert "Established: the tuned model is worse than the base." in said
    assert (
        "16 of the 16 conversations of the tuned model are faulty: train the end of a turn (docs/exports.md), or raise --max-tokens."
        in said
    )


@pytest.mark.parametrize("reply", [lambda call, number: Completion(""), lambda call, number: Completion("  \n")])
def test_silence_is_faulty(shop: Project, terminal: Terminal, reply: Reply) -> None:
    with evaluated(shop, reply):
        found = read(terminal(*BOTH, "--json"))
    assert (arm(found, "base")["faulty"], arm(found, "base")["safe"]) == (16, [0, 0])


def test_what_the_provider_refuses_counts_neither_way(shop: Project, terminal: Terminal) -> None:
    """Of the tuned model's 16 talks two are refused for good: they are neither passed nor failed, and the group has its other run."""

    def reply(call: Call, number: int) -> Behaviour:
        return Status(400, error={"message": "no such thing"}) if number in (0, 5) else Completion(f"{GOOD}, number {number}.")

    with evaluated(shop, tuned=reply):
        found = read(terminal(*BOTH, "--single", "--json"))
    tuned = arm(found, "tuned")
    assert (tuned["failed"], tuned["judged"], tuned["passed"]["value"]) == (2, 14, 1.0)
    assert "The tuned model: 2 were refused by the provider; they count neither way." in found["beside"]


def test_a_verdict_that_cannot_be_read_counts_neither_way(shop: Project, terminal: Terminal) -> None:
    def judge(call: Call, questions: list[str]) -> Behaviour:
        talk = call.body["messages"][1]["content"]
        return Completion("Fine.") if GOOD in talk and "number 3." in talk else judged(call, questions)

    with evaluated(shop, judge=judge):
        found = read(terminal(*BOTH, "--single", "--json"))
    assert (arm(found, "tuned")["unjudged"], arm(found, "tuned")["judged"]) == (1, 15)


def test_retry_has_an_unreadable_verdict_asked_again(shop: Project, terminal: Terminal) -> None:
    broken = True

    def judge(call: Call, questions: list[str]) -> Behaviour:
        talk = call.body["messages"][1]["content"]
        return Completion("Fine.") if broken and GOOD in talk and "number 3." in talk else judged(call, questions)

    with evaluated(shop, judge=judge):
        found = read(terminal(*BOTH, "--single", "--json"))
        assert "finetune-prep retry unjudged" in "".join(found["beside"])
        broken = False
        again = terminal("retry", "unjudged")
        assert again.code == 0, again.err
        assert "finetune-prep evaluate --base before/shop-base --tuned after/shop-tuned -n 8" in words(again)
        shown = terminal(*BOTH, "--single", "--json")
    assert "Estimate: 1 call," in shown.err, "an evaluation that has come to its end asks what was opened"
    assert (arm(read(shown), "tuned")["unjudged"], arm(read(shown), "tuned")["judged"]) == (0, 16)


def test_a_talk_that_speaks_to_the_judge_counts_neither_way(shop: Project, terminal: Terminal) -> None:
    def judge(call: Call, questions: list[str]) -> Behaviour:
        found = judged(call, questions)
        assert isinstance(found, Completion) and found.text is not None
        if GOOD in call.text and "number 3." in call.text:
            return Completion(json.dumps(json.loads(found.text) | {STEERING: {"evidence": "answer YES", "answer": "YES"}}))
        return found

    with evaluated(shop, judge=judge):
        found = read(terminal(*BOTH, "--single", "--json"))
    assert arm(found, "tuned")["unjudged"] == 1


def test_a_new_no_at_the_gate_is_told_apart_and_comes_first(shop: Project, terminal: Terminal) -> None:
    """Passing may be better all the same; the remedy names the gate before anything else."""

    def judge(call: Call, questions: list[str]) -> Behaviour:
        worse = GOOD in call.text and "number 7." in call.text
        return judged(call, questions, **({"SF2": "NO"} if worse else {}))

    with evaluated(shop, judge=judge):
        found = read(terminal(*BOTH, "--single", "--json"))
        said = words(terminal(*BOTH, "--single"))
    assert [row["question"] for row in found["table"]["pairs"][0]["regressions"]] == ["SF2"]
    assert arm(found, "tuned")["safe"] == [15, 16]
    assert "Established: the tuned model is better" in said
    assert "Safety: the tuned model fails safety questions that the base passes: SF2 in 1 scenario." in said
    assert "First read the conversations with new safety failures: SF2 in 1 scenario." in said


def test_replies_are_counted_without_a_judge_and_judged_another_day(shop: Project, terminal: Terminal) -> None:
    """Nobody is asked for a verdict; the command that it names asks for verdicts alone."""
    looping = says("I am sorry,", finish="length")
    with evaluated(shop, looping, says(GOOD)) as running:
        shown = terminal(*BOTH, "--single", "--max-tokens", "64", "--no-judge")
        assert shown.code == 0, shown.err
        assert running.verdicts == []
        replies = len(running.replies)
        said = words(shown)
        assert "finished / cut off / empty 0 / 16 / 0 16 / 0 / 0" in said
        assert "faulty 16 of 16 0 of 16" in said
        assert "the base's to the letter – 0 of 16" in said
        assert "40 calls" in said  # 8 users and 32 replies, and no verdict
        found = read(terminal(*BOTH, "--single", "--max-tokens", "64", "--no-judge", "--json"))
        assert [(row["arm"], row["cut"], row["talks"]) for row in found["replies"]] == [("base", 16, 16), ("tuned", 0, 16)]
        step = next_of(shown)
        assert step == (
            "finetune-prep evaluate --base before/shop-base --tuned after/shop-tuned -n 8 --runs 2 --single --max-tokens 64 --margin 0.1"
        )
        found = read(terminal(*step.split()[1:], "--json"))
        assert (len(running.replies), len(running.verdicts)) == (replies, 16)
        assert arm(found, "base")["faulty"] == 16


def test_identical_replies_stop_it_before_a_judge_is_paid(shop: Project, terminal: Terminal) -> None:
    """Tuned weights that were never loaded answer as the base does (peft#793)."""
    same: Reply = lambda call, number: Completion(f"{GOOD}: {call.text}")  # noqa: E731
    with evaluated(shop, same, same) as running:
        shown = terminal(*BOTH)
        assert shown.code == 3
        assert "16 of 16 replies of base and tuned are the same to the letter" in refusal(shown)
        assert "nothing was judged" in refusal(shown)
        assert running.verdicts == []
    assert "evaluation-001: base, tuned, 8 scenarios × 2 runs – unfinished" in terminal("status").out


def test_weights_that_are_loaded_afterwards_are_asked_under_another_name(shop: Project, terminal: Terminal) -> None:
    """Replies are kept by the name of a model, so those of the wrong weights would come back; the refusal says what to do."""
    same: Reply = lambda call, number: Completion(f"{BAD}: {call.text}")  # noqa: E731
    fixed = False

    def tuned(call: Call, number: int) -> Behaviour:
        return Completion(f"{GOOD}, number {number}.") if fixed else same(call, number)

    with evaluated(shop, same, tuned, lists=(("shop-base",), ("shop-tuned", "shop-tuned-2"))) as running:
        refused = terminal(*BOTH, "--single")
        assert "serve them under another name: these replies are kept under this one" in refusal(refused)
        fixed = True
        assert terminal(*BOTH, "--single").code == 3  # the old replies, which cost nothing and prove nothing
        calls = len(running.replies)
        shown = terminal("evaluate", "--base", "before/shop-base", "--tuned", "after/shop-tuned-2", "-n", "8", "--single")
        assert "Established: the tuned model is better" in words(shown)
        assert len(running.replies) == calls + 16


def test_one_model_given_twice_is_refused(shop: Project, terminal: Terminal) -> None:
    with evaluated(shop) as running:
        shown = terminal("evaluate", "--base", "before/shop-base", "--tuned", "before/shop-base")
        assert shown.code == 2
        assert "base and tuned are the same model, shop-base, at the same address" in refusal(shown).casefold()
        assert (running.replies, running.verdicts) == ([], [])


def test_one_address_for_both_is_refused_where_the_server_answers_to_any_name(shop: Project, terminal: Terminal) -> None:
    with evaluated(shop, lists=((), ())) as running:
        shown = terminal("evaluate", "--base", "before/shop-base", "--tuned", "before/shop-tuned")
        assert shown.code == 2
        assert "have the same address" in refusal(shown)
        assert running.replies == []


def test_one_address_that_lists_both_is_two_models(shop: Project, terminal: Terminal) -> None:
    def reply(call: Call, number: int) -> Behaviour:
        return Completion(f"{GOOD if call.body['model'] == 'shop-tuned' else BAD}, number {number}.")

    with evaluated(shop, reply, lists=(("shop-base", "shop-tuned"), ())):
        shown = terminal("evaluate", "--base", "before/shop-base", "--tuned", "before/shop-tuned", "-n", "8")
    assert "Established: the tuned model is better" in words(shown)


def test_a_wrong_port_is_named_before_the_first_reply(shop: Project, terminal: Terminal) -> None:
    """llama.cpp answers to any name; its list of models says whose weights these are."""
    with evaluated(shop, lists=(("shop-base",), ("another",))) as running:
        shown = terminal(*BOTH)
        assert shown.code == 2
        assert "serves another, and not “shop-tuned”" in refusal(shown)
        assert running.replies == []
    assert not [*shop.layout.runs.glob("evaluation-*")]


def test_replies_that_name_another_model_are_not_compared(shop: Project, terminal: Terminal) -> None:
    with evaluated(shop, tuned=says(GOOD, more={"model": "shop-base"})) as running:
        shown = terminal(*BOTH)
        assert shown.code == 3
        assert "tuned was asked for as shop-tuned, and shop-base answered" in refusal(shown).casefold()
        assert running.verdicts == []


def test_a_dated_name_is_the_model(shop: Project, terminal: Terminal) -> None:
    with evaluated(shop, tuned=says(GOOD, more={"model": "shop-tuned-2026-11-01"})):
        assert terminal(*BOTH).code == 0


def test_models_that_are_sampled_differently_are_refused(shop: Project, terminal: Terminal) -> None:
    roles = '[roles.base]\nmodel = "before/shop-base"\n[roles.tuned]\nmodel = "after/shop-tuned"\ntemperature = 0.0'
    with evaluated(shop, more=roles) as running:
        shown = terminal("evaluate")
        assert shown.code == 2
        assert "base and tuned are sampled differently" in refusal(shown).casefold()
        assert running.replies == []


def test_models_may_stand_in_the_settings(shop: Project, terminal: Terminal) -> None:
    tables = "".join(
        f'[roles.{role}]\nmodel = "{model}"\ntemperature = 0.7\nmax_tokens = 64\n'
        for role, model in (("base", "before/shop-base"), ("tuned", "after/shop-tuned"))
    )
    with evaluated(shop, more=tables) as running:
        expected = read(terminal("cost", "--estimate", "evaluate", "-n", "6", "--json"))["estimate"]
        assert terminal("evaluate", "-n", "6").code == 0
        assert expected["calls"] == len([call for call in running.shop.calls if call.body]) + len(running.replies)
        assert "evaluation-001: $0.0000" in terminal("cost").out
        assert {(call.body["max_tokens"], call.body["temperature"]) for call in running.replies} == {(64, 0.7)}


def test_doctor_looks_for_evaluated_models_and_asks_them_for_no_json(shop: Project, terminal: Terminal) -> None:
    """They only talk; a base that follows no schema is no fault of the project."""
    with evaluated(shop, more='[roles.base]\nmodel = "before/shop-base"\n') as running:
        checks = json.loads(terminal("doctor", "--json").out)
        assert running.replies == []
    about = [check["about"] for check in checks]
    assert "provider before" in about
    assert not [line for line in about if "shop-base" in line and "JSON schema" in line]
    assert [line for line in about if line == "JSON schema, larch/larch-1"]


def test_without_a_base_nothing_is_evaluated(shop: Project, terminal: Terminal) -> None:
    with evaluated(shop):
        shown = terminal("evaluate")
        assert shown.code == 2
        assert "no model is named as “base”" in refusal(shown).casefold()
        assert "no model is named as “base”" in refusal(terminal("cost", "--estimate", "evaluate")).casefold()
        shown = terminal("evaluate", "--base", "shop-base")
        assert shown.code == 2
        assert "“shop-base” is not provider/model" in refusal(shown)


def test_the_long_prompt_is_left_out_where_it_does_not_fit(shop: Project, terminal: Terminal) -> None:
    """Before any call, with its reason; and the evaluation stays the same one when the server that said so is off."""
    small = {"id": "shop-base", "meta": {"n_ctx_train": 512}}
    with evaluated(shop, lists=((small,), ("shop-tuned",))) as running:
        shown = terminal(*BOTH, "--prompted")
        assert shown.code == 0, shown.err
        assert "prompted: left out, as the generation prompt and a conversation take about" in words(shown)
        assert "and the base model's context holds 512" in words(shown)
        assert len({call.body["messages"][0]["content"] for call in running.replies}) == 1
        calls = len(running.replies)
        assert terminal(*BOTH, "--prompted", "--provider", "larch").code == 0
        assert len(running.replies) == calls
    assert len([*shop.layout.runs.glob("evaluation-*")]) == 1


def test_a_context_that_nobody_knows_is_asked_for(shop: Project, terminal: Terminal) -> None:
    with evaluated(shop):
        assert "context is not known: give it with --context" in words(terminal(*BOTH, "--prompted"))


def test_the_long_prompt_is_a_third_arm_where_it_fits(shop: Project, terminal: Terminal) -> None:
    def base(call: Call, number: int) -> Behaviour:
        return Completion(f"{GOOD if len(call.body['messages'][0]['content']) > 1000 else BAD}, number {number}.")

    with evaluated(shop, base) as running:
        found = read(terminal(*BOTH, "--prompted", "--context", "32000", "--json"))
        prompts = {call.body["messages"][0]["content"] for call in running.base.calls if call.body}
    assert [row["arm"] for row in found["table"]["arms"]] == ["base", "tuned", "prompted"]
    assert {(row["first"], row["second"]): row["word"] for row in found["table"]["pairs"]} == {
        ("base", "tuned"): "better", ("base", "prompted"): "better", ("prompted", "tuned"): "not established",
    }  # fmt: skip
    assert len(prompts) == 2
    assert found["models"]["prompted"] == "before/shop-base"


def test_long_talks_have_the_same_user(shop: Project, terminal: Terminal) -> None:
    """Five exchanges: the user answers what each model said, from the same card."""
    rewrite(open_project(shop.folder), "scenario-space", "exchanges 3", "exchanges 5")
    with evaluated(shop, accept=False) as running:
        accept_all(open_project(shop.folder), waive=("few-shots.lengths",))
        assert terminal(*BOTH, "--runs", "1").code == 0
        lengths = [len(call.body["messages"]) for call in running.replies]
        cards = {
            call.text.partition("# The conversation so far")[0] for call in running.shop.calls if not asked_of(call) and call.body
        }
    assert max(lengths) == 1 + 2 * 4 + 1
    assert lengths.count(10) >= 8
    assert len(cards) >= 8


def test_the_margin_is_fixed_before_the_first_reply(shop: Project, terminal: Terminal) -> None:
    with evaluated(shop):
        assert terminal(*BOTH).code == 0
        shown = terminal(*BOTH, "--margin", "0.3")
        assert shown.code == 2
        assert "the margin of evaluation-001 was 0.1 before its first reply" in refusal(shown).casefold()


def test_another_judge_is_asked_anew_and_the_old_verdicts_are_stale(shop: Project, terminal: Terminal) -> None:
    """No verdict of the old judge is taken for one of the new (ClawBench#368)."""
    with evaluated(shop) as running:
        assert terminal(*BOTH).code == 0
        calls, verdicts = len(running.replies), len(running.verdicts)
        text = shop.layout.config.read_text("utf-8")
        shop.layout.config.write_text(
            text.replace('[roles.judge]\nmodel = "larch/larch-1"', '[roles.judge]\nmodel = "larch/maple-1"'), "utf-8"
        )
        assert "stale: the judge or its parameters have changed since" in terminal("status").out
        assert terminal(*BOTH).code == 0
        assert len(running.replies) == calls
        assert {call.body["model"] for call in running.verdicts[verdicts:]} == {"maple-1"}
        assert len(running.verdicts) == 2 * verdicts
    assert "evaluation-002: " in terminal("status").out


def test_a_changed_rubric_makes_it_stale_and_costs_verdicts_alone(shop: Project, terminal: Terminal) -> None:
    with evaluated(shop) as running:
        assert terminal(*BOTH).code == 0
        calls, verdicts = len(running.replies), len(running.verdicts)
        rewrite(open_project(shop.folder), "evaluation-rubric", "names the kiln room", "names the kiln room or its desk")
        assert "stale: the rubric has changed since" in terminal("status").out
        refused = terminal(*BOTH)
        assert refused.code == 3  # the changed rubric has to be accepted, and put into the judge's prompt
        assert "The evaluation must wait" in refusal(refused)
        accept_one(open_project(shop.folder), "evaluation-rubric")
        assert "NS1 differs from the rubric" in refusal(terminal(*BOTH))
        assert terminal("evaluation-prompt").code in (0, 3)
        accept_all(open_project(shop.folder))
        assert terminal(*BOTH).code == 0
        assert (len(running.replies), len(running.verdicts)) == (calls, 2 * verdicts)


def test_scenarios_that_rows_were_made_from_are_not_evaluated(shop: Project, terminal: Terminal) -> None:
    """extract0#1: a model was evaluated on what it was trained on. Scenarios differ, and an opening that is the same counts nowhere."""
    with evaluated(shop):
        assert terminal("pilot", "-n", "30").code == 0
        assert terminal(*BOTH, "--single", "-n", "12").code == 0
    ids = [
        json.loads(line)["scenario"] for line in (shop.layout.runs / "evaluation-001" / "talks.jsonl").read_text().splitlines()
    ]
    pilot = (shop.layout.runs / "pilot-001" / "samples.jsonl").read_text("utf-8")
    assert not [id for id in ids if id in pilot]
    seen = lambda call: Completion("My bowl came cracked, what now?")  # noqa: E731
    with evaluated(shop) as running:
        running.shop._answer = lambda call: judged(call, asked_of(call)) if asked_of(call) else seen(call)
        text = shop.layout.config.read_text("utf-8").replace("seed = 1 ", "seed = 2 ")
        shop.layout.config.write_text(text, "utf-8")
        assert terminal("pilot", "-n", "3").code in (0, 1)
        found = read(terminal(*BOTH, "--single", "--json"))
    assert arm(found, "base")["seen"] == 16
    assert "The base: 16 begin like a training row; they count neither way." in found["beside"]


@pytest.mark.parametrize("more", [(), ("--plan",)])
def test_fewer_than_six_groups_are_refused(shop: Project, terminal: Terminal, more: tuple[str, ...]) -> None:
    with evaluated(shop) as running:
        shown = terminal(*BOTH, "-n", "5", *more)
        assert shown.code == 2
        assert "5 groups are too few to tell models apart" in refusal(shown)
        assert running.replies == []


def test_the_plan_says_what_it_takes_and_asks_nobody(shop: Project, terminal: Terminal) -> None:
    shown = terminal("evaluate", "--plan", "--difference", "0.2")
    assert shown.code == 0
    assert "24 scenarios × 2 runs show a gain of " in shown.out
    found = read(terminal("evaluate", "--plan", "--difference", "0.1", "--json"))
    needed = {row["runs"]: row["groups"] for row in found["needed"]}
    assert needed[1] > needed[2] > needed[4] > 60
    assert found["measured"] is False


def by_text(wanted: int) -> Reply:
    """A model that does well where the user's words add up so; in every run of a scenario alike."""
    return lambda call, number: Completion(f"{GOOD if sum(map(ord, call.text)) % 2 == wanted else BAD}, number {number}.")


def test_the_plan_rests_on_an_evaluation_where_there_is_one(shop: Project, terminal: Terminal) -> None:
    with evaluated(shop, by_text(0), by_text(1)):
        assert terminal(*BOTH, "--single", "--runs", "1").code == 0
    found = read(terminal("evaluate", "--plan", "--json"))
    assert found["measured"] is True
    talks = [json.loads(line) for line in (shop.layout.runs / "evaluation-001" / "talks.jsonl").read_text("utf-8").splitlines()]
    base = [talk.get("passed", False) for talk in talks if talk["arm"] == "base"]
    assert found["base_rate"] == sum(base) / len(base)
    assert "(the base's in the latest evaluation)" in terminal("evaluate", "--plan").out
    assert found["next"] == "finetune-prep evaluate --base provider/model --tuned provider/model"
    named = terminal("evaluate", "--plan", "--base", "before/shop-base", "-n", "12", "--single")
    assert next_of(named) == "finetune-prep evaluate --base before/shop-base --tuned provider/model -n 12 --single"


def test_a_plan_after_a_base_that_failed_everything_says_what_it_rests_on(shop: Project, terminal: Terminal) -> None:
    with evaluated(shop, says(BAD), says(BAD)):
        assert terminal(*BOTH, "--single").code == 0
    said = words(terminal("evaluate", "--plan"))
    assert "from a pass rate of 0.00 (the base's in the latest evaluation)" in said
    assert "The spread is by convention: no evaluation has found base and tuned model to differ" in said
    assert "But the base's may be as high as 0.32 (95% interval), and from there it takes " in said


def test_a_plan_leaves_out_what_the_settings_name(shop: Project, terminal: Terminal) -> None:
    with evaluated(shop, more='[roles.base]\nmodel = "before/shop-base"'):
        assert next_of(terminal("evaluate", "--plan")) == "finetune-prep evaluate --tuned provider/model"


def test_not_established_names_the_groups_that_would_tell(shop: Project, terminal: Terminal) -> None:
    with evaluated(shop, by_text(0), by_text(1)):
        found = read(terminal(*BOTH, "--single", "--json"))
        said = words(terminal(*BOTH, "--single"))
    pair = found["table"]["pairs"][0]
    assert pair["word"] == "not established"
    if pair["more_groups"] is None:
        assert found["upshot"] == "Not established: nothing points to a difference either way."
    else:
        assert f"{pair['more_groups']} more scenario" in said
        assert f"-n {8 + pair['more_groups']} " in f"{found['next']} "


def test_answers_come_by_batch_file(shop: Project, terminal: Terminal) -> None:
    """Openings, replies of both models, further turns, verdicts: file after file, and the same table at the end."""
    accept_all(shop)
    command = ("evaluate", "--base", "batch/small-base", "--tuned", "batch/small-tuned", "-n", "6", "--runs", "1")
    rounds, counted = 0, iter(range(10_000))
    while (shown := terminal(*command)).code == 4:
        rounds += 1
        assert rounds < 12, shown.err
        assert next_of(terminal("status")).startswith(
            "finetune-prep batch import ANSWERS.jsonl, then finetune-prep evaluate --base"
        )
        answers = []
        for path in sorted((shop.folder / "batches").glob("*.jsonl")):
            for line in path.read_text("utf-8").splitlines():
                row = json.loads(line)
                body = row["body"]
                call = Call(body, {}, "", 1, 0.0)
                if asked_of(call):
                    found = judged(call, asked_of(call))
                    assert isinstance(found, Completion)
                    text = str(found.text)
                else:
                    said = {"small-base": BAD, "small-tuned": GOOD}.get(body["model"], "My bowl came cracked")
                    text = f"{said}, number {next(counted)}."
                answers.append(json.dumps({"custom_id": row["custom_id"], "content": text}))
            path.unlink()
        (shop.folder / "answers.jsonl").write_text("\n".join(answers) + "\n", "utf-8")
        assert terminal("batch", "import", str(shop.folder / "answers.jsonl")).code == 0
    assert shown.code == 0, shown.err
    assert "Established: the tuned model is better" in words(shown)
    assert rounds >= 3


def test_what_is_not_agreed_to_leaves_nothing_behind(shop: Project, terminal: Terminal) -> None:
    prices = "".join(f'[prices."{name}"]\ninput = 1.0\noutput = 4.0\n' for name in ("shop-base", "shop-tuned"))
    with evaluated(shop, more=prices) as running:
        shown = terminal(*BOTH)
        assert shown.code == 3
        assert running.replies == []
        assert not [*shop.layout.runs.glob("evaluation-*")]
        assert terminal(*BOTH, "--yes").code == 0


@pytest.mark.parametrize("more", [("--difference", "0.1"), ("--context", "4096")])
def test_an_option_that_would_do_nothing_is_refused(shop: Project, terminal: Terminal, more: tuple[str, ...]) -> None:
    with evaluated(shop) as running:
        shown = terminal(*BOTH, *more)
        assert shown.code == 2
        assert f"{more[0]} means something with" in refusal(shown)
        assert running.replies == []


def test_a_second_look_is_told(shop: Project, terminal: Terminal) -> None:
    """More scenarios after a result was seen are another chance to be wrong; the base's and tuned model's first talks cost nothing."""
    with evaluated(shop) as running:
        assert terminal(*BOTH, "--single").code == 0
        calls = len(running.replies)
        found = read(terminal(*BOTH[:-1], "16", "--single", "--json"))
        assert len(running.replies) <= 2 * calls
    assert found["run"] == "evaluation-002"
    assert any("These models were compared before (evaluation-001)." in line for line in found["beside"])


@pytest.mark.parametrize(("judge", "related"), [("shop-judge", True), ("larch-1", False)])
def test_a_judge_of_the_models_family_is_told(shop: Project, terminal: Terminal, judge: str, related: bool) -> None:
    with evaluated(shop):
        text = shop.layout.config.read_text("utf-8")
        old = '[roles.judge]\nmodel = "larch/larch-1"'
        assert old in text
        shop.layout.config.write_text(text.replace(old, f'[roles.judge]\nmodel = "larch/{judge}"'), "utf-8")
        found = read(terminal(*BOTH, "--single", "--json"))
    assert any("belongs to the same family as what it judges" in line for line in found["beside"]) is related
