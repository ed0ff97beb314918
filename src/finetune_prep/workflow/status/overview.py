"""Where a project stands: phases, documents, what is stale and why, runs, money, and the next command."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from finetune_prep.documents.kinds import KINDS, Documents
from finetune_prep.errors import DocumentError
from finetune_prep.exports.figures import few_shot_habits, in_sentences
from finetune_prep.ledger.protocols import Ledger, Round, TimeSpent
from finetune_prep.ledger.submissions import Submission
from finetune_prep.method.phases import PHASES
from finetune_prep.phases.pilot.plan import KIND
from finetune_prep.project.project import Project
from finetune_prep.project.runs import Run, runs
from finetune_prep.workflow.batching.to_import import answers_at
from finetune_prep.workflow.checking import criteria
from finetune_prep.workflow.evaluating.standing import evaluation_view, offer
from finetune_prep.workflow.improving.edits import in_short
from finetune_prep.workflow.looking import looked
from finetune_prep.workflow.probing.standing import probe_views
from finetune_prep.workflow.remembered.answers import Standing
from finetune_prep.workflow.remembered.figures import figures
from finetune_prep.workflow.remembered.shelf import shelf
from finetune_prep.workflow.reviewing.counting import Due, Reviewed, reviewed
from finetune_prep.workflow.reviewing.due import due
from finetune_prep.workflow.status.emptied import emptied, way_back
from finetune_prep.workflow.status.next_step import next_step
from finetune_prep.workflow.status.sources_now import sources_now
from finetune_prep.workflow.status.standing import phase_view, run_view
from finetune_prep.workflow.status.to_read import to_read
from finetune_prep.workflow.status.views import Effort, Overview, RunView


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """What the ledger holds, as far as an overview tells it."""

    answers: int = 0
    spent: float = 0.0
    """US dollars."""
    unpriced: int = 0
    """Answers whose cost is unknown."""
    rounds: tuple[Round, ...] = ()
    submissions: tuple[Submission, ...] = ()
    time_spent: tuple[TimeSpent, ...] = ()


async def held(ledger: Ledger) -> Held:
    return Held(
        answers=await ledger.reports.count(),
        spent=await ledger.money.spent(),
        unpriced=sum(line.unpriced for line in await ledger.reports.tokens_used()),
        rounds=await ledger.rounds.all(),
        submissions=await ledger.rounds.submissions(),
        time_spent=await ledger.reports.time_spent(),
    )


def standing_of(project: Project) -> Standing:
    """Where the project stands now, and the ten success criteria. Raises as `overview`."""
    with shelf(project):
        return Standing(overview=overview(project), criteria=criteria(project))


def overview(project: Project) -> Overview:
    """Where the project stands now. Raises as `looked`."""
    in_ledger = looked(project, held, Held())
    stale = project.stale()
    phases = tuple(phase_view(project, phase, stale) for phase in PHASES)
    known = runs(project.layout)
    views = tuple(run_view(project, run) for run in known)
    reading = due(project)
    waiting = {round.number: round.outstanding for round in in_ledger.rounds}
    elsewhere = {submission.number for submission in in_ledger.submissions}
    in_files = [number for number, count in waiting.items() if count and number not in elsewhere]
    to_import = answers_at(project.folder, in_files) if in_files else ""
    return Overview(
        project=project.config.name,
        language=project.value(Documents.brief).language,
        phases=phases,
        to_read=tuple(to_read(project, dict.fromkeys(kind for phase in PHASES for kind in phase.outputs))),
        stale=tuple(str(part) for part in stale),
        sources=sources_now(project).all,
        runs=views,
        answers=in_ledger.answers,
        outstanding=sum(waiting.values()),
        spent=in_ledger.spent,
        unpriced=in_ledger.unpriced,
        effort=_effort(project, in_ledger.time_spent),
        next=next_step(project, phases, [part.name for part in stale if part.compiled], views, to_import),
        note=f"{words}. To have it again: {way_back(project)}" if (words := emptied(project)) else "",
        figures=_figures(project, known, views),
        figures_of=_latest_pilot(views),
        probes=probe_views(project),
        evaluation=evaluation_view(project),
        edits=in_short(project),
        offer=offer(project),
        due=reading,
        review=_review(project, known, reading),
    )


def _review(project: Project, known: Sequence[Run], reading: Due | None) -> Reviewed | None:
    run = next((run for run in known if reading and run.name == reading.run), None)
    return reviewed(project, run) if run is not None and run.labels_path.is_file() else None


def _latest_pilot(views: Sequence[RunView]) -> str:
    """The name of the latest pilot if it is of the present documents, "" otherwise."""
    pilots = [view for view in views if view.kind == KIND]
    return pilots[-1].name if pilots and pilots[-1].account and not pilots[-1].stale else ""


def _figures(project: Project, known: Sequence[Run], views: Sequence[RunView]) -> tuple[str, ...]:
    if pilot := _latest_pilot(views):
        return in_sentences(figures(project, next(run for run in known if run.name == pilot)))
    if not project.layout.document(Documents.generation_prompt.name).is_file():
        return ()
    try:
        return few_shot_habits(project)
    except DocumentError:  # the line of the document says so
        return ()


def _effort(project: Project, taken: Sequence[TimeSpent]) -> tuple[Effort, ...]:
    """Per phase in the order of the method, then whatever else asked models; phases in which nothing happened are left out."""
    time_spent = {found.phase: found for found in taken}
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
