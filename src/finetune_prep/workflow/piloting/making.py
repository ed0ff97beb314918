"""A pilot and its report."""

from __future__ import annotations

from finetune_prep.core.sample import Account
from finetune_prep.models.costs import costs
from finetune_prep.phases.pilot.pilot import pilot
from finetune_prep.phases.pilot.plan import KIND, current_plan, prepared
from finetune_prep.phases.pilot.waves import Course
from finetune_prep.phases.session import Session
from finetune_prep.project.project import Project
from finetune_prep.project.runs import Run, runs
from finetune_prep.workflow.remembered.finished import finished, keep_finished
from finetune_prep.workflow.report import Reported, reported


async def make_pilot(session: Session, n: int, course: Course | None = None) -> tuple[Run, Account, Reported]:
    """Make n conversations, or go on with them, and write the report. Arguments and errors: as of `pilot`.

    One that has come to its end is not made again while nothing has changed that it rests on.
    """
    project = session.project
    prepared(project, "the pilot")
    if before := await made_before(session, n):
        return *before, reported(project, *before, await costs(session.door.ledger))
    run, account = await pilot(session, n, course)
    found = reported(project, run, account, await costs(session.door.ledger))
    if not account.outstanding and not account.not_asked and not _read_twice(run):
        await keep_finished(project, session.door.ledger, run)
    return run, account, found


async def made_before(session: Session, n: int) -> tuple[Run, Account] | None:
    """The pilot of this size if it has come to its end, and making it again would give the same; None otherwise."""
    known = _known(session.project, n)
    account = await finished(session.project, session.door.ledger, known) if known else None
    return (known, account) if known and account else None


def _known(project: Project, n: int) -> Run | None:
    """The run that a pilot of this size is, None if it has yet to be made, or somebody has yet to read some of it again."""
    plan = current_plan(project, n)
    return next((run for run in runs(project.layout, KIND) if run.plan == plan and not _read_twice(run)), None)


def _read_twice(run: Run) -> bool:
    """Whether conversations have two verdicts: one that is outstanding changes no state, so that the account does not tell."""
    return bool(run.plan.repeated or run.plan.read_by_both)
