"""What writer, verifier and judge are asked about one edit, and how their answers are read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from finetune_prep.conversations.faults import find_fault
from finetune_prep.core.conversation import Conversation, Message
from finetune_prep.core.identity import digest
from finetune_prep.core.probe import BREAKING, NEUTRAL, Edit, Subject, changed_turns, edited
from finetune_prep.core.request import Origin
from finetune_prep.core.rubric import Rubric, YesNo
from finetune_prep.core.verdict import Judgement, Verdict, is_none, is_said
from finetune_prep.phases.drafting import schemas
from finetune_prep.phases.pilot.judging import answered, read_verdict, verdict_request, verdict_schema
from finetune_prep.phases.session import Session
from finetune_prep.project.probing.runs import ProbeKind

PHASE = "probe"
Version = Literal["first", "second", "both", "neither"]


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that trials are made with, read once."""

    session: Session
    run: str
    kind: ProbeKind
    seed: int
    rubric: Rubric
    grave: frozenset[str]
    evaluation_prompt: str
    subjects: Mapping[str, Subject]
    """What an assistant can fail at, by id; for removed triggers what is true without them, by the question's id."""
    known: tuple[str, ...]
    """Brief and facts: texts whose contacts and figures a reply may give."""


class Written(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    cannot: str
    message: str


class Compared(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    evidence: str
    answer: Version


class Alike(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    evidence: str
    answer: Literal["same", "different"]


class Impossible(Exception):
    """The writer says why an edit cannot be made."""


async def written(stage: Stage, edit: Edit, base: Conversation) -> Conversation:
    """The edited conversation: one message anew, all others byte for byte as they were.

    Raises Impossible with the writer's reason, Unusable if what it writes is no such message, and as `Door.ask`.
    """
    prompt = "probe-neutral" if edit.kind in NEUTRAL else "probe-break" if edit.kind in BREAKING else "probe-trigger"
    slots: dict[str, Any] = {"turns": turns(base), "number": edit.turn}
    if prompt != "probe-trigger":
        slots["kind"] = edit.kind
    if prompt != "probe-neutral":
        slots["subject"] = stage.subjects[edit.subject or edit.target].text
    schema = schemas.schema_of(Written, prompt)
    request = stage.session.request(prompt, slots, phase=PHASE, origin=_origin(stage, prompt, edit), schema=schema)
    answer = await stage.session.door.ask_for(request, lambda text: _read(text, edit, base))
    if isinstance(answer, str):
        raise Impossible(answer)
    return answer


def _read(text: str, edit: Edit, base: Conversation) -> Conversation | str:
    """What the writer made of a conversation, or why it could not. Raises ValueError for a message that is none."""
    found = schemas.read(text, Written)
    if not found.message.strip() and found.cannot.strip():
        return found.cannot.strip()
    after = edited(base, edit.turn, found.message)
    if changed_turns(base, after) != (edit.turn,):
        raise AssertionError(f"an edit of message {edit.turn} changed {changed_turns(base, after)}")
    if (fault := find_fault(after)) and not find_fault(base):
        raise ValueError(f"The message cannot stand in the conversation: {fault[1]}.")
    return after


async def is_valid(stage: Stage, edit: Edit, base: Conversation, after: Conversation) -> str:
    """Why an edit is not what it was to be, "" if it is, by a verifier who does not know the question. Raises as `ask_for`."""
    edited_first = int(digest([stage.seed, edit.id, base.id])[0], 16) % 2 == 0
    first, second = (after, base) if edited_first else (base, after)
    slots: dict[str, Any] = {"first": turns(first), "second": turns(second)}
    if edit.kind in NEUTRAL:
        found = await _compare(stage, edit, "probe-verify-neutral", slots, Alike)
        return "" if found.answer == "same" else f"it does not say the same: {found.evidence}"
    prompt = "probe-verify-trigger" if edit.kind == "trigger removed" else "probe-verify"
    slots["subject"] = stage.subjects[edit.subject or edit.target].text
    compared = await _compare(stage, edit, prompt, slots, Compared)
    if compared.answer == ("first" if edited_first else "second"):
        return ""
    return {
        "both": "it is so in both versions",
        "neither": "it is so in neither version",
    }.get(compared.answer, "it is so in the unedited version") + f": {compared.evidence}"


async def _compare(stage: Stage, edit: Edit, prompt: str, slots: dict[str, Any], kind: type[Any]) -> Any:
    schema = schemas.schema_of(kind, prompt)
    request = stage.session.request(prompt, slots, phase=PHASE, origin=_origin(stage, prompt, edit), schema=schema)
    return await stage.session.door.ask_for(request, lambda text: schemas.read(text, kind))


async def judged(stage: Stage, conversation: Conversation, about: str, sample: str = "") -> Verdict:
    """The judge's verdict, asked as the pilot asks. sample: tells a further judgement from the first. Raises as `Door.ask`."""
    origin = Origin(about="probe", item=about, run=stage.run)
    request = verdict_request(stage.session, stage.evaluation_prompt, stage.rubric, conversation, origin)
    request = msgspec.structs.replace(request, phase=PHASE, sample=sample)
    return await answered(stage.session, request, stage.rubric, conversation)


async def verified(stage: Stage, conversation: Conversation, about: str, sample: str) -> dict[str, YesNo]:
    """The verifier's answers to the rubric, as a judge would give them. Raises as `Door.ask_for`."""
    slots = {"evaluation_prompt": stage.evaluation_prompt, "turns": turns(conversation)}
    origin = Origin(about="probe-others", item=about, run=stage.run)
    schema = verdict_schema(stage.rubric)
    request = stage.session.request("probe-others", slots, phase=PHASE, origin=origin, schema=schema, sample=sample)

    def read(text: str) -> dict[str, Judgement]:
        return read_verdict(text, stage.rubric, conversation)

    found = await stage.session.door.ask_for(request, read)
    return {question: judgement.answer for question, judgement in found.items()}


def in_turn(verdict: Verdict, question: str, message: Message) -> bool:
    """Whether the evidence for an answer stands in this message."""
    evidence = verdict.answers[question].evidence
    return not is_none(evidence) and is_said(evidence, Conversation((message,)))


def turns(conversation: Conversation) -> list[dict[str, Any]]:
    """Messages as they are shown: each is one JSON value, so that no text in it can pass for another message."""
    return [
        {"turn": number, "speaker": message.role, "text": message.shown}
        for number, message in enumerate(conversation.messages, start=1)
    ]


def _origin(stage: Stage, prompt: str, edit: Edit) -> Origin:
    return Origin(about=prompt, item=edit.id, run=stage.run)
