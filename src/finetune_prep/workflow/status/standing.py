"""How phases, documents and runs stand: what `status` shows and the next step follows from."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from finetune_prep.core.sample import Account
from finetune_prep.core.scenarios.drawing import draw
from finetune_prep.core.scenarios.space import ScenarioSpace
from finetune_prep.documents.kinds import KINDS, Documents
from finetune_prep.errors import DocumentError
from finetune_prep.method.phases import Phase
from finetune_prep.phases.pilot.plan import current_plan, grave_if_readable, planned
from finetune_prep.project.acceptance import why_not_accepted
from finetune_prep.project.project import Project
from finetune_prep.project.runs import SCALE, Run, runs
from finetune_prep.project.staleness import Change, Stale, compare
from finetune_prep.statistics.rates import Rate, wilson
from finetune_prep.statistics.sequential import anytime_interval
from finetune_prep.workflow.retrying.stopped import why_stopped
from finetune_prep.workflow.status.views import DocumentState, DocumentView, PhaseView, RunView
from finetune_prep.workflow.texts.history import how_to_restore, lost


def phase_view(project: Project, phase: Phase, stale: Sequence[Stale] | None = None) -> PhaseView:
    """A phase with its documents as they are now. stale: what `Project.stale` gives, for whoever has it."""
    behind = project.stale() if stale is None else stale
    documents = tuple(document_view(project, kind, behind) for kind in phase.outputs)
    done = all(document.state in ("accepted", "to accept", "written") for document in documents)
    if phase.name == "anchors" and done:
        done = bool(project.value(Documents.knowledge).anchors)
    return PhaseView(
        name=phase.name,
        title=phase.title,
        documents=documents,
        done=done,
        stopped="" if done else why_stopped(project, phase.name),
    )


def document_view(project: Project, kind: str, stale: Sequence[Stale] | None = None) -> DocumentView:
    """A document as it is now. stale: as of `phase_view`."""
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
    behind = tuple(str(part) for part in (project.stale() if stale is None else stale) if part.name == kind)
    decision = project.acceptance(kind)
    state: DocumentState = "accepted" if decision else "to accept"
    note = f"by {decision.by}" if decision else why_not_accepted(project, kind)
    return DocumentView(kind=kind, path=path, state=state, note=note, edited=edited, stale=behind)


def _matters(project: Project, run: Run, change: Change) -> bool:
    """Whether what a judge, a score or a scenario rests on has changed, and not only a reason, a goal or a note beside it.

    Verdicts name the version of the rubric they were given by; samples hold the scenarios as they were drawn.
    """
    if change.document == Documents.rubric.name:
        rubric = project.document(Documents.rubric)
        versions = {verdict.rubric for verdict in run.each_verdict()}
        return rubric is None or rubric.value is None or versions != {rubric.value.version}
    if change.document == Documents.space.name:
        if run.plan.kind == SCALE:
            return not _drawn_from(project.value(Documents.space), run)
        drawn = (sample.scenario for sample in run.each_sample())
        try:
            now = planned(project.value(Documents.space), run.plan.n, run.plan.seed)
        except DocumentError:
            return True
        return any(one != other for one, other in zip_longest(drawn, now))
    return True


def _drawn_from(space: ScenarioSpace, run: Run) -> bool:
    """Whether the present space gives every scenario of a run again."""
    try:
        return all(
            sample.scenario == draw(space, sample.scenario.cell, sample.scenario.index, run.plan.seed)
            for sample in run.each_sample()
        )
    except (ValueError, ZeroDivisionError):  # its cell is gone, or has no situation any more
        return False


def latest_scaled(project: Project) -> Run | None:
    """The latest scaled run of the present documents, None if there is none."""
    fresh = [run for run in runs(project.layout, SCALE) if not run_view(project, run).stale]
    return fresh[-1] if fresh else None


def run_view(project: Project, run: Run) -> RunView:
    """A run, and what has changed since it was made."""
    now = current_plan(project, run.plan.n)
    compared = (compare(kind, before, now.made_from.get(kind, {})) for kind, before in run.plan.made_from.items())
    changes = tuple(change for change in compared if change and _matters(project, run, change))
    stale = [f"{change} since" for change in changes]
    if any(run.plan.models.get(role, model) != model for role, model in now.models.items()):
        stale.append("the models or their parameters have changed since")
    if run.plan.read_by_both != now.read_by_both:
        share, before = f"{now.read_by_both:.0%}", f"{run.plan.read_by_both:.0%}"
        stale.append(f"a second judge now has to read {share} of the conversations, not {before}")
    if run.plan.way != now.way:
        stale.append(f"conversations are now made another way: {now.way}, not {run.plan.way}")
    if run.plan.seed != now.seed:
        stale.append("the project's seed has changed since")
    if run.plan.language != now.language:
        stale.append(f"its conversations are in {run.plan.language}, and the brief now asks for {now.language}")
    if run.plan.grave != now.grave and grave_if_readable(project) is not None:
        stale.append("which questions decide what becomes a training row has changed since")
    prompts = now.prompts if run.plan.way == now.way else {}
    stale += [f"the prompt {name}.md has changed since" for name in prompts if run.plan.prompts.get(name) != prompts[name]]
    planned = run.plan.wanted if run.plan.kind == SCALE else run.plan.n
    return RunView(name=run.name, kind=run.plan.kind, planned=planned, account=run.account(), changes=changes, stale=tuple(stale))


def pass_rate(account: Account) -> Rate:
    """Passed of those planned, without provider failures, what is outstanding and what has no verdict.

    Faulty rows count as not passed; what is flawed has passed, although it is no training row. Where a pilot was stopped early,
    the interval is one that holds wherever one stops.
    """
    if account.not_asked:
        interval = anytime_interval(account.passed, account.counted)
        return Rate(account.passed, account.counted, interval.low, interval.high)
    return wilson(account.passed, account.counted)
