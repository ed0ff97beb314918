"""What a person, a script or an agent is told of an evaluation, and its page."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from finetune_prep.core.evaluating.talk import Arm
from finetune_prep.documents.kinds import Documents
from finetune_prep.durable import write_atomically
from finetune_prep.errors import Paused
from finetune_prep.exports.evaluating.page import Said, render
from finetune_prep.ledger.protocols import Ledger
from finetune_prep.models.costs import costs
from finetune_prep.models.setup.choosing import family
from finetune_prep.phases.evaluating.evaluate import Evaluated
from finetune_prep.project.evaluating.runs import EvaluationPlan, EvaluationRun, evaluation_runs
from finetune_prep.project.project import Project
from finetune_prep.statistics.evaluation.replies import Replies, count_replies
from finetune_prep.statistics.evaluation.table import Table
from finetune_prep.statistics.evaluation.words import beside, limits_of, main_pair, remedy, upshot
from finetune_prep.workflow.texts.first_brief import title_of

AFTER = "finetune-prep status"


class EvaluationSummary(msgspec.Struct, frozen=True, kw_only=True):
    """An evaluation as it stands at its end, or where it waits."""

    run: str
    models: Mapping[Arm, str]
    groups: int
    runs: int
    table: Table | None
    """None while answers are outstanding, and where no judge was asked."""
    replies: tuple[Replies, ...]
    """What was counted of the replies where no judge was asked, by arm."""
    upshot: str
    remedy: str
    beside: tuple[str, ...]
    """What has to be known to read the figures rightly, in sentences."""
    cannot_tell: tuple[str, ...]
    left_out: str
    """Why the arm `prompted` was left out although it was asked for, "" otherwise."""
    waiting: int
    """Talks that wait for an answer."""
    why_waiting: str
    cost: float | None
    """US dollars for its answers; None if a price is unknown."""
    report: str
    """The page's path in the project."""
    next: str
    exit_code: int


async def summarize(project: Project, ledger: Ledger, done: Evaluated) -> EvaluationSummary:
    """The summary of an evaluation; writes its page if it has come to its end."""
    run, table = done.run, done.table
    part = (await costs(ledger)).of_run(run.name)
    again = _more_groups(run.plan, table)
    said = _said(project, run, table, again) if table else Said("", "", (), (), run.plan.left_out)
    if table:
        write_atomically(run.report_path, _page(project, done, table, said))
    return EvaluationSummary(
        run=run.name,
        models=models_of(run.plan),
        groups=run.plan.groups,
        runs=run.plan.runs,
        table=table,
        replies=count_replies(done.talks) if table is None else (),
        upshot=said.upshot,
        remedy=said.remedy,
        beside=tuple(said.beside),
        cannot_tell=tuple(said.limits),
        left_out=run.plan.left_out,
        waiting=done.waiting,
        why_waiting=done.why_waiting,
        cost=None if part.unpriced else part.cost,
        report=project.layout.relative(run.report_path) if table else "",
        next=again or AFTER if table else run.plan.command,
        exit_code=Paused.exit_code if done.waiting else 0,
    )


def models_of(plan: EvaluationPlan) -> dict[Arm, str]:
    """The model of each arm, as provider/model."""
    return {arm: plan.models["base" if arm == "prompted" else arm]["provider"] for arm in plan.arms}


def _said(project: Project, run: EvaluationRun, table: Table, again: str) -> Said:
    lines = [*beside(table), *filter(None, (_looked_before(project, run), _related(run.plan)))]
    return Said(upshot(table), remedy(table, again), lines, limits_of(table), run.plan.left_out)


def _more_groups(plan: EvaluationPlan, table: Table | None) -> str:
    """The command of the same evaluation with as many groups as would probably tell, "" where more would not help."""
    if table is None:
        return ""
    pair = main_pair(table)
    if pair is None:
        unclear = "not clear" in upshot(table)
        return msgspec.structs.replace(plan, groups=2 * plan.groups).command if unclear else ""
    if pair.word != "not established" or pair.more_groups is None:
        return ""
    return msgspec.structs.replace(plan, groups=plan.groups + (pair.more_groups or plan.groups)).command


def _looked_before(project: Project, run: EvaluationRun) -> str:
    """What is said where the same models were compared before: looking until something shows is no test."""
    before = [
        other.name
        for other in evaluation_runs(project.layout)
        if other.name < run.name and other.finished and len(other.plan.arms) > 1 and other.plan.models == run.plan.models
    ]
    if not before or len(run.plan.arms) < 2:
        return ""
    return (
        f"These models were compared before ({', '.join(before)}). Every further look is another chance to be wrong: with two "
        "looks, the 5% risk can be as high as 10%."
    )


def _related(plan: EvaluationPlan) -> str:
    """What is said of a judge that is of the family of the models it judges."""
    judge = plan.models["judge"]["model"]
    alike = sorted({model["model"] for name, model in plan.models.items() if name in ("base", "tuned")})
    if not any(family(judge) == family(name) for name in alike):
        return ""
    return (
        f"The judge ({judge}) belongs to the same family as what it judges ({', '.join(alike)}), and models tend to favour their "
        "own style."
    )


def _page(project: Project, done: Evaluated, table: Table, said: Said) -> str:
    plan = done.run.plan
    return render(
        domain=title_of(project),
        run=done.run.name,
        models=models_of(plan),
        judge=plan.models["judge"]["model"],
        user=plan.models["user"]["model"],
        runs=plan.runs,
        rubric=project.value(Documents.rubric),
        table=table,
        talks=done.talks,
        scenarios=done.scenarios,
        said=said,
    )
