"""Running a phase from the command line: project, lock, ledger, door; progress; batch files; Ctrl-C."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import click

from finetune_prep.cli import screen
from finetune_prep.errors import NotYet, Waiting
from finetune_prep.models.door import Progress
from finetune_prep.models.providers.batch import OpenRound
from finetune_prep.models.providers.batch_submissions import OpenBatch
from finetune_prep.phases.workshop import Workshop, open_workshop
from finetune_prep.project.project import Project, open_project

T = TypeVar("T")
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
provider_option = click.option(
    "--provider",
    metavar="NAME",
    help="Ask every role through this provider instead: batch, recording, openai-batch, or one of finetune-prep.toml.",
)


def work(folder: str, command: str, provider: str | None, job: Callable[[Workshop], Awaitable[T]], *, quiet: bool = False) -> T:
    """Run `job` with a workshop for the project in `folder`; quiet: lines for people go to standard error.

    Raises Waiting, naming the files, if answers are outstanding when the job ends.
    """
    return asyncio.run(_work(open_project(folder), command, provider, job, quiet=quiet))


async def _work(
    project: Project, command: str, provider: str | None, job: Callable[[Workshop], Awaitable[T]], *, quiet: bool
) -> T:
    bar = Bar()
    tell = bar.around(screen.note if quiet else lambda line: screen.say(f"  {line}"))
    try:
        async with open_workshop(project, command=command, provider=provider, observer=bar, tell=tell) as shop:
            try:
                result = await job(shop)
                rounds = await shop.door.flush()
            except NotYet as missing:
                raise _waiting(project, await shop.door.flush(), command, missing) from None
            except asyncio.CancelledError:
                bar.clear()
                screen.note("Stopping: calls under way may finish, since they are paid for. Ctrl-C again leaves at once.")
                raise
    finally:
        bar.clear()
    if rounds:
        raise _waiting(project, rounds, command)
    return result


def _waiting(project: Project, rounds: tuple[OpenRound | OpenBatch, ...], command: str, missing: NotYet | None = None) -> Waiting:
    if not rounds and missing is not None:  # it waits where another provider put it
        return Waiting(missing.what, where=missing.where, next=missing.next)
    files = [round for round in rounds if isinstance(round, OpenRound)]
    batches = [round for round in rounds if isinstance(round, OpenBatch)]
    asked = sum(round.outstanding for round in rounds)
    subject, (were, are) = (
        ("1 question to a model", ("was", "is")) if asked == 1 else (f"{asked} questions to models", ("were", "are"))
    )
    fresh = any(round.fresh for round in rounds)
    if not batches:
        what = f"{were} written to a batch file" if fresh else f"{are} still waiting in a batch file"
    elif not files:
        what = f"{were} sent to a Batch API" if fresh else f"{are} still with a Batch API"
    else:
        what = f"{are} waiting in batch files and with a Batch API"
    again = f"finetune-prep {command}"
    later = f"{again}, later: it takes in what is done by then (how far it is: finetune-prep batch status)"
    return Waiting(
        f"{subject} {what}",
        details=(*(_round_words(project, round) for round in files), *map(_batch_words, batches)),
        next=f"have them answered, then: finetune-prep batch import ANSWERS.jsonl && {again}" if files else later,
    )


def _round_words(project: Project, round: OpenRound) -> str:
    new = "  (new)" if round.fresh else ""
    return f"  {project.layout.relative(round.path)}  {round.outstanding} of {round.asked} requests unanswered{new}"


def _batch_words(batch: OpenBatch) -> str:
    new = "  (new)" if batch.fresh else ""
    name = f"{batch.provider} {batch.batch}".strip()
    return f"  round {batch.number}, {name}: {batch.outstanding} of {batch.asked} requests unanswered; {batch.words}{new}"


class Bar:
    """One live line on a terminal with what the door is doing; nothing at all where there is no terminal."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()
        self._text = ""

    def __call__(self, progress: Progress) -> None:
        if not self._shown:
            return
        parts = [f"{progress.answered + progress.known} answered"]
        parts += [f"{progress.in_flight} in flight"] if progress.in_flight else []
        parts += [f"{progress.waiting} for a batch"] if progress.waiting else []
        parts += [f"{progress.failed} failed"] if progress.failed else []
        parts += [f"${progress.spent:.4f}"] if progress.spent else []
        self._text = " · ".join(parts)
        click.echo(f"\r\x1b[K  {self._text}", nl=False, err=True)

    def clear(self) -> None:
        if self._text:
            click.echo("\r\x1b[K", nl=False, err=True)
            self._text = ""

    def around(self, tell: Callable[[str], None]) -> Callable[[str], None]:
        """A `tell` that does not write into the live line."""

        def told(line: str) -> None:
            self.clear()
            tell(line)

        return told


def account_words(states: dict[Any, int]) -> str:
    """The states that occur, as people read them: "9 accepted, 3 rejected"."""
    return ", ".join(f"{count} {state}" for state, count in states.items() if count)
