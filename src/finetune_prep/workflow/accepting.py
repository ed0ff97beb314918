"""Accepting a document: gates first, then what changed since it was accepted last, then a person's word, then publishing."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import msgspec

from finetune_prep import gates
from finetune_prep.core.finding import Outcome
from finetune_prep.documents.kinds import KINDS, Documents
from finetune_prep.documents.readings.readings import text_hash
from finetune_prep.errors import ActNeeded, GateError, UsageError
from finetune_prep.method.gates import GATES, NEVER_OVERRIDDEN
from finetune_prep.project.decisions import Decision
from finetune_prep.project.project import Project
from finetune_prep.workflow.checking import GATE, LEVELS, concerning, counted, how_to_close, in_the_way, outcomes, told
from finetune_prep.workflow.texts.changed_words import Change, changed_words
from finetune_prep.workflow.texts.lets_pass import lets_pass

ORDER = tuple(kind for kind, document in KINDS.items() if document.made_by)


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """What a person is asked to accept."""

    kind: str
    path: str
    text: str
    hash: str
    first: bool
    """Whether no text of it that is still kept was accepted before."""
    changes: tuple[Change, ...]
    """What differs from the text that was accepted last."""
    advice: tuple[Outcome, ...]
    """Gates that do not hold and do not stand in the way."""
    decides: tuple[str, ...]
    """What accepting it says yes to because code cannot say it in this language."""
    allows: tuple[str, ...] = ()
    """What a rubric's threshold lets pass, in sentences."""
    waived: tuple[Decision, ...] = ()
    """Overrides that are given with the acceptance, and recorded with it."""


def waiting(project: Project) -> list[str]:
    """Documents that exist and are not accepted as they stand, in the order in which they are made."""
    return [kind for kind in ORDER if project.layout.document(kind).is_file() and project.acceptance(kind) is None]


def propose(project: Project, kind: str, waived: Sequence[Decision] = ()) -> Proposal:
    """The document as it stands, if it may be accepted. waived: overrides that are given with it.

    Raises ActNeeded if it does not exist, DocumentError for problems of form, GateError if another gate of level "must" fails or
    is unchecked.
    """
    document = project.sound(KINDS[kind])
    if kind == Documents.knowledge.name and not project.value(Documents.knowledge).anchors:
        raise ActNeeded(f"{document.path} has no behavioral anchors yet", next="finetune-prep anchors")
    found = concerning(project, kind)
    given = {decision.gate for decision in waived}
    open_gates = [outcome for outcome in in_its_way(found, kind) if outcome.gate not in given]
    if open_gates:
        raise GateError(
            f"{counted(open_gates)}; all must hold before it can be accepted",
            where=document.path,
            details=tuple(told(open_gates)),
            next=how_to_close(project, open_gates, kind, open_gates, given),
        )
    before = project.last_accepted_text(kind)
    return Proposal(
        kind=kind,
        path=document.path,
        text=document.text,
        hash=text_hash(document.text),
        first=before is None,
        changes=() if before is None else changed_words(before, document.text),
        advice=tuple(outcome for outcome in found if outcome.answer == "fails"),
        decides=tuple(decides(found)),
        allows=tuple(lets_pass(project)) if kind == Documents.rubric.name else (),
        waived=tuple(waived),
    )


def in_its_way(found: Sequence[Outcome], kind: str) -> list[Outcome]:
    """Those of its gates that stand in the way of accepting a document; what only a later one can answer is asked once that is
    there."""
    later = ORDER[ORDER.index(kind) + 1 :] if kind in ORDER else ORDER
    return [outcome for outcome in in_the_way(found) if outcome.lacks not in later]


def decides(found: Sequence[Outcome]) -> Iterator[str]:
    """What accepting says yes to, of these outcomes, because code cannot say it in this language."""
    for outcome in found:
        if outcome.answer == "waiting" and GATE[outcome.gate].kind == "computed" and LEVELS[outcome.gate] == "must":
            yield GATE[outcome.gate].sentence


def override(project: Project, gate: str, kind: str | None, *, by: str, because: str) -> Decision:
    """A person's decision that a gate may stand open, not yet recorded. It expires when what it speaks of changes.

    kind: the document it is meant for, None = whichever the gate decides about. Raises UsageError if there is no such gate here,
    if it holds, or if it is one that is never overridden.
    """
    decided = document_of(gate)
    if kind and kind != decided:
        raise UsageError(f"{gate} is no gate of {KINDS[kind].path}", next=f"finetune-prep check {kind}")
    there = project.documents()
    found = next(outcome for outcome in outcomes(project) if outcome.gate == gate)
    if not gates.may_override(found, there):
        raise UsageError(f"{gate} cannot be waived: {_why_not(found)}", next=f"finetune-prep check {decided or ''}".rstrip())
    return Decision(decision="override", gate=gate, text=gates.binding(found, there), by=by, because=because, at=now())


def document_of(gate: str) -> str | None:
    """The document that a gate decides about. Raises UsageError for a gate that does not exist."""
    known = {found.id: found for found in GATES}
    if gate not in known:
        near = difflib.get_close_matches(gate, known, n=1)
        hint = f"did you mean {near[0]}?" if near else "finetune-prep check prints the gates that do not hold"
        raise UsageError(f"there is no gate “{gate}”", next=hint)
    return known[gate].documents[-1] if known[gate].documents else None


def _why_not(outcome: Outcome) -> str:
    if outcome.gate in NEVER_OVERRIDDEN:
        return "this one never is, whatever the reason"
    if outcome.answer in ("holds", "overridden"):
        return "it holds" if outcome.answer == "holds" else "it is waived already"
    if outcome.answer == "waiting":
        return "accepting the document is the decision it waits for"
    return f"there is nothing yet that the decision could speak of ({outcome.note})"


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def accept(project: Project, proposal: Proposal, *, by: str, interactive: bool) -> None:
    """Record a person's word for exactly this text, with the overrides given for it, and publish it.

    Raises ActNeeded if the file has changed since it was shown: nobody has read what stands there now.
    """
    if text_hash(project.sound(KINDS[proposal.kind]).text) != proposal.hash:
        raise ActNeeded(f"{proposal.path} changed while you were reading it", next=f"finetune-prep accept {proposal.kind}")
    for decision in proposal.waived:
        project.decide(decision)
    project.decide(
        Decision(decision="accept", document=proposal.kind, text=proposal.hash, by=by, interactive=interactive, at=now())
    )
    project.publish(proposal.kind)
