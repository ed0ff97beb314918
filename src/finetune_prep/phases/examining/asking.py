"""Putting judged gates to the judge through the door, and reading from the ledger what it said about the present text."""

from __future__ import annotations

from collections.abc import Collection

from finetune_prep.core.finding import Finding, Outcome
from finetune_prep.documents.dossier import Dossier
from finetune_prep.errors import ConfigError, LedgerBroken, NotYet, Paused, Unreachable, Unusable
from finetune_prep.ledger.protocols import Ledger
from finetune_prep.method.gates import Gate
from finetune_prep.models.door import recall, together
from finetune_prep.phases.examining.about_items import READERS, ask_about
from finetune_prep.phases.examining.blind import ask_blind
from finetune_prep.phases.examining.gate_requests import BY_ID, Asked, Impossible, Inquiry, sound_documents
from finetune_prep.phases.session import Desk, Workshop

UNCHECKED = "could not be checked"
COMMAND = "finetune-prep check --judge"


def inquiries(desk: Desk, dossier: Dossier, gates: Collection[str]) -> list[Inquiry]:
    """What these gates ask about the documents as they are, in the order of the table."""
    return [_inquiry(desk, dossier, gate) for id, gate in BY_ID.items() if id in gates]


def _inquiry(desk: Desk, dossier: Dossier, gate: Gate) -> Inquiry:
    try:
        build = ask_about if gate.id in READERS else ask_blind
        return Inquiry(gate=gate, asked=build(desk, sound_documents(gate, dossier), gate))
    except Impossible as reason:
        return Inquiry(gate=gate, impossible=str(reason))


async def ask(shop: Workshop, gates: Collection[str] = tuple(BY_ID), dossier: Dossier | None = None) -> dict[str, str]:
    """Have the judge answer whatever these gates ask and the ledger does not hold. Outcomes are read with `recorded`.

    dossier: the documents to ask about, None = as they are on disk.

    Returns, by gate, why it could not be asked: no model, no answer, no credit. Raises NotYet after everything was recorded if
    answers come by batch file, and LedgerBroken.
    """
    shop.project.sound("brief")
    asked = inquiries(shop, shop.project.dossier() if dossier is None else dossier, gates)
    count = sum(len(inquiry.asked) for inquiry in asked)
    known = sum(_known(shop.door.ledger, one) for inquiry in asked for one in inquiry.asked)
    if count:
        shop.tell(f"{count} questions to a judge, {known} of them answered before")
    reasons = await together(_ask_gate(shop, inquiry) for inquiry in asked)
    return {inquiry.gate.id: reason for inquiry, reason in zip(asked, reasons, strict=True) if reason}


async def _ask_gate(shop: Workshop, inquiry: Inquiry) -> str:
    return next(filter(None, await together(_ask_one(shop, asked) for asked in inquiry.asked)), "")


async def _ask_one(shop: Workshop, asked: Asked) -> str:
    """Why there is no answer, "" if there is one; an unusable answer is one, and is in the ledger."""
    try:
        await shop.door.ask_for(asked.request, asked.read)
    except Unusable:
        return ""
    except LedgerBroken:
        raise
    except (Paused, Unreachable, ConfigError) as error:
        return error.what
    return ""


def _known(ledger: Ledger, asked: Asked) -> bool:
    return ledger.get(asked.request.key) is not None


def recorded(desk: Desk, dossier: Dossier, ledger: Ledger, gates: Collection[str] = tuple(BY_ID)) -> dict[str, Outcome]:
    """Outcomes of judged gates by what the ledger holds about these texts. Nothing is asked."""
    return {inquiry.gate.id: _outcome(inquiry, ledger) for inquiry in inquiries(desk, dossier, gates)}


def _outcome(inquiry: Inquiry, ledger: Ledger) -> Outcome:
    gate = inquiry.gate.id
    if inquiry.impossible:
        return Outcome(gate=gate, answer="unchecked", note=f"{UNCHECKED}: {inquiry.impossible}")
    findings: list[Finding] = []
    unread: list[str] = []
    open_questions = 0
    for asked in inquiry.asked:
        try:
            findings += recall(ledger, asked.request, asked.read)
        except NotYet:
            open_questions += 1
        except Unusable as error:
            unread.append(f"the judge's answer about {asked.request.about.rpartition(' · ')[2]} cannot be used: {error.what}")
    note = _note(unread, open_questions, len(inquiry.asked))
    if findings:
        return Outcome(gate=gate, answer="fails", findings=tuple(findings), note=note)
    if note:
        return Outcome(gate=gate, answer="unchecked", note=note)
    return Outcome(gate=gate, answer="holds", note=f"judged by {inquiry.asked[0].request.model}")


def _note(unread: list[str], open_questions: int, all_questions: int) -> str:
    """Why not everything that the gate asks has an answer, "" if it has."""
    if unread:
        return f"{UNCHECKED}: {'; '.join(unread)}"
    if not open_questions:
        return ""
    share = "" if open_questions == all_questions else f" ({open_questions} of {all_questions} questions are open)"
    return f"{UNCHECKED}: no judge has answered about the present text{share}; {COMMAND} asks one"
