"""The edit that a person has taken, with the prompt on both sides of it, as its trial needs it."""

from __future__ import annotations

from finetune_prep import documents
from finetune_prep.core.improving.edit import Proposal
from finetune_prep.core.scenarios.scenario import Scenario
from finetune_prep.documents.kinds import KINDS
from finetune_prep.errors import ActNeeded
from finetune_prep.phases.improving.trial import GENERATION, Edited
from finetune_prep.project.improving.runs import ImproveRun, improve_runs
from finetune_prep.project.project import Project
from finetune_prep.project.runs import runs
from finetune_prep.workflow.improving.edits import EditView, latest_decisions

TRIED = (GENERATION, "domain-frameworks")  # documents whose edits reach the assistant, so that talks show what they do


def edited(project: Project, view: EditView) -> Edited:
    """The edit that was taken, with the prompt on both sides of it. Raises ActNeeded where talks cannot show what it does."""
    diagnosis = view.proposal.diagnosis
    if diagnosis.clause.document not in TRIED:
        raise ActNeeded(
            f"an edit of {KINDS[diagnosis.clause.document].path} changes {_changes(diagnosis.clause.document)}, so no trial of "
            "conversations can say whether it helped",
            next="finetune-prep probe, and then a new pilot",
        )
    if not diagnosis.question:
        raise ActNeeded(
            "no question asks for what this edit is for, so nothing can be tested",
            next="add a question to the rubric, or a pilot",
        )
    decision = latest_decisions(project)[view.id]
    run = next(run for run in improve_runs(project.layout) if view.id.startswith(f"{run.name}/"))
    return Edited(
        edit=view.id,
        document=decision.document,
        question=diagnosis.question,
        source=run.plan.source,
        scenarios=_scenarios(project, run, view.proposal),
        before=kept_text(project, GENERATION, decision.prompt),
        after=project.sound(KINDS[GENERATION]).text,
    )


def _changes(document: str) -> str:
    return "what users bring" if document == "scenario-space" else "how conversations are judged"


def _scenarios(project: Project, run: ImproveRun, proposal: Proposal) -> tuple[Scenario, ...]:
    wanted = proposal.diagnosis.scenarios
    pilot = next((found for found in runs(project.layout) if found.name == run.plan.source), None)
    known = {sample.scenario.id: sample.scenario for sample in pilot.each_sample()} if pilot else {}
    return tuple(known[id] for id in wanted if id in known)


def kept_text(project: Project, kind: str, hash: str) -> str:
    """A text of a document that is kept in the history. Raises ActNeeded if it is gone."""
    path = project.layout.history(kind, hash)
    if not path.is_file():
        raise ActNeeded(
            f"the text that {KINDS[kind].path} had before the edit is gone from the history",
            next=f"finetune-prep history {kind}",
        )
    return documents.read_bytes(path.read_bytes(), KINDS[kind].path)[0]
