"""`pilot`: conversations, verdicts, and an account of every planned one."""

from __future__ import annotations

import click

from finetune_prep.cli import screen
from finetune_prep.cli.job import account_words, json_option, provider_option, work
from finetune_prep.core.sample import Account
from finetune_prep.errors import Paused
from finetune_prep.exports.report import suspicion
from finetune_prep.method import limits
from finetune_prep.models.costs import costs, per_row
from finetune_prep.phases.pilot.pilot import KIND, prepared
from finetune_prep.phases.pilot.pilot import pilot as run_pilot
from finetune_prep.phases.session import Session
from finetune_prep.project.project import open_project
from finetune_prep.project.runs import Run
from finetune_prep.workflow import exporting
from finetune_prep.workflow.estimate import Estimate, estimate
from finetune_prep.workflow.report import write_report


@click.command()
@click.option("-n", "size", default=limits.PILOT, show_default=True, type=click.IntRange(min=1), help="Number of conversations.")
@click.option("--window", default=64, show_default=True, type=click.IntRange(min=1), help="Conversations in work at a time.")
@provider_option
@json_option
@click.pass_obj
def pilot(project: str, size: int, window: int, provider: str | None, as_json: bool) -> None:
    """Make and judge conversations for scenarios drawn from the scenario space.

    Every planned scenario ends in exactly one state. The same documents give the same run: running it again goes on with it.
    """

    async def job(session: Session) -> tuple[Run, Account]:
        run, account = await run_pilot(session, size, window=window)
        write_report(session.project, run)
        tell_cost(session, run, account)
        return run, account

    def expect(session: Session) -> Estimate:
        prepared(session.project, "the pilot")
        return estimate(session.project, session.door.ledger, (KIND,), n=size, provider=provider or "")

    run, account = work(project, f"pilot -n {size}", provider, job, quiet=as_json, expect=expect)
    opened = open_project(project)
    rate = exporting.pass_rate(account)
    report = opened.layout.relative(run.report_path)
    doubt = suspicion([verdict.answers for verdict in run.verdicts()])
    if as_json:
        screen.json({"run": run.name, "planned": account.planned, "states": account.states, "rate": rate, "report": report})
    else:
        screen.say(f"{run.name}: {account.planned} planned – {account_words(account.states)}", bold=True)
        if rate.value is not None:
            interval = f"95% interval {rate.low:.0%} to {rate.high:.0%}"
            screen.say(f"  passed {rate.k} of {rate.n}: {rate.value:.0%}, {interval}, by the judge's word")
        if doubt:
            screen.paragraph(doubt)
        screen.say(f"  {report}")
        screen.say("next: finetune-prep show to look around, finetune-prep export --preview to see the rows")
        if unread := account.states["unjudged"]:
            screen.say(f"  {unread} without a verdict: the judge's answer could not be read; they count neither way")
    if account.outstanding and as_json:
        raise click.exceptions.Exit(Paused.exit_code)
    if account.outstanding:
        raise Paused(
            f"{account.outstanding} of {account.planned} scenarios got no answer",
            where=opened.layout.relative(run.samples_path),
            next=f"finetune-prep pilot -n {size}, which asks only for what is missing",
        )


def tell_cost(session: Session, run: Run, account: Account) -> None:
    """What the run's answers cost, in all and for each accepted row; nothing if they were free or a price is missing."""
    part = costs(session.door.ledger).of_run(run.name)
    if part.cost and not part.unpriced:
        each = per_row(part, account.states["accepted"])
        session.tell(f"{run.name} cost ${part.cost:.4f}" + ("" if each is None else f", ${each:.4f} for each accepted row"))
