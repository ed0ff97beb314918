"""What a program calls: a phase or a run from beginning to end, with money agreed to before the first call."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple, TypeVar

import msgspec

from finetune_prep.errors import NotAgreed
from finetune_prep.method import limits
from finetune_prep.method.phases import PHASES
from finetune_prep.models.providers.provider import Provider
from finetune_prep.phases.evaluating.evaluate import Wanted, named
from finetune_prep.phases.evaluating.evaluate import evaluate as run_evaluation
from finetune_prep.phases.evaluating.needed import prepared as ready_to_evaluate
from finetune_prep.phases.evaluating.needed import rests_on
from finetune_prep.phases.pilot.plan import KIND, prepared
from finetune_prep.phases.pilot.waves import Course
from finetune_prep.phases.scaling.scale import Size
from finetune_prep.phases.session import Session, open_session
from finetune_prep.project.lock import locked
from finetune_prep.project.project import Project
from finetune_prep.statistics.comparison import MARGIN
from finetune_prep.workflow.checking import require_checked
from finetune_prep.workflow.estimate import Estimate, estimate
from finetune_prep.workflow.evaluating.expected import expected as expected_of
from finetune_prep.workflow.evaluating.planning import enough_groups
from finetune_prep.workflow.evaluating.summary import EvaluationSummary
from finetune_prep.workflow.evaluating.summary import summarize as summarize_evaluation
from finetune_prep.workflow.piloting.making import make_pilot
from finetune_prep.workflow.planned_calls import used
from finetune_prep.workflow.prepare import prepare as run_phases
from finetune_prep.workflow.retrying.opening import Opened
from finetune_prep.workflow.retrying.opening import retry as open_again
from finetune_prep.workflow.run_summary import RunSummary, summarize
from finetune_prep.workflow.scaling.beginning import passed_pilot, require_growth, ruled_out
from finetune_prep.workflow.scaling.expected import expected
from finetune_prep.workflow.scaling.making import make_rows
from finetune_prep.workflow.scaling.summary import ScaleSummary

Confirm = Callable[[Estimate], bool | Awaitable[bool]]
Tell = Callable[[str], None]
T = TypeVar("T")


def _silent(line: str) -> None:
    """Nobody is told anything."""


class Asked(NamedTuple):
    """How a program was called: see `pilot`."""

    provider: str | Provider | None
    budget: float | None
    confirm: Confirm | None
    tell: Tell


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

    async def job(session: Session) -> None:
        await run_phases(session, lambda phase: tell(phase.title))

    asked = Asked(provider, budget, confirm, tell)
    await _run(project, "prepare", _phases([phase.name for phase in PHASES], asked), job, asked)
    kinds = tuple(dict.fromkeys(kind for phase in PHASES for kind in phase.outputs))
    return Prepared(documents=kinds, to_accept=tuple(kind for kind in kinds if project.acceptance(kind) is None))


async def pilot(
    project: Project,
    n: int = limits.PILOT,
    *,
    stop_early: bool = True,
    repeat: float | None = None,
    provider: str | Provider | None = None,
    budget: float | None = None,
    confirm: Confirm | None = None,
    tell: Tell = _silent,
) -> RunSummary:
    """Make and judge n conversations; the results stand in the run's folder, the summary says what came of it.

    stop_early: a pilot of 50 and more goes in waves, and its rest is not asked once its pass rate is clearly too low.
    repeat: share of the conversations that the judge is asked about a second time, 0 to 1, None = as finetune-prep.toml says.
    provider: asked for all roles instead of those in finetune-prep.toml, by name or as an object. budget: US dollars that this
    project may spend in all. confirm: is given the estimate before the first call that costs money, or may, and its no sends
    nothing. tell: takes lines for a person. What costs money, or may, needs one of budget and confirm: raises NotAgreed without
    either, and ActNeeded where documents are missing or not accepted.
    """
    project = project.repeating(repeat) if repeat is not None else project
    prepared(project, "the pilot")
    require_checked(project, "the pilot")

    async def job(session: Session) -> RunSummary:
        run, account, found = await make_pilot(session, n, Course(stop_early=stop_early))
        return summarize(session.project, run, account, found)

    asked = Asked(provider, budget, confirm, tell)
    return await _run(project, f"pilot -n {n}", _phases((KIND,), asked, n, waves=stop_early), job, asked)


async def evaluate(
    project: Project,
    base: str = "",
    tuned: str = "",
    *,
    groups: int = limits.HELD_OUT,
    runs: int = limits.EVALUATION_RUNS,
    margin: float = MARGIN,
    prompted: bool = False,
    single: bool = False,
    max_tokens: int = 0,
    context: int = 0,
    judged: bool = True,
    provider: str | Provider | None = None,
    budget: float | None = None,
    confirm: Confirm | None = None,
    tell: Tell = _silent,
) -> EvaluationSummary:
    """Have a base model, and a tuned one if it is named, talk about held-out scenarios, and judge the talks.

    base, tuned: provider/model, or "" for those of finetune-prep.toml. groups: scenarios, six at least. runs: talks of each model
    with each. margin: pass rate that may be lost and still be “not worse”. prompted: also the base with the long generation
    prompt, if `context` tokens hold it (0 = as its server says). single: one exchange each. max_tokens: of a reply, 0 = as the
    settings say. judged: False ends with the replies and what can be counted of them. provider, budget, confirm, tell: as of
    `pilot`. Raises UsageError for models that are one, ActNeeded where documents are not accepted or replies cannot be those of
    two models.
    """
    enough_groups(groups)
    of = named(project, base, tuned, max_tokens=max_tokens)
    wanted = Wanted(groups=groups, runs=runs, margin=margin, prompted=prompted, single=single, context=context, judged=judged)
    ready_to_evaluate(of, prompted=prompted)
    require_checked(of, "the evaluation", rests_on(of, prompted=prompted))
    name = provider if isinstance(provider, str) else ""

    async def job(session: Session) -> EvaluationSummary:
        done = await run_evaluation(session, wanted, asks_servers=provider is None)
        return await summarize_evaluation(session.project, session.door.ledger, done)

    async def expect(session: Session) -> Estimate:
        return expected_of(session, await used(session.door.ledger), wanted, name)

    return await _run(of, "evaluate", expect, job, Asked(provider, budget, confirm, tell))


def _phases(
    phases: Sequence[str], asked: Asked, n: int = limits.PILOT, *, waves: bool = True
) -> Callable[[Session], Awaitable[Estimate]]:
    """What phases have still to ask."""
    name = asked.provider if isinstance(asked.provider, str) else ""

    async def expect(session: Session) -> Estimate:
        return estimate(session.project, await used(session.door.ledger), phases, n=n, provider=name, waves=waves)

    return expect


async def scale(
    project: Project,
    rows: int,
    *,
    topic: str = "",
    most: int | None = None,
    provider: str | Provider | None = None,
    budget: float | None = None,
    confirm: Confirm | None = None,
    tell: Tell = _silent,
) -> ScaleSummary:
    """Make and judge conversations until so many rows are accepted; a larger number goes on with the same run.

    topic: rows of this topic, beside what the run has of all. most: conversations that may be made; None = four for each row.
    The others: as of `pilot`. Raises GateError while the pilot has not passed or nobody has read it, and ActNeeded as `pilot`.
    """
    size = Size(rows=rows, topic=topic, most=most)
    passed = passed_pilot(project)
    require_growth(project, size)

    async def job(session: Session) -> ScaleSummary:
        return await make_rows(session, size, passed, ruled_out(session.project))

    name = provider if isinstance(provider, str) else ""

    async def expect(session: Session) -> Estimate:
        return expected(project, await used(session.door.ledger), size, name)

    return await _run(project, f"scale {rows}", expect, job, Asked(provider, budget, confirm, tell))


async def _run(
    project: Project,
    command: str,
    expect: Callable[[Session], Awaitable[Estimate]],
    job: Callable[[Session], Awaitable[T]],
    asked: Asked,
) -> T:
    """What `job` gives, in a session in which what costs money, or may, has been agreed to. It begins again after a yes.

    expect: what is still to be asked.
    """
    if asked.budget is not None:
        project = msgspec.structs.replace(project, config=msgspec.structs.replace(project.config, budget=asked.budget))
    agreed = asked.budget is not None and asked.confirm is None
    while True:
        async with open_session(project, command=command, provider=asked.provider, tell=asked.tell, agreed=agreed) as session:
            foreseen = await expect(session)
            try:
                return await job(session)
            except NotAgreed:
                pass  # nothing that costs anything was sent; asked about below, when the project is free again
        await _ask(foreseen, asked.confirm)
        agreed = True


async def _ask(expected: Estimate, confirm: Confirm | None) -> None:
    """Raise NotAgreed unless the caller agrees to what is to come."""
    if confirm is None:
        price = "at an unknown price" if expected.cost is None else f"about ${expected.cost:.2f}"
        raise NotAgreed(
            f"{expected.calls:,} calls {price}, and nobody has agreed to that",
            next="pass budget= (US dollars) or confirm= (a function that is given the estimate)",
        )
    answer = confirm(expected)
    if not (await answer if inspect.isawaitable(answer) else answer):
        raise NotAgreed("nothing was asked", next="answer True in confirm= to begin")


def retry(project: Project, *wanted: str, by: str) -> Opened:
    """Open one more attempt for answers that cannot be used; the next `prepare` or `pilot` asks for them.

    wanted: "unusable", "failed", "unjudged", keys of requests, ids of rows; none: all. by: who decides. No model is asked.
    Raises UsageError for an id that means nothing here, ProjectLocked if another process works on the project.
    """
    with locked(project.layout.lock, "retry"):
        return open_again(project, wanted, by)
