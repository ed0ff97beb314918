"""Scaling with all that belongs to it: the run, its report, and what is told of it."""

from __future__ import annotations

import time
from collections.abc import Mapping

from finetune_prep.core.sample import Account
from finetune_prep.errors import Paused
from finetune_prep.models.costs import costs
from finetune_prep.phases.scaling.scale import Passed, Size, scale, scale_plan
from finetune_prep.phases.session import Session
from finetune_prep.project.runs import SCALE, Run, runs
from finetune_prep.project.scaling.result import Scaled, read_result, same_but_for_size
from finetune_prep.workflow.remembered.finished import finished, keep_finished
from finetune_prep.workflow.report import reported, write_report
from finetune_prep.workflow.scaling.summary import ScaleSummary, summarize_scaled


async def make_rows(
    session: Session, size: Size, pilot: Passed, ruled_out: Mapping[str, str], *, window: int | None = None
) -> ScaleSummary:
    """Go on with the run of this size, or begin it, and write its report, also of what is there when a provider or the budget
    stops it. Arguments: as of `scale`."""
    began = time.process_time()
    rests_on = pilot, dict(ruled_out)
    try:
        made = await _made(session, size, *rests_on)
        run, account, result = made or await scale(session, size, pilot, ruled_out, window=window)
    except Paused:
        if stopped := same_but_for_size(session.project.layout, scale_plan(session.project, size)):
            write_report(session.project, stopped)
        raise
    cpu = time.process_time() - began
    found = reported(session.project, run, account, await costs(session.door.ledger))
    if result.reached and not run.plan.read_by_both:
        await keep_finished(session.project, session.door.ledger, run, *rests_on)
    return summarize_scaled(session.project, run, account, result, found, cpu)


async def _made(session: Session, size: Size, *rests_on: object) -> tuple[Run, Account, Scaled] | None:
    """The run of this size if it has all of its rows, and making it again would give the same ones."""
    project, ledger = session.project, session.door.ledger
    plan = scale_plan(project, size)
    for run in runs(project.layout, SCALE):
        account = await finished(project, ledger, run, *rests_on) if run.plan == plan else None
        if account and (result := read_result(run)):
            return run, account, result
    return None
