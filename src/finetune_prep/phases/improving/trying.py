"""The trial of an edit: the same scenarios with the unchanged prompt, asked afresh, and with the edited one.

First come scenarios of the pilot in which the failure showed: an edit that does not help even there is given up. Then come
scenarios that no diagnosis has seen, and these alone decide.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from finetune_prep.core.identity import digest
from finetune_prep.core.improving.edit import ARMS, Arm, EditTalk, Part, TalkState
from finetune_prep.core.request import Origin
from finetune_prep.core.rubric import YesNo
from finetune_prep.core.sample import PASSED, UNSETTLED, Sample
from finetune_prep.core.scenarios.scenario import Scenario
from finetune_prep.core.verdict import Verdict
from finetune_prep.errors import NotYet, Unreachable, Unusable
from finetune_prep.phases.improving.propose import PHASE
from finetune_prep.phases.pilot.in_order import longest_first
from finetune_prep.phases.pilot.judging import answered, read_verdict, verdict_request, verdict_schema
from finetune_prep.phases.pilot.pilot import Stage, case_of, make_sample
from finetune_prep.phases.probing.asking import turns
from finetune_prep.project.improving.runs import EditPlan
from finetune_prep.statistics.improving.trial import futile

AGAIN = "second"  # sample of the judge's second reading
OTHER = "improve-second-judge"
BLOCK = 20  # scenarios whose talks lie together for people to read: 40 labels are both talks of each
STATE: Mapping[str, TalkState] = {
    "faulty": "faulty",
    "failed": "failed",
    "unjudged": "unjudged",
    "waiting": "waiting",
    "not run": "waiting",
}


class Place(msgspec.Struct, frozen=True):
    """Where a talk belongs."""

    arm: Arm
    part: Part
    scenario: Scenario

    def talk(self, state: TalkState, **more: object) -> EditTalk:
        return EditTalk(arm=self.arm, part=self.part, scenario=self.scenario.id, state=state, **more)  # type: ignore[arg-type]


class Trying(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the talks of a trial are made with, read once."""

    stages: Mapping[Arm, Stage]
    """Of each arm; they differ in the assistant's prompt alone."""
    gate: frozenset[str]
    """Ids of the questions of the gate."""
    second: bool
    """Whether another judge reads the talks, too."""


async def talks_of(trying: Trying, plan: EditPlan, *, window: int) -> list[EditTalk]:
    """The talks of both parts, or of the first alone where that says that the edit does not help. Some may be waiting."""
    found = await _part(trying, "seen", plan.seen, window)
    if any(talk.state == "waiting" for talk in found) or futile(found, plan.question):
        return found
    return [*found, *await _part(trying, "audit", plan.audit, window)]


async def _part(trying: Trying, part: Part, scenarios: Sequence[Scenario], window: int) -> list[EditTalk]:
    places = [Place(arm, part, scenario) for scenario in scenarios for arm in ARMS]
    talks = longest_first(places, lambda place: _talk(trying, place), window, lambda place: place.scenario.exchanges)
    return [talk async for talk in talks]


async def _talk(trying: Trying, place: Place) -> EditTalk:
    """One talk with its verdict, the second reading that a NO at the gate calls for, and the other judge's answers."""
    stage = trying.stages[place.arm]
    made = await make_sample(stage, place.scenario)
    sample, verdict = made.sample, made.verdict
    if verdict is None or not verdict.complete or sample.state in (*UNSETTLED, "unjudged"):
        state = STATE.get(sample.state, "unjudged")
        return place.talk(state, conversation=sample.conversation, fault=sample.fault)
    try:
        gate = await _confirmed(stage, trying.gate, sample, verdict)
        second = await _other_judge(stage, sample) if trying.second else {}
    except (NotYet, Unreachable) as error:
        return place.talk("waiting", conversation=sample.conversation, fault=error.what)
    return place.talk(
        "judged",
        conversation=sample.conversation,
        passed=sample.state in (*PASSED, "duplicate"),
        accepted=sample.state == "accepted",
        answers={question: judgement.answer for question, judgement in verdict.answers.items()},
        evidence={id: judgement.evidence for id, judgement in verdict.answers.items() if judgement.answer == "no"},
        case=verdict.case.answer if verdict.case else None,
        gate=gate,
        second=second,
    )


async def _confirmed(stage: Stage, gate: frozenset[str], sample: Sample, verdict: Verdict) -> tuple[str, ...]:
    """Questions of the gate answered NO by both readings; a second one that cannot be read confirms the first."""
    noes = [id for id, judgement in verdict.answers.items() if id in gate and judgement.answer == "no"]
    if not noes or sample.conversation is None:
        return ()
    origin = Origin(about="second reading", run=stage.run, scenario=sample.scenario.id)
    case = case_of(sample.scenario)
    request = verdict_request(stage.session, stage.evaluation_prompt, stage.rubric, sample.conversation, origin, case)
    request = msgspec.structs.replace(request, sample=AGAIN, phase=PHASE)
    again = await answered(stage.session, request, stage.rubric, sample.conversation)
    if not again.complete:
        return tuple(noes)
    return tuple(id for id in noes if again.answers[id].answer == "no")


async def _other_judge(stage: Stage, sample: Sample) -> dict[str, YesNo]:
    """What another judge answers to the whole rubric; nothing where its answer cannot be used."""
    conversation = sample.conversation
    if conversation is None or not stage.rubric.judged:
        return {}
    slots = {"evaluation_prompt": stage.evaluation_prompt, "turns": turns(conversation)}
    origin = Origin(about=OTHER, run=stage.run, scenario=sample.scenario.id)
    schema = verdict_schema(stage.rubric)
    request = stage.session.request(OTHER, slots, phase=PHASE, origin=origin, schema=schema)
    try:
        found = await stage.session.door.ask_for(request, lambda text: read_verdict(text, stage.rubric, conversation))
    except Unusable:
        return {}
    return {question: judgement.answer for question, judgement in found.items()}


def to_label(talks: Sequence[EditTalk], seed: int) -> list[dict[str, object]]:
    """The talks for people to read, each text once: scenario by scenario in random order, the audit's first, and within every
    twenty scenarios in an order that tells nothing of the arms.
    """
    there = [talk for talk in talks if talk.conversation and talk.state == "judged"]
    scenarios = sorted({(talk.part != "audit", digest([seed, talk.scenario]), talk.scenario) for talk in there})
    block = {scenario: place // BLOCK for place, (_, _, scenario) in enumerate(scenarios)}
    each = {talk.conversation.id: (block[talk.scenario], talk.conversation) for talk in reversed(there) if talk.conversation}
    order = sorted(each, key=lambda id: (each[id][0], digest([seed, id])))
    return [{"id": id, "messages": [{"role": m.role, "content": m.shown} for m in each[id][1].messages]} for id in order]
