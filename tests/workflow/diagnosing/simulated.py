"""Pilots of a hundred whose one fault is known: made by dice from a cause, scored by the rubric itself."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import msgspec

from finetune_prep.core.conversation import Conversation, Message
from finetune_prep.core.rubric import YesNo, accepted, score
from finetune_prep.core.sample import Sample, State, account
from finetune_prep.core.scenarios.drawing import plan
from finetune_prep.core.scenarios.scenario import Scenario
from finetune_prep.exports.talks.row import Row
from finetune_prep.statistics.probing.words import Word
from finetune_prep.statistics.rates import exact
from finetune_prep.workflow.diagnosing.diagnosis import Seen
from finetune_prep.workflow.diagnosing.fate import fates
from finetune_prep.workflow.reviewing.counting import Reviewed
from finetune_prep.workflow.status.standing import pass_rate
from tests.gates import pottery

RUBRIC = pottery.rubric()
GRAVE = RUBRIC.grave(pottery.knowledge())
GATE = ("SF1", "SF2", "SF3")
SOUND, POOR = 0.02, 0.25  # chance of a NO in a good conversation and in a poor one, beside the cause
POOR_SHARE = 0.06  # of the conversations: a model has bad days, whatever the prompt
TALK = Conversation((Message("user", "My bowl came cracked."), Message("assistant", "A cracked bowl. The kiln room decides.")))

Answers = dict[str, YesNo]
Twist = Callable[[random.Random, Scenario, bool, Answers], Answers]
"""From dice, a scenario, whether its conversation is poor, and its answers, to the answers under the cause."""


def as_they_are(dice: random.Random, scenario: Scenario, poor: bool, given: Answers) -> Answers:
    return given


def simulated(
    seed: int,
    twist: Twist = as_they_are,
    *,
    n: int = 100,
    unreadable: float = 0.0,
    unfounded: float = 0.0,
    people: Reviewed | None = None,
    probes: dict[str, Word] | None = None,
) -> Seen:
    dice = random.Random(f"project {seed}")
    rows = [_row(dice, scenario, twist, unreadable, unfounded) for scenario in plan(pottery.space(), n, seed)]
    total = account(row.sample for row in rows)
    return Seen(
        rubric=RUBRIC,
        generation=pottery.generation_prompt(),
        account=total,
        rate=pass_rate(total),
        rows=fates(RUBRIC, rows),
        people=people or Reviewed(run="pilot-001"),
        probes=probes or {},
    )


def _row(dice: random.Random, scenario: Scenario, twist: Twist, unreadable: float, unfounded: float) -> Row:
    poor = dice.random() < POOR_SHARE
    given: Answers = {}
    for question in RUBRIC.questions:
        na = bool(question.na) and dice.random() < 0.3
        given[question.id] = "na" if na else "no" if dice.random() < (POOR if poor else SOUND / 2) else "yes"
    given = twist(dice, scenario, poor, given)
    if dice.random() < unreadable:
        lost = Sample(scenario=scenario, state="unjudged", conversation=TALK, fault="does not follow the schema", unusable="k")
        return Row(sample=lost, answers=dict.fromkeys(given))
    found = score(RUBRIC, given)
    state: State = "rejected" if not found.passed else "accepted" if accepted(found, GRAVE) else "flawed"
    sample = Sample(scenario=scenario, state=state, conversation=TALK, score=found.value, failed=found.failed)
    lacking = tuple(id for id in GATE if given[id] == "no" or dice.random() < 0.5) if dice.random() < unfounded else ()
    return Row(sample=sample, answers=given, unsupported=lacking)


def asks_too_little(question: str) -> Twist:
    """The prompt leaves something out: half of the replies fail at it, whatever they are about."""

    def twist(dice: random.Random, scenario: Scenario, poor: bool, given: Answers) -> Answers:
        return given | ({question: "no"} if dice.random() < 0.5 else {})

    return twist


def wrong_way_round(question: str) -> Twist:
    """YES and NO are swapped in two of three readings, and conversations differ."""

    def twist(dice: random.Random, scenario: Scenario, poor: bool, given: Answers) -> Answers:
        bad = dice.random() < 0.35
        others: Answers = {id: "no" for id in given if bad and id not in GATE and dice.random() < 0.4}
        return given | others | {question: "yes" if bad or dice.random() < 0.35 else "no"}

    return twist


def hardly_met(question: str) -> Twist:
    """No reply can do what it asks."""

    def twist(dice: random.Random, scenario: Scenario, poor: bool, given: Answers) -> Answers:
        return given | {question: "no" if dice.random() < 0.985 else "yes"}

    return twist


def hardly_applies(question: str) -> Twist:
    def twist(dice: random.Random, scenario: Scenario, poor: bool, given: Answers) -> Answers:
        return given | ({question: "na"} if dice.random() < 0.7 else {})

    return twist


def nobody_can_help(cell: str) -> Twist:
    """The situations of a cell have no good answer: replies go wrong there in all ways."""

    def twist(dice: random.Random, scenario: Scenario, poor: bool, given: Answers) -> Answers:
        if str(scenario.cell) != cell or dice.random() < 0.15:
            return given
        return given | dict.fromkeys(dice.sample(sorted(given), 4), "no") | {dice.choice(GATE): "no"}

    return twist


def too_strict(dice: random.Random, scenario: Scenario, poor: bool, given: Answers) -> Answers:
    """The judge finds something against a third of all good replies."""
    return given | ({dice.choice(GATE): "no"} if dice.random() < 0.35 else {})


def readers(*, passed: tuple[int, int] = (0, 0), failed: tuple[int, int] = (0, 0), **more: Any) -> Reviewed:
    """What people said: of those drawn that the judge passed and failed, how many they passed and failed, too."""
    found = Reviewed(run="pilot-001", read=passed[1] + failed[1], on_passed=exact(*passed), on_failed=exact(*failed))
    return msgspec.structs.replace(found, **more)
