"""Putting judged gates to the judge through the door, and reading from the ledger what it said about the present text."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from finetune_prep.core.finding import Finding, Outcome
from finetune_prep.core.request import Request
from finetune_prep.documents.kinds import KINDS, Documents
from finetune_prep.errors import ConfigError, KeyNotAllowed, LedgerBroken, NotYet, Paused, Unreachable, Unusable
from finetune_prep.gates.premises import Unchecked
from finetune_prep.ledger.protocols import Answers
from finetune_prep.method.gates import Gate
from finetune_prep.models.askings import recall
from finetune_prep.models.together import together
from finetune_prep.phases.examining.about_items import OF_DOCUMENTS, READERS, ask_about
from finetune_prep.phases.examining.blind import ask_blind
from finetune_prep.phases.examining.gate_requests import BY_ID, Asked, GateRequests, sound
from finetune_prep.phases.examining.opinions import Opinions, known_opinions
from finetune_prep.phases.examining.rulings import ask_rulings
from finetune_prep.phases.requests import Requests

if TYPE_CHECKING:
    from finetune_prep.phases.session import Session

UNCHECKED = "could not be checked"
COMMAND = "finetune-prep check --judge"
BUILDERS = {"rubric.rulings-agree": ask_rulings}  # gates that ask in a way of their own
MOST_NAMED = 3  # items whose answers share a fault


def gate_requests_of(requests: Requests, documents: Documents, gates: Collection[str], opinions: Opinions) -> list[GateRequests]:
    """What these gates ask about the documents as they are, in the order of the table.

    opinions: what is known about single items, which are not asked about again.
    """
    return [_requests_of(requests, documents, gate, opinions) for id, gate in BY_ID.items() if id in gates]


def _requests_of(requests: Requests, documents: Documents, gate: Gate, opinions: Opinions) -> GateRequests:
    try:
        for kind in (Documents.brief.name, *gate.documents):
            sound(documents, KINDS[kind])
        if gate.id in (*READERS, *OF_DOCUMENTS):
            return GateRequests(gate=gate, asked=ask_about(requests, documents, gate, opinions))
        return GateRequests(gate=gate, asked=BUILDERS.get(gate.id, ask_blind)(requests, documents, gate))
    except Unchecked as reason:
        return GateRequests(gate=gate, impossible=str(reason), lacks=reason.lacks)


async def ask(session: Session, gates: Collection[str] = tuple(BY_ID), documents: Documents | None = None) -> dict[str, str]:
    """Have the judge answer whatever these gates ask and the ledger does not hold. Outcomes are read with `recorded`.

    documents: the documents to ask about, None = as they are on disk.

    Returns, by gate, why it could not be asked: no model, no answer, no credit. Raises NotYet after everything was recorded if
    answers come by batch file, and LedgerBroken.
    """
    session.project.sound(Documents.brief)
    there = session.project.documents() if documents is None else documents
    asked = gate_requests_of(session, there, gates, await known_opinions(session.door.ledger.answers))
    if count := sum(len(gate_requests.asked) for gate_requests in asked):
        to_ask = len((await standing(session, there, session.door.ledger.answers, gates)).unasked)
        session.tell(f"{count} {'question' if count == 1 else 'questions'} to a judge, {count - to_ask} of them answered before")
    reasons = await together(_ask_gate(session, gate_requests) for gate_requests in asked)
    return {gate_requests.gate.id: reason for gate_requests, reason in zip(asked, reasons, strict=True) if reason}


async def unasked(session: Session, gates: Collection[str]) -> list[Request]:
    """What `ask` would put to the judge about the documents as they are: what nobody has answered yet, what an unusable answer
    calls for once more, and what a person has opened again."""
    found = await standing(session, session.project.documents(), session.door.ledger.answers, gates)
    return [*{request.key: request for request in found.unasked}.values()]


async def _ask_gate(session: Session, gate_requests: GateRequests) -> str:
    return next(filter(None, await together(_ask_one(session, asked) for asked in gate_requests.asked)), "")


async def _ask_one(session: Session, asked: Asked) -> str:
    """Why there is no answer, "" if there is one; an unusable answer is one, and is in the ledger."""
    try:
        await session.door.ask_for(asked.request, asked.read)
    except Unusable:
        return ""
    except (LedgerBroken, KeyNotAllowed):
        raise
    except (Paused, Unreachable, ConfigError) as error:
        return error.what
    return ""


async def recorded(
    requests: Requests, documents: Documents, answers: Answers, gates: Collection[str] = tuple(BY_ID)
) -> dict[str, Outcome]:
    """Outcomes of judged gates by what the ledger holds about these texts. Nothing is asked."""
    opened = requests.project.opened()
    asked = gate_requests_of(requests, documents, gates, await known_opinions(answers))
    return {requests_of.gate.id: await _outcome(requests_of, answers, opened) for requests_of in asked}


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Which questions of gates have no answer that can be used."""

    unasked: tuple[Request, ...] = ()
    """Those that the judge would be asked, by their first attempts."""
    unusable: dict[str, Unusable] = {}
    """Why answers cannot be used, by the gate that asked and the item; each is settled until a person opens it."""


