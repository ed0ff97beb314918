"""`batch status`, `fetch`, `cancel` and `settle`: what is with a Batch API, looked after without a run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

import click
import msgspec

from finetune_prep.cli import screen
from finetune_prep.cli.allowing import with_keys
from finetune_prep.cli.options import json_option
from finetune_prep.errors import FinetunePrepError, KeyNotAllowed, Paused, UsageError
from finetune_prep.ledger.opening import open_ledger
from finetune_prep.ledger.protocols import Ledger
from finetune_prep.ledger.submissions import Submission
from finetune_prep.models.batches.submissions import Batches
from finetune_prep.models.routes import open_batches
from finetune_prep.project.lock import locked
from finetune_prep.project.project import Project, open_project

STATUS = "finetune-prep status"
T = TypeVar("T")


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """One batch."""

    round: int
    provider: str
    batch: str
    asked: int
    """How many requests it holds."""
    outstanding: int
    """How many of them wait for an answer."""
    worst: float
    words: str
    """How far it is, in the provider's words, or why that is not known."""


def words(submission: Submission | None) -> str:
    """Where a round is, for a table; "" for one in a file."""
    if submission is None:
        return ""
    return f"{submission.provider} {submission.batch or '–'} ({submission.state})"


async def dropped(ledger: Ledger, number: int, outstanding: Sequence[str]) -> None:
    """Wait for a round no longer. What a Batch API may be working on counts as spent."""
    submission = next((found for found in await _open(ledger) if found.number == number), None)
    if submission is None:
        await ledger.rounds.release(outstanding)
        return
    ended = msgspec.structs.replace(submission, state="dropped")
    lost = 0.0 if submission.state == "planned" else submission.worst
    await ledger.rounds.note(ended, release=outstanding, lost=lost)


@click.command()
@json_option
@click.pass_obj
def status(project: str, as_json: bool) -> None:
    """Ask the Batch APIs how far their batches are. Changes nothing."""
    opened = open_project(project)
    standings = with_keys(lambda: asyncio.run(_with_ledger(opened, lambda ledger: _standings(opened, ledger))))
    if as_json:
        screen.json(standings)
        return
    screen.table(
        [
            (
                f"round {found.round}",
                found.provider,
                found.batch or "–",
                f"{found.outstanding} of {found.asked} unanswered",
                found.words,
            )
            for found in standings
        ]
    )
    if not standings:
        screen.say("Nothing is waiting at a Batch API.")
        return
    if worst := sum(found.worst for found in standings):
        screen.say(f"up to ${worst:.4f} is set aside for them")
    screen.next_step("finetune-prep batch fetch, once something is done")


@click.command()
@json_option
@click.pass_obj
def fetch(project: str, as_json: bool) -> None:
    """Take in the results of batches that have ended. The command that waited does so as well, and goes on."""

    async def job(opened: Project, ledger: Ledger) -> int:
        before = await ledger.reports.count()
        try:
            await _look_after(opened, ledger, [submission.provider for submission in await _open(ledger)])
        finally:
            # said even where something is to be fixed: what has come is kept
            (screen.note if as_json else screen.say)(
                f"{screen.counted(await ledger.reports.count() - before, 'answer')} taken in"
            )
        return await ledger.reports.count() - before

    taken, standings = _working(project, "batch fetch", job)
    if as_json:
        screen.json({"taken": taken, "open": standings}, step=STATUS)
    else:
        _print_open(standings)


@click.command()
@click.argument("batch", required=False)
@json_option
@click.pass_obj
def cancel(project: str, batch: str | None, as_json: bool) -> None:
    """Cancel a BATCH, by its id or the number of its round; without one, all of them. What is done by then is taken in.

    What was not done is asked again, in a new batch, by the next command that needs it.
    """

    async def job(opened: Project, ledger: Ledger) -> int:
        chosen = [found for found in await _open(ledger) if batch in (None, found.batch, str(found.number))]
        if not chosen:
            raise UsageError(
                f"there is no open batch {batch}" if batch else "no batch is open", next="finetune-prep batch status"
            )
        count = await ledger.reports.count()
        for found in chosen:
            told = await _cancelled(opened, ledger, found)
            (screen.note if as_json else screen.say)(f"round {found.number}: {told}")
        await _look_after(opened, ledger, [found.provider for found in chosen])
        return await ledger.reports.count() - count

    taken, standings = _working(project, "batch cancel", job)
    if as_json:
        screen.json({"taken": taken, "open": standings}, step=STATUS)
        return
    screen.say(f"{screen.counted(taken, 'answer')} taken in")
    _print_open(standings)


