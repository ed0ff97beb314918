"""Where a project stands: phases, documents, what is stale and why, runs, money, and the next command."""

from __future__ import annotations

from typing import Literal

import msgspec

from finetune_prep.core.sample import Account
from finetune_prep.documents.kinds import KINDS, Documents
from finetune_prep.errors import DocumentError
from finetune_prep.ledger.protocols import Ledger
from finetune_prep.method import limits
from finetune_prep.method.phases import PHASES, Phase
from finetune_prep.phases.pilot.pilot import current_plan
from finetune_prep.project.acceptance import why_not_accepted
from finetune_prep.project.project import Project
from finetune_prep.project.runs import Run, runs
from finetune_prep.project.staleness import Change, compare
from finetune_prep.workflow.history import how_to_restore, lost

DocumentState = Literal["missing", "broken", "to accept", "accepted", "written"]


class DocumentView(msgspec.Struct, frozen=True, kw_only=True):
    """note: in words why it is in this state. edited: what a person changed since the program wrote it."""

    kind: str
    path: str
    state: DocumentState
    note: str = ""
    edited: str = ""


class PhaseView(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    title: str
    documents: tuple[DocumentView, ...]
    done: bool


class RunView(msgspec.Struct, frozen=True, kw_only=True):
    """changes: documents that are not what the run was made from. stale: in words, empty if its figures still hold."""

    name: str
    planned: int
    account: Account | None
    changes: tuple[Change, ...]
    stale: tuple[str, ...]


class Effort(msgspec.Struct, frozen=True, kw_only=True):
    """What a phase took, as far as it is known: the models' part from the ledger, the person's from decisions.

    model_seconds: of all calls together, though many ran at once. first, last: when the first and last answer came; waiting
    and pauses lie in between. accepted: when documents of this phase were accepted, oldest first. How long a person read is
    not known.
    """

    phase: str
    answers: int
    model_seconds: float
    first: str
    last: str
    accepted: tuple[str, ...] = ()


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """spent: US dollars in all, as far as prices are known. answers: in the ledger. outstanding: requests in batches."""

    project: str
    language: str
    """Of the conversations."""
    phases: tuple[PhaseView, ...]
    stale: tuple[str, ...]
    runs: tuple[RunView, ...]
    answers: int
    outstanding: int
    spent: float
    effort: tuple[Effort, ...]
    next: str


def overview(project: Project, ledger: Ledger | None) -> Overview:
    """ledger: None if nothing was asked yet."""
    phases = tuple(_phase(project, phase) for phase in PHASES)
    stale = project.stale()
    views = tuple(run_view(project, run) for run in runs(project.layout))
    waiting = {round.number: round.outstanding for round in ledger.rounds()} if ledger else {}
    elsewhere = {submission.number for submission in ledger.submissions()} if ledger else set()
    in_files = sum(count for number, count in waiting.items() if number not in elsewhere)
    return Overview(
        project=project.config.name,
        language=project.value(Documents.brief).language,
        phases=phases,
        stale=tuple(str(part) for part in stale),
        runs=views,
        answers=ledger.count() if ledger else 0,
        outstanding=sum(waiting.values()),
        spent=ledger.spent() if ledger else 0.0,
        effort=_effort(project, ledger),
        next=_next(project, phases, [part.name for part in stale if part.compiled], views, in_files),
    )


def _effort(project: Project, ledger: Ledger | None) -> tuple[Effort, ...]:
    """Per phase in the order of the method, then whatever else asked models; phases in which nothing happened are left out."""
    time_spent = {found.phase: found for found in ledger.time_spent()} if ledger else {}
    accepted: dict[str, list[str]] = {}
    for decision in project.decisions():
        if decision.decision == "accept" and decision.document in KINDS:
            accepted.setdefault(KINDS[decision.document].made_by, []).append(decision.at)
    order = dict.fromkeys([*(phase.name for phase in PHASES), *time_spent])
    return tuple(
        Effort(
            phase=name,
            answers=found.answers if found else 0,
            model_seconds=found.seconds if found else 0.0,
            first=found.first if found else "",
            last=found.last if found else "",
            accepted=tuple(accepted.get(name, ())),
        )
        for name in order
        if (found := time_spent.get(name)) or name in accepted
    )


def _phase(project: Project, phase: Phase) -> PhaseView:
    documents = tuple(_document(project, kind) for kind in phase.outputs)
    done = all(document.state in ("accepted", "to accept", "written") for document in documents)
    if phase.name == "anchors" and done:
        done = bool(project.value(Documents.knowledge).anchors)
    return PhaseView(name=phase.name, title=phase.title, documents=documents, done=done)


def _document(project: Project, kind: str) -> DocumentView:
    path = KINDS[kind].path
    if not project.layout.document(kind).is_file():
        kept = lost(project, kind)
        note = f"accepted by {kept.accepted}; {how_to_restore(kept, kind)}" if kept else ""
        return DocumentView(kind=kind, path=path, state="missing", note=note)
    try:
        project.sound(KINDS[kind])
    except DocumentError as error:
        return DocumentView(kind=kind, path=path, state="broken", note=error.what)
    edited = str(project.edited(kind) or "")
    if decision := project.acceptance(kind):
        return DocumentView(kind=kind, path=path, state="accepted", note=f"by {decision.by}", edited=edited)
    return DocumentView(kind=kind, path=path, state="to accept", note=why_not_accepted(project, kind), edited=edited)


def run_view(project: Project, run: Run) -> RunView:
    """A run, and what has changed since it was made."""
    now = current_plan(project, run.plan.n)
    compared = (compare(kind, before, now.made_from.get(kind, {})) for kind, before in run.plan.made_from.items())
    changes = tuple(change for change in compared if change)
    stale = [f"{change} since" for change in changes]
    if run.plan.models != now.models:
        stale.append("other models or parameters are configured since")
    if run.plan.seed != now.seed:
        stale.append("the project has another seed since")
    if run.plan.language != now.language:
        stale.append(f"its conversations are in {run.plan.language}, the brief asks for {now.language} since")
    stale += [f"the prompt {name}.md is another since" for name in now.prompts if run.plan.prompts.get(name) != now.prompts[name]]
    return RunView(name=run.name, planned=run.plan.n, account=run.account(), changes=changes, stale=tuple(stale))


def _next(project: Project, phases: tuple[PhaseView, ...], compiled: list[str], views: tuple[RunView, ...], in_files: int) -> str:
    if not project.layout.document("brief").is_file():
        return "finetune-prep template brief > brief.md, and fill it in"
    documents = {document.kind: document for phase in phases for document in phase.documents}
    if broken := [kind for kind, document in documents.items() if document.state == "broken"]:
        return f"finetune-prep check {broken[0]}"
    for kind in documents:
        if kept := lost(project, kind):
            return how_to_restore(kept, kind)
    for phase, view in zip(PHASES, phases, strict=True):
        if waiting := [kind for kind in phase.accepted if documents[kind].state == "to accept"]:
            return f"finetune-prep accept {waiting[0]}"
        if any(name in phase.outputs for name in compiled):
            return f"finetune-prep {phase.name}"
        if not view.done:
            return _import_first(in_files, "finetune-prep prepare")
    if waiting := [kind for kind, document in documents.items() if document.state == "to accept"]:
        return f"finetune-prep accept {waiting[0]}"
    fresh = [view for view in views if not view.stale]
    if not fresh or fresh[-1].account is None or not fresh[-1].account.settled:
        return _import_first(in_files, f"finetune-prep pilot -n {fresh[-1].planned if fresh else limits.PILOT}")
    return "finetune-prep export --preview"


def _import_first(in_files: int, command: str) -> str:
    """in_files: requests that wait in batch files. What a Batch API has done is taken in by the command itself."""
    return f"finetune-prep batch import ANSWERS.jsonl, then {command}" if in_files else command