def questions(requests: Requests, documents: Documents, gates: Collection[str] = tuple(BY_ID)) -> tuple[Request, ...]:
    """All that these gates ask about the documents, answered or not."""
    return tuple(asked.request for found in gate_requests_of(requests, documents, gates, Opinions()) for asked in found.asked)


async def standing(requests: Requests, documents: Documents, answers: Answers, gates: Collection[str] = tuple(BY_ID)) -> Standing:
    """How the questions of these gates about these texts stand by what the ledger holds. Nothing is asked."""
    opened = requests.project.opened()
    unasked: list[Request] = []
    unusable: dict[str, Unusable] = {}
    for gate_requests in gate_requests_of(requests, documents, gates, await known_opinions(answers)):
        for asked in gate_requests.asked:
            try:
                await recall(answers, asked.request, asked.read, opened[asked.request.key])
            except NotYet:
                unasked.append(asked.request)
            except Unusable as error:
                unusable[asked.request.origin.label] = error
    return Standing(unasked=tuple(unasked), unusable=unusable)


async def _outcome(gate_requests: GateRequests, answers: Answers, opened: Mapping[str, int]) -> Outcome:
    gate = gate_requests.gate.id
    if gate_requests.impossible:
        note = f"{UNCHECKED}: {gate_requests.impossible}"
        return Outcome(gate=gate, answer="unchecked", note=note, lacks=gate_requests.lacks)
    findings: list[Finding] = []
    unread: dict[str, list[str]] = {}  # by the reason, the items that share it
    open_questions = 0
    for asked in gate_requests.asked:
        try:
            findings += await recall(answers, asked.request, asked.read, opened.get(asked.request.key, 0))
        except NotYet:
            open_questions += 1
        except Unusable as error:
            origin = asked.request.origin
            unread.setdefault(error.what, []).append(origin.item or origin.about)
    note = _note(unread, open_questions, len(gate_requests.asked))
    if findings:
        return Outcome(gate=gate, answer="fails", findings=tuple(findings), note=note)
    if note:
        return Outcome(gate=gate, answer="unchecked", note=note)
    return Outcome(gate=gate, answer="holds", note=f"judged by {gate_requests.asked[0].request.model}")


def _note(unread: Mapping[str, Sequence[str]], open_questions: int, all_questions: int) -> str:
    """Why not everything that the gate asks has an answer, "" if it has. Gates share the words where it is all for one reason."""
    if unread:
        alike = len(unread) == 1 and sum(map(len, unread.values())) == all_questions
        return f"{UNCHECKED}: {'; '.join(_unread(why, () if alike else items) for why, items in unread.items())}"
    if not open_questions:
        return ""
    share = "" if open_questions == all_questions else f" ({open_questions} of {all_questions} questions are open)"
    return f"{UNCHECKED}: no judge has answered about the present text{share}; {COMMAND} asks one"


def _unread(why: str, items: Sequence[str]) -> str:
    """items: those that it concerns, none if it concerns all."""
    if not items:
        return f"the judge's answers cannot be used: {why}"
    more = f" and {len(items) - MOST_NAMED} more" if len(items) > MOST_NAMED else ""
    plural = "s" if len(items) > 1 else ""
    return f"the judge's answer{plural} about {', '.join(items[:MOST_NAMED])}{more} cannot be used: {why}"
