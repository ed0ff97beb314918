"""What diagnoses rest on: the latest pilot, what people said of it, and what probes found."""

from __future__ import annotations

from finetune_prep.documents.kinds import Documents
from finetune_prep.errors import ActNeeded
from finetune_prep.exports.figures import each_row, run_figures
from finetune_prep.labels.file import read_labels
from finetune_prep.labels.label import Opinion, opinions
from finetune_prep.phases.improving.diagnose import Evidence
from finetune_prep.project.improving.runs import ImproveRun
from finetune_prep.project.project import Project
from finetune_prep.project.runs import Run
from finetune_prep.statistics.probing.table import QuestionRow
from finetune_prep.workflow.exporting import finished_pilot
from finetune_prep.workflow.improving.edits import latest, views
from finetune_prep.workflow.probing.standing import probed_rows
from finetune_prep.workflow.reviewing.counting import rubric_version, unplaced, why_stale


def source_of(project: Project) -> Run:
    """The pilot that is read: the latest of the present documents. Raises ActNeeded while it is unfinished, or judged nothing."""
    run, account = finished_pilot(project)
    if account.outstanding:
        raise ActNeeded(f"{run.name} is unfinished", next=run.plan.command)
    if not account.judged:
        raise ActNeeded(f"nothing of {run.name} was judged", next="finetune-prep status")
    return run


def goes_on(project: Project) -> ImproveRun | None:
    """The latest list of proposals, while an edit of it stands in a document that no pilot has been made from: there is nothing
    new to diagnose, and the other edits can still be taken. None otherwise.
    """
    run = latest(project)
    if run is None or not any(view.state in ("taken", "kept") for view in views(project, run)):
        return None
    try:
        source_of(project)
    except ActNeeded:
        return run
    return None


def evidence_of(project: Project, run: Run) -> Evidence:
    """Everything that is known of a pilot's talks."""
    rows = tuple(each_row(run))
    persons, probed = _persons(project, run), _probed(project)
    return Evidence(
        rubric=project.value(Documents.rubric),
        knowledge=project.value(Documents.knowledge),
        prompt=project.value(Documents.generation_prompt),
        space=project.value(Documents.space),
        rows=rows,
        persons=persons,
        missed=unplaced(project, persons),
        jumpy=frozenset(row.id for row in probed if row.alarms_easily),
        blind={row.id: row.seen.n for row in probed if row.word == "blind"},
        figures=run_figures(project, rows),
    )


def _persons(project: Project, run: Run) -> tuple[Opinion, ...]:
    """What people said, and still holds."""
    labels = read_labels(run.labels_path).labels
    labelled = {label.scenario for label in labels}
    samples = {sample.scenario.id: sample for sample in run.each_sample() if sample.scenario.id in labelled}
    rubric = rubric_version(project)
    held = opinions(labels)
    return tuple(
        opinion
        for (labeller, _), opinion in held.items()
        if labeller.kind == "person" and opinion.decided and not why_stale(opinion.latest, samples, rubric)
    )


def _probed(project: Project) -> tuple[QuestionRow, ...]:
    """What the latest probes say of each question, while they hold."""
    return tuple(row for row, _ in probed_rows(project).values())
