"""How proposed edits stand: by people's decisions about them, and by what their trials said."""

from __future__ import annotations

from collections import Counter
from typing import Literal

import msgspec

from finetune_prep.core.improving.edit import Proposal
from finetune_prep.documents.kinds import KINDS
from finetune_prep.documents.readings.readings import text_hash
from finetune_prep.errors import ActNeeded, UsageError
from finetune_prep.project.decisions import Decision
from finetune_prep.project.improving.runs import EditRun, ImproveRun, edit_runs, improve_runs
from finetune_prep.project.project import Project
from finetune_prep.statistics.improving.trial import Trial
from finetune_prep.workflow.improving.sentences import upshot

State = Literal[
    "proposed",
    "refused",
    "waiting",
    "left",  # by a person
    "taken",  # and not tried yet
    "put back",  # by a person
    "kept",  # its trial has shown that it helps
    "not kept",  # its trial has not
]


class EditView(msgspec.Struct, frozen=True, kw_only=True):
    """A proposal as it stands."""

    id: str
    """"improve-001/2"."""
    proposal: Proposal
    state: State
    by: str = ""
    """Who took, left or put it back."""
    word: str = ""
    """What its trial said, "" if there was none."""
    said: str = ""
    """The same in a sentence."""
    trial: str = ""
    """The trial's name."""


def latest(project: Project) -> ImproveRun | None:
    """The latest list of proposals that has come to its end."""
    found = [run for run in improve_runs(project.layout) if run.proposals_path.exists()]
    return found[-1] if found else None


def require_latest(project: Project) -> ImproveRun:
    """The same. Raises ActNeeded if there is none."""
    if (run := latest(project)) is None:
        raise ActNeeded("nothing has been proposed yet", next="finetune-prep improve")
    return run


def views(project: Project, run: ImproveRun) -> tuple[EditView, ...]:
    """The proposals of a run as they stand."""
    decided, tried = latest_decisions(project), trials(project)
    return tuple(_view(run.id_of(one.number), one, decided, tried) for one in run.proposals())


def trials(project: Project) -> dict[str, EditRun]:
    """The latest trial of each edit."""
    return {run.plan.edit: run for run in edit_runs(project.layout)}


def in_short(project: Project) -> str:
    """The latest list of proposals in a line, "" if there is none."""
    if (run := latest(project)) is None:
        return ""
    states = Counter("no edit" if view.state == "refused" else view.state for view in views(project, run))
    told = ", ".join(f"{count} {state}" for state, count in states.items())
    return f"{run.name}: {'diagnoses' if states.total() != 1 else 'diagnosis'} of {run.plan.source} – {told or 'none'}"


def latest_decisions(project: Project) -> dict[str, Decision]:
    """The latest decision about each edit."""
    return {decision.edit: decision for decision in project.decisions() if decision.edit}


def _view(id: str, proposal: Proposal, decided: dict[str, Decision], tried: dict[str, EditRun]) -> EditView:
    if proposal.state != "proposed":
        return EditView(id=id, proposal=proposal, state=proposal.state)
    decision = decided.get(id)
    if decision is None or decision.because != proposal.diagnosis.says:  # of a folder of this name that was deleted
        return EditView(id=id, proposal=proposal, state="proposed")
    state: State = {"take": "taken", "leave": "left"}.get(decision.decision, "put back")  # type: ignore[assignment]
    run = tried.get(id)
    result = run.result(Trial) if run is not None else None
    if state == "taken" and result is not None:
        state = "kept" if result.word == "kept" else "not kept"
    return EditView(
        id=id,
        proposal=proposal,
        state=state,
        by=decision.by,
        word=result.word if result else "",
        said=upshot(result) if result else "",
        trial=run.name if run is not None else "",
    )


def number_of(project: Project, given: str) -> tuple[ImproveRun, Proposal]:
    """The proposal that a person names: "2" of the latest list, or "improve-001/2". Raises UsageError if there is none."""
    name, _, number = given.rpartition("/")
    known = {run.name: run for run in improve_runs(project.layout)}
    run = known.get(name) if name else require_latest(project)
    found = next((one for one in run.proposals() if str(one.number) == number.strip()), None) if run else None
    if run is None or found is None:
        raise UsageError(f"there is no edit {given}", next="finetune-prep improve, which lists them")
    return run, found


def taken(project: Project) -> EditView | None:
    """The edit that a person has taken and that still waits for its trial, while the document has it."""
    for run in reversed(improve_runs(project.layout)):
        for view in views(project, run):
            if view.state == "taken" and _stands(project, view):
                return view
    return None


def _stands(project: Project, view: EditView) -> bool:
    decision = latest_decisions(project)[view.id]
    document = project.document(KINDS[decision.document])
    return document is not None and text_hash(document.text) == decision.text
