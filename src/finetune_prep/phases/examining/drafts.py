"""What the gates say about texts that are not written yet: a draft is examined before it becomes a document."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from finetune_prep import gates
from finetune_prep.core.finding import Outcome
from finetune_prep.documents.kinds import Documents
from finetune_prep.method.gates import GATES, Gate
from finetune_prep.phases import examining
from finetune_prep.phases.drafting.revising import Point
from finetune_prep.phases.session import Session

_GATE = {gate.id: gate for gate in GATES}


def deciding(phase: str, *kinds: str, skip: Collection[str] = (), only: str = "") -> frozenset[str]:
    """Ids of the gates of a phase that code or a judge decides about one of these documents. only: how the id begins."""
    return frozenset(gate.id for gate in GATES if _decides(gate, phase, kinds) and gate.id.startswith(only)) - {*skip}


def _decides(gate: Gate, phase: str, kinds: Collection[str]) -> bool:
    return gate.phase == phase and gate.kind != "human" and bool(gate.documents) and gate.documents[-1] in kinds


async def examine(session: Session, texts: Mapping[str, str], wanted: Collection[str]) -> tuple[Point, ...]:
    """What these gates find about `texts` (by kind of document), all other documents as they are on disk.

    Judged gates are put to the judge. One that no judge could answer is told, and finds nothing: unchecked is for `check` to say.
    """
    documents = session.project.documents(texts)
    unasked = await examining.ask(session, [gate for gate in wanted if _GATE[gate].kind == "judged"], documents)
    for gate, reason in unasked.items():
        session.tell(f"{gate} could not be put to a judge: {reason}")
    points = _form(documents, texts)
    for outcome in await _outcomes(session, documents, wanted):
        points += _points(outcome)
    return tuple(points)


def _form(documents: Documents, texts: Mapping[str, str]) -> list[Point]:
    """Problems of form: what a document of this text could not hold."""
    return [
        Point(by=f"form of {document.path}", item=found.item, what=found.what, fix=found.fix, must=True)
        for document in documents
        if document.kind in texts
        for found in document.findings
    ]


async def _outcomes(session: Session, documents: Documents, wanted: Collection[str]) -> list[Outcome]:
    judged = await examining.recorded(session, documents, session.door.ledger.answers, wanted)
    phases = {_GATE[gate].phase for gate in wanted}
    computed = gates.check(documents, None, phases=phases)
    return [judged.get(outcome.gate, outcome) for outcome in computed if outcome.gate in wanted]


def _points(outcome: Outcome) -> list[Point]:
    if outcome.answer != "fails":
        return []
    must = _GATE[outcome.gate].level == "must"
    return [Point(by=outcome.gate, item=found.item, what=found.what, fix=found.fix, must=must) for found in outcome.findings]
