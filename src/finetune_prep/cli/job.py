"""Running a phase from the command line: project, lock, ledger, door; progress; batch files; Ctrl-C and SIGTERM."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TypeVar

import click

from finetune_prep.cli import person, screen, termination
from finetune_prep.cli.agreeing import Consent, amount_words
from finetune_prep.cli.allowing import allowed
from finetune_prep.cli.progress import Bar
from finetune_prep.errors import KeyNotAllowed, LedgerBroken, NotAgreed, NotYet, PriceUnknown, Waiting
from finetune_prep.models.batches.files import OpenRound
from finetune_prep.models.batches.submissions import OpenBatch
from finetune_prep.models.budget import budget_line
from finetune_prep.models.costs import so_far
from finetune_prep.models.roles import costly
from finetune_prep.phases.session import Session, open_session
from finetune_prep.project.config import FILE
from finetune_prep.project.decisions import Decision
from finetune_prep.project.project import Project, open_project
from finetune_prep.workflow.batching.rounds import about
from finetune_prep.workflow.batching.to_import import answers_at
from finetune_prep.workflow.estimate import Estimate
from finetune_prep.workflow.status.emptied import emptied, way_back

T = TypeVar("T")
TINY = 1e-6  # dollars: sums of prices are not exact, and the budget that is asked for has whole cents


def work(
    folder: str,
    command: str,
    provider: str | None,
    job: Callable[[Session], Awaitable[T]],
    *,
    expect: Callable[[Session], Awaitable[Estimate]],
    quiet: bool = False,
    yes: bool = False,
    at_most: float | None = None,
    of: Callable[[Project], Project] = lambda project: project,
) -> T:
    """Run `job` in a session with the project in `folder`; quiet: lines for people go to standard error.

    at_most: US dollars that it may spend, whatever the budget leaves. of: the project as the command's options have it. expect:
    what the job will need; told before it starts, and projected while it runs. yes: it may cost that, and keys may go where they
    never went. What costs money, or may, and a key that goes to a new host, are asked about on a terminal before anything is
    sent; after a yes the job begins again, and has what it had. Raises Waiting, naming the files, if answers are outstanding when
    the job ends, NotAgreed, PriceUnknown and KeyNotAllowed.
    """
    project = of(open_project(folder))
    consent = Consent(project, command, provider, yes=yes, quiet=quiet)
    while True:
        bar = Bar()
        try:
            return termination.run(
                _work(project, command, provider, job, consent, bar, quiet=quiet, expect=expect, at_most=at_most)
            )
        except KeyNotAllowed as refused:
            if not allowed(refused, yes=yes):
                raise
        except NotAgreed:
            if not consent.ask():
                raise consent.refusal from None
        except PriceUnknown as unknown:
            if not _agreed(project, unknown):
                raise
        finally:  # not before the event loop has ended: a second Ctrl-C gives up its calls in any order
            if bar.loss:
                screen.note(bar.loss)


def _agreed(project: Project, unknown: PriceUnknown) -> bool:
    """Ask whether to go on without a count, and keep a yes in decisions.jsonl; nobody there to ask is a no."""
    if not person.is_there():
        return False
    question = f"{unknown.what}. You can give it: {unknown.next}.\nOr go on uncounted? Then the budget does not cover it."
    if not click.confirm(screen.clean(question), default=False, err=True):
        return False
    at = datetime.now(UTC).isoformat(timespec="seconds")
    project.decide(Decision(decision="uncounted", by=person.whoever(), at=at, text="", model=unknown.model))
    return True


async def _work(
    project: Project,
    command: str,
    provider: str | None,
    job: Callable[[Session], Awaitable[T]],
    consent: Consent,
    bar: Bar,
    *,
    quiet: bool,
    expect: Callable[[Session], Awaitable[Estimate]],
    at_most: float | None,
) -> T:
    of_about = 0
    tell = bar.around(screen.note if quiet else lambda line: screen.say(f"  {line}"))
    try:
        async with open_session(project, command=command, provider=provider, observer=bar, tell=tell, at_most=at_most) as session:
            try:
                if not consent.told and (lost := emptied(project, provider or "")):
                    tell(f"{lost}. To have it again: {way_back(project)}")
                expected = await expect(session)
                if not consent.told:
                    tell(estimate_words(expected))
                    if expected.about:
                        tell(expected.about)
                    if short := short_words(expected, session.door.room, project.config.budget):
                        tell(short)
                bar.free = not costly(project.config, provider or "")
                if len({row.phase for row in expected.rows}) == 1:  # where a person must read in between, nothing is projected
                    bar.expected = expected
                if consent.stands(expected, await so_far(session.door.ledger)):
                    session.door.agree()
                elif consent.up_front:
                    raise NotAgreed("nobody has agreed to what this will cost")
                result = await job(session)
                rounds = await session.door.flush()
                of_about = await about(session.door.ledger, expected.rounds)
            except NotYet as missing:
                rounds = await session.door.flush()
                of_about = await about(session.door.ledger, expected.rounds)
                raise _waiting(project, rounds, _again(command, provider), of_about, missing) from None
            except asyncio.CancelledError:
                bar.clear()
                screen.note("Stopping: calls under way may finish, so that no answer is lost. Ctrl-C again leaves at once.")
                raise
            finally:
                with contextlib.suppress(LedgerBroken):  # that has been told
                    consent.note(await so_far(session.door.ledger))
    finally:
        bar.clear()
    if rounds:
        raise _waiting(project, rounds, _again(command, provider), of_about)
    return result


def _again(command: str, provider: str | None) -> str:
    """A command as it goes on: asked without the provider, the models of the settings would answer the rest."""
    return command if provider is None else f"{command} --provider {provider}"


def _waiting(
    project: Project, rounds: tuple[OpenRound | OpenBatch, ...], command: str, of_about: int, missing: NotYet | None = None
) -> Waiting:
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
    later = f"{again}, later: it fetches what is done by then (finetune-prep batch status shows how far it is)"
    numbers = tuple(round.number for round in rounds)
    return Waiting(
        f"{subject} {what}{_position(numbers, of_about)}",
        rounds=numbers,
        of_about=of_about,
        details=(*(_round_words(project, round) for round in files), *map(_batch_words, batches), *_how_to_answer(files)),
        next=f"finetune-prep batch import {answers_at(project.folder, [round.number for round in files])} && {again}"
        if files
        else later,
    )


def _how_to_answer(files: list[OpenRound]) -> list[str]:
    if not files:
        return []
    pages = " && ".join(f"finetune-prep batch show {round.number}" for round in files)
    return ["They can be answered by a model that takes such files, by a coding agent, or by hand on pages:", f"  {pages}"]


def _position(numbers: tuple[int, ...], of_about: int) -> str:
    """Which rounds of how many these are, "" where nobody knows: ": round 7 of about 28"."""
    if not of_about:
        return ""
    which = f"round {numbers[0]}" if len(numbers) == 1 else f"rounds {', '.join(map(str, numbers[:-1]))} and {numbers[-1]}"
    return f": {which} of about {max(of_about, *numbers)}"


def _round_words(project: Project, round: OpenRound) -> str:
    new = "  (new)" if round.fresh else ""
    return f"  {project.layout.relative(round.path)}  {round.outstanding} of {round.asked} requests unanswered{new}"


def _batch_words(batch: OpenBatch) -> str:
    new = "  (new)" if batch.fresh else ""
    name = f"{batch.provider} {batch.batch}".strip()
    return f"  round {batch.number}, {name}: {batch.outstanding} of {batch.asked} requests unanswered; {batch.words}{new}"


def estimate_words(expected: Estimate) -> str:
    """What is to come, in one line."""
    if not expected.calls:
        return "Nothing is left to ask."
    basis = "answers so far" if expected.measured else "the bundled examples"
    basis += " and the bundled examples" if 0 < expected.measured < 1 else ""
    return f"Estimate: {amount_words(expected)}, going by {basis}"


def short_words(expected: Estimate, room: float, budget: float | None) -> str:
    """What is said where the budget will not do, "" where it may. room: US dollars of it that are left."""
    if budget is None or expected.cost is None or expected.cost <= room + TINY:
        return ""
    enough = budget_line(budget - room + expected.cost)
    left = f"${max(0.0, room):.4f} of the budget of ${budget:.2f} is left, so the run would stop before its end"
    return f"{left}; write at least {enough} in {FILE} to let it finish"
