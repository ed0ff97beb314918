"""How the latest evaluation stands: what it said, and whether it still speaks of the project as it is."""

from __future__ import annotations

import msgspec

from finetune_prep import documents
from finetune_prep.core.identity import digest
from finetune_prep.documents.kinds import KINDS, Documents
from finetune_prep.errors import DocumentError, UsageError
from finetune_prep.models.roles import model_of
from finetune_prep.phases.evaluating.needed import FIRST, SIDES
from finetune_prep.project.evaluating.runs import EvaluationRun, evaluation_runs
from finetune_prep.project.layout import read_plain
from finetune_prep.project.project import Project
from finetune_prep.project.runs import runs
from finetune_prep.statistics.evaluation.table import Table
from finetune_prep.statistics.evaluation.words import upshot
from finetune_prep.workflow.status.views import EvaluationView

OFFER = (
    "Is tuning worth it at all? finetune-prep evaluate --base provider/model has the untuned model talk to simulated users, and "
    "the judge answers the rubric about its conversations."
)


def evaluation_view(project: Project) -> EvaluationView | None:
    """The latest evaluation, if there is one."""
    found = evaluation_runs(project.layout)
    return _view(project, found[-1]) if found else None


def evaluation_views(project: Project) -> list[EvaluationView]:
    """All of them, oldest first."""
    return [_view(project, run) for run in evaluation_runs(project.layout)]


def _view(project: Project, run: EvaluationRun) -> EvaluationView:
    said = table_of(run)
    return EvaluationView(
        name=run.name,
        arms=run.plan.arms,
        groups=run.plan.groups,
        runs=run.plan.runs,
        finished=said is not None,
        upshot=upshot(said) if said else "",
        stale=why_stale(project, run),
        command=run.plan.command,
    )


def table_of(run: EvaluationRun) -> Table | None:
    """What is said of an evaluation; None if it has not come to its end."""
    if not run.finished:
        return None
    try:
        return msgspec.json.decode(read_plain(run.result_path), type=Table)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(
            f"this result cannot be read: {error}",
            where=f"{run.name}/{run.result_path.name}",
            next=f"{run.plan.command}, which writes it anew",
        ) from error


def why_stale(project: Project, run: EvaluationRun) -> tuple[str, ...]:
    """What has changed since, of all that talks and verdicts rest on."""
    plan = run.plan
    try:
        rubric = project.value(Documents.rubric)
        judged_by = _text(project, "evaluation-prompt")
        system = _text(project, "system-prompt") if project.layout.document("system-prompt").is_file() else ""
    except DocumentError as error:
        return (f"the documents cannot be read: {error.what}",)
    why = []
    if plan.rubric != rubric.version:
        why.append("the rubric has changed since")
    if plan.evaluation_prompt != digest(judged_by):
        why.append("the evaluation prompt has changed since")
    if plan.models["judge"] != {"provider": project.config.role("judge").model, **model_of(project.config, "judge")}:
        why.append("the judge or its parameters have changed since")
    if "tuned" in plan.arms and plan.texts["tuned"] != digest(system):
        why.append("the system prompt has changed since")
    return tuple(why)


def _text(project: Project, kind: str) -> str:
    return documents.body(project.sound(KINDS[kind]).text).strip()


def offer(project: Project) -> str:
    """What is offered as soon as the judge's prompt is accepted, until something was evaluated or a pilot made; "" otherwise."""
    accepted = all(project.layout.document(kind).is_file() and project.acceptance(kind) is not None for kind in FIRST)
    begun = all(project.layout.document(kind).is_file() for kind in SIDES) and bool(runs(project.layout))
    return OFFER if accepted and not begun and not evaluation_runs(project.layout) else ""
