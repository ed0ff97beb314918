"""Accepting a document: gates first, then what changed since it was accepted last, then a person's word, then publishing."""

from __future__ import annotations

import difflib
from datetime import UTC, datetime

import msgspec

from finetune_prep import gates
from finetune_prep.core.finding import Outcome
from finetune_prep.errors import ActNeeded, GateError, UsageError
from finetune_prep.method.documents import DOCUMENTS
from finetune_prep.method.gates import GATES, NEVER_OVERRIDDEN
from finetune_prep.project.decisions import Decision
from finetune_prep.project.project import Project, text_hash
from finetune_prep.workflow.checking import LEVELS, concerning, outcomes

ORDER = tuple(kind for kind, document in DOCUMENTS.items() if document.made_by)


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """What a person is asked to accept. diff: unified, empty if nothing was accepted before. advice: findings worth a look."""

    kind: str
    path: str
    text: str
    hash: str
    diff: tuple[str, ...]
    advice: tuple[Outcome, ...]
    first: bool


def waiting(project: Project) -> list[str]:
    """Documents that exist and are not accepted as they stand, in the order in which they are made."""
    return [kind for kind in ORDER if project.layout.document(kind).is_file() and project.acceptance(kind) is None]


def propose(project: Project, kind: str) -> Proposal:
    """The document as it stands, if it may be accepted.

    Raises ActNeeded if it does not exist, DocumentError for problems of form, GateError if a gate of level "must" fails.
    """
    document = project.sound(kind)
    if kind == "domain-frameworks" and not project.value(kind).anchors:
        raise ActNeeded(f"{document.path} has no behavioral anchors yet", next="finetune-prep anchors")
    found = concerning(project, kind)
    failing = [outcome for outcome in found if outcome.answer == "fails" and LEVELS[outcome.gate] == "must"]
    if failing:
        raise _refusal(kind, document.path, failing)
    before = project.last_accepted_text(kind)
    diff = difflib.unified_diff(
        (before or "").splitlines(), document.text.splitlines(), "accepted before", "now", lineterm="", n=2
    )
    return Proposal(
        kind=kind,
        path=document.path,
        text=document.text,
        hash=text_hash(document.text),
        diff=tuple(diff) if before is not None else (),
        advice=tuple(outcome for outcome in found if outcome.answer == "fails"),
        first=before is None,
    )


def _refusal(kind: str, path: str, failing: list[Outcome]) -> GateError:
    mend = f"mend it, then: finetune-prep accept {kind}"
    open_to_override = [outcome.gate for outcome in failing if outcome.gate not in NEVER_OVERRIDDEN]
    if open_to_override:
        mend += f'; or, if you know better: finetune-prep accept {kind} --override {open_to_override[0]} --because "…"'
    return GateError(
        f"{len(failing)} gate{'s' if len(failing) > 1 else ''} must hold before it can be accepted",
        where=path,
        details=tuple(f"  {finding}  [{outcome.gate}]" for outcome in failing for finding in outcome.findings),
        next=mend,
    )


def override(project: Project, gate: str, kind: str | None, *, by: str, because: str) -> str | None:
    """Record a person's decision that a gate may stand open. It expires when what it speaks of changes.

    kind: the document it is meant for, None = whichever the gate decides about. Returns that document, None for a gate of the
    workflow. Raises UsageError if there is no such gate here, if it holds, or if it is one that is never overridden.
    """
    decided = _decided_by(gate)
    if kind and kind != decided:
        raise UsageError(f"{gate} is no gate of {DOCUMENTS[kind].path}", next=f"finetune-prep check {kind}")
    dossier = project.dossier()
    found = next(outcome for outcome in outcomes(project) if outcome.gate == gate)
    if not gates.may_override(found, dossier):
        raise UsageError(f"{gate} cannot be overridden: {_why_not(found)}", next=f"finetune-prep check {decided or ''}".rstrip())
    project.decide(Decision(decision="override", gate=gate, text=gates.binding(found, dossier), by=by, because=because, at=now()))
    return decided


def _decided_by(gate: str) -> str | None:
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
        return "it holds" if outcome.answer == "holds" else "it is overridden already"
    if outcome.answer == "waiting":
        return "accepting the document is the decision it waits for"
    return f"there is nothing yet that the decision could speak of ({outcome.note})"


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def accept(project: Project, proposal: Proposal, *, by: str, interactive: bool) -> None:
    """Record a person's word for exactly this text, and publish it.

    Raises ActNeeded if the file has changed since it was shown: nobody has read what stands there now.
    """
    if text_hash(project.sound(proposal.kind).text) != proposal.hash:
        raise ActNeeded(f"{proposal.path} changed while you were reading it", next=f"finetune-prep accept {proposal.kind}")
    project.decide(
        Decision(decision="accept", document=proposal.kind, text=proposal.hash, by=by, interactive=interactive, at=now())
    )
    project.publish(proposal.kind)
