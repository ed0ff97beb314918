"""One talk of one arm, and its verdict. Nothing in what the user or the judge is given tells which model is talking."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from finetune_prep.conversations.faults import find_fault
from finetune_prep.core.conversation import Conversation, Message
from finetune_prep.core.evaluating.talk import Arm, ArmTalk, Ended
from finetune_prep.core.request import Origin, Problem, Request, RoleName
from finetune_prep.core.rubric import Rubric
from finetune_prep.core.sample import PASSED, judged_sample
from finetune_prep.core.scenarios.scenario import Scenario
from finetune_prep.core.verdict import Verdict
from finetune_prep.errors import NotYet, Unreachable, Unusable
from finetune_prep.phases.evaluating.held_out import opening
from finetune_prep.phases.pilot.converse import Voices, by_turns
from finetune_prep.phases.pilot.judging import judge as judged
from finetune_prep.phases.pilot.pilot import case_of
from finetune_prep.phases.session import Session

PHASE = "evaluate"
CUT: Ended = "cut at the limit"
PLAYED_BY: Mapping[Arm, RoleName] = {"base": "base", "tuned": "tuned", "prompted": "base"}


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that talks are made with, read once."""

    session: Session
    run: str
    rubric: Rubric
    evaluation_prompt: str
    voices: Mapping[Arm, Voices]
    known: tuple[str, ...]
    """Brief and facts: texts whose contacts and figures a reply may give."""
    openings: frozenset[str]
    """Of training rows."""


class Place(msgspec.Struct, frozen=True):
    """Where a talk belongs."""

    arm: Arm
    scenario: Scenario
    run: int

    def talk(self, **more: object) -> ArmTalk:
        return ArmTalk(arm=self.arm, scenario=self.scenario.id, kind=self.scenario.cell.kind, run=self.run, **more)  # type: ignore[arg-type]


class _Over(Exception):
    """A talk ends before its plan does: there is no reply that it could go on from."""

    def __init__(self, so_far: Conversation, problem: Problem, detail: str, text: str) -> None:
        super().__init__(problem)
        self.so_far = so_far
        self.problem = problem
        self.detail = detail
        self.text = text


class _Seen(Exception):
    """The opening is one of a training row."""


async def speak(stage: Stage, place: Place) -> ArmTalk:
    """The talk before any judge has seen it. Whatever happens to it is a state with a name."""
    served: list[str] = []

    async def answer(so_far: Conversation, origin: Origin) -> str:
        if origin.turn == 1 and opening(so_far) in stage.openings:
            raise _Seen
        reply = await stage.session.door.ask(reply_request(stage, place, so_far, origin))
        served.append(reply.served_model)
        if reply.problem is not None or not reply.text.strip():
            raise _Over(so_far, reply.problem or "empty", reply.detail, reply.text)
        return reply.text.strip()

    try:
        talked = await by_turns(stage.session, stage.voices[place.arm], place.scenario, stage.run, answer, phase=PHASE)
    except (NotYet, Unreachable) as error:
        return place.talk(state="waiting", fault=error.what)
    except Unusable as error:  # of the user's
        return place.talk(state="failed", fault=error.what, unusable=error.keys[0])
    except _Seen:
        return place.talk(state="seen", fault="a training row begins with the same words")
    except _Over as over:
        return msgspec.structs.replace(_ended_early(place, over), served=served[-1])
    fault = find_fault(talked, known=(*stage.known, *_brought(place.scenario)))
    return place.talk(
        state="faulty" if fault else "spoken",
        conversation=talked,
        ended="by itself",
        fault=f"{fault[0]}: {fault[1]}" if fault else "",
        served=served[-1],
    )


def reply_request(stage: Stage, place: Place, so_far: Conversation, origin: Origin) -> Request:
    """What the arm's model is asked. Each run of a scenario is an asking of its own."""
    messages = (Message("system", stage.voices[place.arm].assistant), *so_far.plain(show_gaps=True).messages)
    sample = place.scenario.id if place.run == 1 else f"{place.scenario.id}/run-{place.run}"
    return stage.session.roles.request(PLAYED_BY[place.arm], phase=PHASE, origin=origin, messages=messages, sample=sample)


def _ended_early(place: Place, over: _Over) -> ArmTalk:
    if over.problem == "rejected" or (over.problem == "malformed" and not over.text.strip()):  # the provider's doing
        return place.talk(state="failed", fault=over.detail or over.problem)
    said = over.so_far.then("assistant", over.text.strip()) if over.text.strip() else over.so_far
    if over.problem == "truncated":
        return place.talk(state="faulty", conversation=said, ended=CUT, fault=CUT)
    if over.problem == "empty":
        return place.talk(state="faulty", conversation=said, ended="without a word", fault=over.detail or "an empty reply")
    return place.talk(state="faulty", conversation=said, ended="by itself", fault=f"{over.problem}: {over.detail}")


def _brought(scenario: Scenario) -> tuple[str, ...]:
    return tuple(f"{situation.text}\n{situation.material}" for situation in scenario.situations)


async def judge(stage: Stage, place: Place, talk: ArmTalk) -> ArmTalk:
    """The talk with its verdict; one that is not ready for a judge stays as it is."""
    if talk.state != "spoken" or talk.conversation is None:
        return talk
    origin, case = Origin(about=PHASE, run=stage.run, scenario=talk.scenario), case_of(place.scenario)
    try:
        verdict = await judged(stage.session, stage.evaluation_prompt, stage.rubric, talk.conversation, origin, case, phase=PHASE)
    except (NotYet, Unreachable) as error:
        return msgspec.structs.replace(talk, state="waiting", fault=error.what)
    return _scored(talk, place.scenario, verdict, stage.rubric)


def _scored(talk: ArmTalk, scenario: Scenario, verdict: Verdict, rubric: Rubric) -> ArmTalk:
    found = verdict.score(rubric)
    if found is None or talk.conversation is None:
        return msgspec.structs.replace(talk, state="unjudged", fault=verdict.missing, unusable=verdict.unusable)
    sample = judged_sample(scenario, talk.conversation, verdict, found)
    return msgspec.structs.replace(
        talk,
        state="judged",
        passed=sample.state in PASSED,
        score=found.value,
        categories=found.categories,
        answers={question: given.answer for question, given in verdict.answers.items()},
        evidence={question: given.evidence for question, given in verdict.answers.items()},
        failed=sample.failed,
    )
