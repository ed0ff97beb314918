"""What a program calls: a phase or a run from beginning to end, with money agreed to before the first call."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import msgspec

from finetune_prep.errors import ActNeeded
from finetune_prep.method import limits
from finetune_prep.method.phases import PHASES
from finetune_prep.models.providers.provider import Provider
from finetune_prep.phases.pilot.pilot import KIND, prepared
from finetune_prep.phases.pilot.pilot import pilot as run_pilot
from finetune_prep.phases.session import Session, open_session
from finetune_prep.project.project import Project
from finetune_prep.workflow.estimate import Estimate, estimate
from finetune_prep.workflow.planned_calls import used
from finetune_prep.workflow.prepare import prepare as run_phases
from finetune_prep.workflow.report import write_report
from finetune_prep.workflow.run_summary import RunSummary, summarize

Confirm = Callable[[Estimate], bool | Awaitable[bool]]
Tell = Callable[[str], None]


def _silent(line: str) -> None:
    """Nobody is told anything."""


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """What `prepare` left behind."""

    documents: tuple[str, ...]
    """Kinds of all documents of the five phases."""
    to_accept: tuple[str, ...]
    """Those that nobody has accepted as they stand."""


async def prepare(
    project: Project,
    *,
    provider: str | Provider | None = None,
    budget: float | None = None,
    confirm: Confirm | None = None,
    tell: Tell = _silent,
) -> Prepared:
    """Make the documents of phases 1 to 5 that are not there yet.

    provider, budget, confirm, tell: as of `pilot`. Raises ActNeeded where a person must accept first: run it again after that.
    """
    names = [phase.name for phase in PHASES]
    async with _agreed(project, "prepare", names, 0, provider, budget, confirm, tell) as session:
        await run_phases(session, lambda phase: tell(phase.title))
    kinds = tuple(dict.fromkeys(kind for phase in PHASES for kind in phase.outputs))
    return Prepared(documents=kinds, to_accept=tuple(kind for kind in kinds if project.acceptance(kind) is None))


async def pilot(
    project: Project,
    n: int = limits.PILOT,
    *,
    provider: str | Provider | None = None,
    budget: float | None = None,
    confirm: Confirm | None = None,
    tell: Tell = _silent,
) -> RunSummary:
    """Make and judge n conversations; the results stand in the run's folder, the summary says what came of it.

    provider: asked for all roles instead of those in finetune-prep.toml, by name or as an object. budget: US dollars that this
    project may spend in all; with it nothing is asked before. confirm: is given the estimate, and its no sends nothing. tell:
    takes lines for a person. What costs money, or may, needs one of budget and confirm: raises ActNeeded without either, as
    where documents are missing or not accepted.
    """
    prepared(project, "the pilot")
    async with _agreed(project, f"pilot -n {n}", (KIND,), n, provider, budget, confirm, tell) as session:
        run, account = await run_pilot(session, n)
        write_report(session.project, run)
        return await summarize(session.project, session.door.ledger, run, account)


@asynccontextmanager
async def _agreed(
    project: Project,
    command: str,
    phases: Sequence[str],
    n: int,
    provider: str | Provider | None,
    budget: float | None,
    confirm: Confirm | None,
    tell: Tell,
) -> AsyncIterator[Session]:
    """A session in which what is to come has been agreed to."""
    if budget is not None:
        project = msgspec.structs.replace(project, config=msgspec.structs.replace(project.config, budget=budget))
    async with open_session(project, command=command, provider=provider, tell=tell) as session:
        name = provider if isinstance(provider, str) else ""
        expected = estimate(project, await used(session.door.ledger), phases, n=n or limits.PILOT, provider=name)
        own = provider is not None and not isinstance(provider, str)  # the caller's object: what it costs is the caller's
        if expected.calls and not own:
            await _ask(expected, budget, confirm)
        yield session


async def _ask(expected: Estimate, budget: float | None, confirm: Confirm | None) -> None:
    """Raise ActNeeded unless the caller agrees to what is to come."""
    price = "at an unknown price" if expected.cost is None else f"about ${expected.cost:.2f}"
    if confirm is not None:
        answer = confirm(expected)
        if not (await answer if inspect.isawaitable(answer) else answer):
            raise ActNeeded("nothing was asked", next="answer True in confirm= to begin")
    elif budget is None and expected.cost != 0:
        raise ActNeeded(
            f"{expected.calls:,} calls {price}, and nobody has agreed to that",
            next="pass budget= (US dollars) or confirm= (a function that is given the estimate)",
        )
