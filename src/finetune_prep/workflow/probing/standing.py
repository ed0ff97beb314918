"""How the rubric stands by its latest probes: what they said, and whether they still speak of it."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from finetune_prep import documents
from finetune_prep.core.identity import digest
from finetune_prep.documents.kinds import KINDS, Documents
from finetune_prep.errors import DocumentError, UsageError
from finetune_prep.gates.workflow import Bite
from finetune_prep.models.roles import model_of
from finetune_prep.phases.probing.subjects import subjects_hash
from finetune_prep.project.layout import read_plain
from finetune_prep.project.probing.runs import ProbeKind, ProbeRun, probe_runs
from finetune_prep.project.project import Project
from finetune_prep.statistics.probing.table import FailureTable, ProbeTable, QuestionRow
from finetune_prep.workflow.status.views import ProbeView

T = TypeVar("T", ProbeTable, FailureTable)
KINDS_OF_RUN: tuple[ProbeKind, ...] = ("probe", "failures")


def probe_views(project: Project) -> tuple[ProbeView, ...]:
    """The latest run of each kind, if there is one."""
    return tuple(view_of(project, found[-1]) for kind in KINDS_OF_RUN if (found := probe_runs(project.layout, kind)))


def view_of(project: Project, run: ProbeRun) -> ProbeView:
    return ProbeView(
        name=run.name,
        kind=run.plan.kind,
        source=run.plan.source,
        questions=_table(run, ProbeTable) if run.plan.kind == "probe" else None,
        failures=_table(run, FailureTable) if run.plan.kind == "failures" else None,
        stale=why_stale(project, run),
    )


def why_stale(project: Project, run: ProbeRun) -> tuple[str, ...]:
    """What has changed since, of all that an answer of the judge rests on."""
    try:
        rubric, knowledge = project.value(Documents.rubric), project.value(Documents.knowledge)
        prompt = documents.body(project.sound(KINDS["evaluation-prompt"]).text).strip()
    except DocumentError as error:
        return (f"the documents cannot be read: {error.what}",)
    why = []
    if run.plan.rubric != rubric.version:
        why.append("the rubric has changed since")
    if run.plan.subjects != subjects_hash(rubric, knowledge, run.plan.kind):
        why.append("what its questions check and catch has changed since")
    if run.plan.evaluation_prompt != digest(prompt):
        why.append("the evaluation prompt has changed since")
    if run.plan.models.get("judge") != model_of(project.config, "judge"):
        why.append("the judge or its parameters have changed since")
    return tuple(why)


def probed_rows(project: Project) -> dict[str, tuple[QuestionRow, ProbeRun]]:
    """Question → what the latest run that probed it says, of the runs that still hold, and that run.

    A question that was probed alone speaks for itself; the others are spoken for by the run before.
    """
    found: dict[str, tuple[QuestionRow, ProbeRun]] = {}
    for run in reversed(probe_runs(project.layout, "probe")):
        if (table := _table(run, ProbeTable)) is not None and not why_stale(project, run):
            for row in table.questions:
                found.setdefault(row.id, (row, run))
    return found


def bite_of(project: Project) -> Bite | None:
    """What the latest probes that still hold say of the gate's questions; None if there is no rubric."""
    document = project.document(Documents.rubric)
    if document is None or document.value is None:
        return None
    rubric = document.value
    asked = [question.id for category in rubric.categories if category.gate for question in category.questions]
    judged = {question.id for question in rubric.judged}
    rows = probed_rows(project)
    measured = [id for id in asked if id in judged and id in rows]
    return Bite(
        words={id: rows[id][0].word if id in rows else "not measured" for id in asked if id in judged},
        tried={id: rows[id][0].seen.n if id in rows else 0 for id in asked if id in judged} if rows else {},
        run=max((project.layout.relative(rows[id][1].folder) for id in measured), default=""),
        rubric=rubric.version,
    )


def _table(run: ProbeRun, kind: type[T]) -> T | None:
    """What is said of a run; None if it has not come to its end."""
    if not run.finished:
        return None
    try:
        return msgspec.json.decode(read_plain(run.result_path), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(
            f"this result cannot be read: {error}",
            where=f"{run.name}/{run.result_path.name}",
            next=f"{run.plan.command}, which writes it anew",
        ) from error