@click.command()
@click.argument("number", type=click.IntRange(min=1), metavar="ROUND")
@click.argument("batch", required=False)
@click.option("--not-there", is_flag=True, help="The provider never received it: what is still needed is sent again.")
@json_option
@click.pass_obj
def settle(project: str, number: int, batch: str | None, not_there: bool, as_json: bool) -> None:
    """Say what became of a ROUND of which it is not known whether the provider has it: BATCH is the provider's id for it.

    The provider's own web page lists batches with their times and numbers of requests.
    """
    if bool(batch) == not_there:
        raise UsageError("say either the id of the batch or --not-there", next=f"finetune-prep batch settle {number} BATCH")
    opened = open_project(project)

    async def job(ledger: Ledger) -> None:
        found = next((one for one in await _open(ledger) if one.number == number), None)
        if found is None or found.state == "sent":
            raise UsageError(f"round {number} needs no settling", next="finetune-prep batch status")
        if batch:
            await ledger.rounds.note(msgspec.structs.replace(found, state="sent", batch=batch))
            return
        keys = [request.key for request in await ledger.rounds.requests_of(number)]
        await ledger.rounds.note(msgspec.structs.replace(found, state="void"), release=keys)

    with locked(opened.layout.lock, "batch settle"):
        asyncio.run(_with_ledger(opened, job))
    if as_json:
        screen.json({"round": number, "batch": batch, "sent": bool(batch)}, step="finetune-prep batch fetch")
        return
    screen.say(f"round {number}: " + (f"its batch is {batch}" if batch else "never sent; what is still needed is sent again"))
    screen.next_step("finetune-prep batch fetch")


def _working(project: str, command: str, job: Callable[[Project, Ledger], Awaitable[int]]) -> tuple[int, list[Standing]]:
    """Do `job` with the project locked; what it gives, and what is open afterwards."""
    opened = open_project(project)

    async def work(ledger: Ledger) -> tuple[int, list[Standing]]:
        taken = await job(opened, ledger)
        return taken, await _standings(opened, ledger)

    with locked(opened.layout.lock, command):
        return with_keys(lambda: asyncio.run(_with_ledger(opened, work)))


async def _with_ledger(project: Project, job: Callable[[Ledger], Awaitable[T]]) -> T:
    if not project.layout.ledger.is_file():
        raise UsageError("nothing has been asked in this project yet", where=str(project.folder), next="finetune-prep prepare")
    async with open_ledger(project.layout.ledger) as ledger:
        return await job(ledger)


async def _cancelled(project: Project, ledger: Ledger, submission: Submission) -> str:
    """Ask for the end of a submission; how it stands then, in words."""
    async with _batches(project, ledger, submission.provider) as batches:
        if submission.state != "sent":
            await batches.look_after()  # it may be there, and then it can be cancelled
            submission = next(found for found in await ledger.rounds.submissions() if found.number == submission.number)
        if submission.state == "sent":
            return await batches.cancel(submission)
        return await batches.tell(submission) if submission.open else "it was never sent"


async def _look_after(project: Project, ledger: Ledger, providers: Sequence[str]) -> None:
    """Take in what is done at these providers, and say what has come to nothing."""
    for name in dict.fromkeys(providers):
        async with _batches(project, ledger, name) as batches:
            try:
                await batches.look_after()
            finally:
                for note in batches.notes:
                    screen.note(f"  {note}")


async def _open(ledger: Ledger) -> list[Submission]:
    return [submission for submission in await ledger.rounds.submissions() if submission.open]


@asynccontextmanager
async def _batches(project: Project, ledger: Ledger, name: str) -> AsyncIterator[Batches]:
    batches = await open_batches(project.config, ledger, project.folder, name)
    try:
        yield batches
    finally:
        await batches.close()


async def _standings(project: Project, ledger: Ledger) -> list[Standing]:
    rounds = {found.number: found for found in await ledger.rounds.all()}
    return [
        Standing(
            round=found.number,
            provider=found.provider,
            batch=found.batch,
            asked=rounds[found.number].asked,
            outstanding=rounds[found.number].outstanding,
            worst=found.worst,
            words=await _told(project, ledger, found),
        )
        for found in await _open(ledger)
    ]


async def _told(project: Project, ledger: Ledger, submission: Submission) -> str:
    """How far a batch is; where that cannot be asked, why not."""
    try:
        async with _batches(project, ledger, submission.provider) as batches:
            return await batches.tell(submission)
    except KeyNotAllowed:
        raise
    except Paused as paused:
        return str(paused.what)
    except FinetunePrepError as error:
        return f"{error.what}; next: {error.next}"


def _print_open(standings: list[Standing]) -> None:
    for found in standings:
        name = found.batch or "–"
        screen.say(
            f"  round {found.round}, {found.provider} {name}: {found.outstanding} of {found.asked} unanswered; {found.words}"
        )
    screen.next_step(f"{STATUS}, which names the command that goes on")
