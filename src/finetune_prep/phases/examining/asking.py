"""Putting judged gates to the judge through the door, and reading from the ledger what it said about the present text."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from finetune_prep.core.finding import Finding, Outcome
from finetune_prep.core.request import Request
from finetune_prep.documents.kinds import KINDS, Documents
from finetune_prep.errors import ConfigError, KeyNotAllowed, LedgerBroken, NotYet, Paused, Unreachable, Unusable
from finetune_prep.gates.premises import Unchecked
from finetune_prep.ledger.protocols import Answers
from finetune_prep.method.gates import Gate
from finetune_prep.models.askings import recall
from finetune_prep.models.together import together
from finetune_prep.phases.examining.about_items import READERS, ask_about
from finetune_prep.phases.examining.blind import ask_blind
from finetune_prep.phases.examining.gate_requests import BY_ID, Asked, GateRequests, sound
from finetune_prep.phases.session import Requests, Session

UNCHECKED = "could not be checked"
COMMAND = "finetune-prep check --judge"


def gate_requests_of(requests: Requests, documents: Documents, gates: Collection[str]) -> list[GateRequests]:
    """What these gates ask about the documents as they are, in the order of the table."""
    return [_requests_of(requests, documents, gate) for id, gate in BY_ID.items() if id in gates]


def _requests_of(requests: Requests, documents: Documents, gate: Gate) -> GateRequests:
    try:
        for kind in (Documents.brief.name, *gate.documents):
            sound(documents, KINDS[kind])
        build = ask_about if gate.id in READERS else ask_blind
        return GateRequests(gate=gate, asked=build(requests, documents, gate))
    except Unchecked as reason:
        return GateRequests(gate=gate, impossible=str(reason), lacks=reason.lacks)


async def ask(session: Session, gates: Collection[str] = tuple(BY_ID), documents: Documents | None = None) -> dict[str, str]:
    """Have the judge answer whatever these gates ask and the ledger does not hold. Outcomes are read with `recorded`.

    documents: the documents to ask about, None = as they are on disk.

    Returns, by gate, why it could not be asked: no model, no answer, no credit. Raises NotYet after everything was recorded if
    answers come by batch file, and LedgerBroken.
    """
    session.project.sound(Documents.brief)
    asked = gate_requests_of(session, session.project.documents() if documents is None else documents, gates)
    count = sum(len(gate_requests.asked) for gate_requests in asked)
    keys = [one.request.key for gate_requests in asked for one in gate_requests.asked]
    known = len(await session.door.ledger.answers.known(keys))
    if count:
        session.tell(f"{count} questions to a judge, {known} of them answered before")
    reasons = await together(_ask_gate(session, gate_requests) for gate_requests in asked)
    return {gate_requests.gate.id: reason for gate_requests, reason in zip(asked, reasons, strict=True) if reason}


async def unasked(session: Session, gates: Collection[str]) -> list[Request]:
    """What these gates ask about the documents as they are, and nobody has answered yet."""
    asked = gate_requests_of(session, session.project.documents(), gates)
    requests = {one.request.key: one.request for gate_requests in asked for one in gate_requests.asked}
    known = await session.door.ledger.answers.known(requests)
    return [request for key, request in requests.items() if key not in known]


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
    return {asked.gate.id: await _outcome(asked, answers, opened) for asked in gate_requests_of(requests, documents, gates)}


async def unusable(
    requests: Requests, documents: Documents, answers: Answers, gates: Collection[str] = tuple(BY_ID)
) -> dict[str, Unusable]:
    """Why answers about these texts cannot be used, by the gate that asked and the item. Nothing is asked."""
    opened = requests.project.opened()
    found: dict[str, Unusable] = {}
    for gate_requests in gate_requests_of(requests, documents, gates):
        for asked in gate_requests.asked:
            try:
                await recall(answers, asked.request, asked.read, opened[asked.request.key])
            except NotYet:
                continue
            except Unusable as error:
                found[asked.request.origin.label] = error
    return found


async def _outcome(gate_requests: GateRequests, answers: Answers, opened: Mapping[str, int]) -> Outcome:
    gate = gate_requests.gate.id
    if gate_requests.impossible:
        note = f"{UNCHECKED}: {gate_requests.impossible}"
        return Outcome(gate=gate, answer="unchecked", note=note, lacks=gate_requests.lacks)
    findings: list[Finding] = []
    unread: list[str] = []
    open_questions = 0
    for asked in gate_requests.asked:
        try:
            findings += await recall(answers, asked.request, asked.read, opened.get(asked.request.key, 0))
        except NotYet:
            open_questions += 1
        except Unusable as error:
            origin = asked.request.origin
            unread.append(f"the judge's answer about {origin.item or origin.about} cannot be used: {error.what}")
    note = _note(unread, open_questions, len(gate_requests.asked))
    if findings:
        return Outcome(gate=gate, answer="fails", findings=tuple(findings), note=note)
    if note:
        return Outcome(gate=gate, answer="unchecked", note=note)
    return Outcome(gate=gate, answer="holds", note=f"judged by {gate_requests.asked[0].request.model}")


def _note(unread: list[str], open_questions: int, all_questions: int) -> str:
    """Why not everything that the gate asks has an answer, "" if it has."""
    if unread:
        return f"{UNCHECKED}: {'; '.join(unread)}"
    if not open_questions:
        return ""
    share = "" if open_questions == all_questions else f" ({open_questions} of {all_questions} questions are open)"
    return f"{UNCHECKED}: no judge has answered about the present text{share}; {COMMAND} asks one"
