"""Accepting a document: gates first, then what changed since it was accepted last, then a person's word, then publishing."""

from __future__ import annotations

import difflib
from datetime import UTC, datetime

import msgspec

from finetune_prep import gates
from finetune_prep.core.finding import Outcome
from finetune_prep.errors import ActNeeded, GateError, UsageError
from finetune_prep.method import DOCUMENTS
from finetune_prep.phases.checking import LEVELS, concerning
from finetune_prep.project.decisions import Decision
from finetune_prep.project.project import Project, text_hash

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
    outcomes = concerning(project, kind)
    failing = [outcome for outcome in outcomes if outcome.answer == "fails" and LEVELS[outcome.gate] == "must"]
    if failing:
        raise GateError(
            f"{len(failing)} gate{'s' if len(failing) > 1 else ''} must hold before it can be accepted",
            where=document.path,
            details=tuple(f"  {finding}  [{outcome.gate}]" for outcome in failing for finding in outcome.findings),
            next=f'mend it, then: finetune-prep accept {kind}; or accept --override {failing[0].gate} --because "…"',
        )
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
        advice=tuple(outcome for outcome in outcomes if outcome.answer == "fails"),
        first=before is None,
    )


def override(project: Project, kind: str, gate: str, *, by: str, because: str) -> None:
    """Record a person's decision that a gate of this document may stand open. It expires when what it speaks of changes.

    Raises UsageError if there is no such gate here, or if it holds, or if it is one that cannot be overridden.
    """
    dossier = project.dossier()
    found = {outcome.gate: outcome for outcome in concerning(project, kind)}
    if gate not in found:
        raise UsageError(f"{gate} is no gate of {DOCUMENTS[kind].path}", next=f"finetune-prep check {kind}")
    if not gates.may_override(found[gate], dossier):
        reason = "it is overridden or holds already" if found[gate].answer in ("holds", "overridden") else "it never is"
        raise UsageError(f"{gate} cannot be overridden: {reason}", next=f"finetune-prep check {kind}")
    binding = gates.binding(found[gate], dossier)
    project.decide(Decision(decision="override", gate=gate, text=binding, by=by, because=because, at=now()))


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def accept(project: Project, proposal: Proposal, *, by: str, interactive: bool) -> None:
    """Record a person's word for exactly this text, and publish it."""
    project.decide(
        Decision(decision="accept", document=proposal.kind, text=proposal.hash, by=by, interactive=interactive, at=now())
    )
    project.publish(proposal.kind)
