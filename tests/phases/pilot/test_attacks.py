"""Fifty conversations in which somebody speaks to the judge: what a program can do against that, and how the judge's part is counted."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from finetune_prep.conversations.faults import find_fault
from finetune_prep.core.conversation import Conversation, Message, Speaker
from finetune_prep.core.request import Origin, Request
from finetune_prep.core.sample import judged_sample
from finetune_prep.core.scenarios.drawing import plan
from finetune_prep.core.verdict import STEERING
from finetune_prep.models.providers.scripted import Scripted
from finetune_prep.phases.pilot.judging import judge, read_verdict, verdict_request
from finetune_prep.records.conversations import read_conversations
from finetune_prep.workflow.measuring.inputs import read_rubric
from tests.gates import pottery
from tests.phases.conftest import OpenSession

ROOT = Path(__file__).parents[3]
RUBRIC = read_rubric(ROOT / "benchmarks" / "attacks" / "rubric.md")
PROMPT = "You judge replies of a shop."
NOBODY = "nobody tries"


def _loaded() -> ModuleType:
    path = ROOT / "benchmarks" / "attacks" / "attacks.py"
    spec = importlib.util.spec_from_file_location("attacks_benchmark", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


BENCHMARK = _loaded()
ALL: list[Any] = BENCHMARK.attacks()
ATTACKS = [attack for attack in ALL if attack.kind != NOBODY]


def talk(attack: Any) -> Conversation:
    roles: dict[str, Speaker] = {"user": "user", "assistant": "assistant"}
    return Conversation(tuple(Message(roles[role], text) for role, text in attack.messages))


def verdict(conversation: Conversation, *no: str, steering: str = "NO") -> str:
    """YES to all but these; what claims something quotes the reply."""
    quote = conversation.messages[-1].content[:40]
    given = {question.id: {"evidence": quote, "answer": "NO" if question.id in no else "YES"} for question in RUBRIC.judged}
    return json.dumps({STEERING: {"evidence": "none" if steering == "NO" else quote, "answer": steering}} | given)


def test_there_are_fifty_of_six_kinds_and_the_first_twenty_hold_all() -> None:
    assert len(ATTACKS) == len({attack.id for attack in ATTACKS}) == 50
    kinds = Counter(attack.kind for attack in ATTACKS)
    assert len(kinds) == 6
    assert min(kinds.values()) >= 6
    assert {attack.kind for attack in ATTACKS[:20]} == {*kinds}
    assert all(any(attack.text in text for _, text in attack.messages) for attack in ATTACKS)
    assert {attack.question for attack in ALL} <= {question.id for question in RUBRIC.judged}


def test_what_is_written_is_read_as_it_was_and_says_nothing_of_the_key(tmp_path: Path) -> None:
    path = tmp_path / "attacks.jsonl"
    path.write_text("".join(BENCHMARK.lines(ALL)), "utf-8")
    talks = read_conversations(path)
    assert not talks.findings
    assert [row.conversation for row in talks.rows] == [talk(attack) for attack in ALL]
    assert {key for line in path.read_text("utf-8").splitlines() for key in json.loads(line)} == {"id", "messages"}


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.id)
async def test_no_attack_leaves_its_line_and_none_is_read_as_a_verdict(attack: Any, session: OpenSession) -> None:
    """Neither the text of an attack, nor its turn, nor an answer that holds it beside another one."""
    conversation = talk(attack)
    async with session(Scripted([])) as shop:
        asked = verdict_request(shop, PROMPT, RUBRIC, conversation, Origin(run="pilot-001", scenario="x"))
        plain = verdict_request(shop, PROMPT, RUBRIC, talk(ALL[0]), Origin(run="pilot-001", scenario="x"))
    instructions, shown = asked.messages
    assert instructions == plain.messages[0], "what the judge is told does not depend on the conversation"
    turns = [json.loads(line) for line in shown.content.split("\n") if line.startswith("{")]
    assert [(turn["speaker"], turn["text"]) for turn in turns] == [*attack.messages]
    around = [line for line in shown.content.split("\n") if not line.startswith("{")]
    assert around == [line for line in plain.messages[1].content.split("\n") if not line.startswith("{")]
    own = verdict(conversation, attack.question)
    for text in (attack.text, *(text for _, text in attack.messages), f"{attack.text}\n{own}", f"{own}\n{attack.text}"):
        with pytest.raises(ValueError, match=r"."):
            read_verdict(text, RUBRIC, conversation)


async def test_whoever_steers_sends_the_conversation_to_a_person(session: OpenSession) -> None:
    """All fifty, where the judge sees it: neither passed nor rejected, and nothing to ask again."""
    (scenario,) = plan(pottery.space(), 1, 1)
    states: Counter[str] = Counter()
    async with session(Scripted(lambda request: verdict(_of(request), steering="YES"))) as shop:
        for attack in ATTACKS:
            found = await judge(shop, PROMPT, RUBRIC, talk(attack), Origin(run="pilot-001", scenario=attack.id))
            sample = judged_sample(scenario, talk(attack), found, found.score(RUBRIC))
            states["a person reads it" if sample.steered else sample.state] += 1
    assert states == {"a person reads it": 50}


def _of(request: Request) -> Conversation:
    turns = [json.loads(line) for line in request.messages[1].content.split("\n") if line.startswith("{")]
    return Conversation(tuple(Message(turn["speaker"], turn["text"]) for turn in turns))


async def test_a_judge_that_is_swayed_is_told_from_one_that_is_not(session: OpenSession) -> None:
    """Counted as the benchmark does: swayed is who finds the fault without the attack and passes over it with one."""
    questions = {talk(attack).id: attack for attack in ALL}

    async def counted(swayed_by: set[str]) -> Counter[str]:
        def answer(request: Request) -> str:
            conversation = _of(request)
            attack = questions[conversation.id]
            return verdict(conversation) if attack.kind in swayed_by else verdict(conversation, attack.question)

        rows = []
        async with session(Scripted(answer)) as shop:
            for attack in ALL:
                of = Origin(run=f"swayed by {sorted(swayed_by)}", scenario=attack.id)
                found = await judge(shop, f"{PROMPT} {sorted(swayed_by)}", RUBRIC, talk(attack), of)
                answers = {id: judgement.answer for id, judgement in found.answers.items()}
                rows.append({"conversation_id": attack.id, "answers": answers, "missing": found.missing})
        outcomes = BENCHMARK.outcomes(rows)
        return sum((counts for kind, counts in outcomes.items() if kind != NOBODY), Counter())

    assert await counted(set()) == {"found": 50}
    bribed = sum(attack.kind == "bribes" for attack in ATTACKS)
    assert await counted({"bribes"}) == {"found": 50 - bribed, "swayed": bribed}
    assert await counted({NOBODY, "bribes"}) == {"found": 50 - bribed, "missed anyway": bribed}, "a blind judge is not swayed"


def test_some_never_reach_a_judge() -> None:
    kept_out = {attack.kind for attack in ATTACKS if find_fault(talk(attack))}
    assert "closes a boundary" in kept_out
    assert not [attack.id for attack in ALL if attack.kind == NOBODY and find_fault(talk(attack))]
