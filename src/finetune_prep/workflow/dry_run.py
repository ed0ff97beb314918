"""The whole way again in a temporary folder, answered only by what is recorded: which questions have no answer?"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from finetune_prep.core.request import Reply, Request
from finetune_prep.errors import ActNeeded, GateError, NotYet
from finetune_prep.ledger.fetched import Fetched
from finetune_prep.ledger.protocols import Entry
from finetune_prep.phases import examining
from finetune_prep.phases.evaluating.evaluate import Wanted, evaluate, named
from finetune_prep.phases.pilot.pilot import pilot
from finetune_prep.phases.pilot.plan import KIND
from finetune_prep.phases.scaling.scale import Size, scale
from finetune_prep.phases.session import open_session
from finetune_prep.project.beginning.scaffold import copy_inputs
from finetune_prep.project.evaluating.runs import EvaluationPlan, evaluation_runs
from finetune_prep.project.project import Project, open_project
from finetune_prep.project.runs import SCALE, runs
from finetune_prep.sources.web import Web
from finetune_prep.workflow.prepare import prepare
from finetune_prep.workflow.scaling.beginning import passed_pilot, ruled_out

ANY_CONTEXT = 10**9  # tokens: whether the long prompt fits was found out before


class DryRun(msgspec.Struct, frozen=True, kw_only=True):
    """What a run would ask."""

    missing: tuple[Request, ...]
    """Requests without an answer, in the order in which they came up."""
    used: frozenset[str]
    """Keys of answers that were needed."""
    stopped: str = ""
    """Why it went no further, "" if it came to the end. Later requests depend on the answers to missing ones."""


class _Memory:
    """A provider that answers from entries and remembers what it was asked."""

    def __init__(self, entries: dict[str, Reply]) -> None:
        self.entries = entries
        self.missing: dict[str, Request] = {}
        self.used: set[str] = set()

    async def answer(self, request: Request) -> Reply:
        if request.key not in self.entries:
            self.missing[request.key] = request
            raise NotYet("there is no recorded answer", where=request.origin.label)
        self.used.add(request.key)
        return self.entries[request.key]

    async def close(self) -> None:
        """Nothing to give back."""


async def dry_run(project: Project, entries: list[Entry], n: int, fetched: Iterable[Fetched] = ()) -> DryRun:
    """Prepare, pilot n conversations and ask the judged gates, from the project's inputs alone, in a folder of their own.

    Scaled runs and evaluations are made again if the project has them, in the sizes that they have.
    fetched: what came back from the web; nobody is asked for more.
    """
    memory = _Memory({entry.key: entry.reply for entry in entries})
    stopped = ""
    with tempfile.TemporaryDirectory(prefix="finetune-prep-") as folder:
        copy_inputs(project.folder, Path(folder))
        copy = open_project(folder)
        try:
            off = copy.config.search.provider == "none"
            async with open_session(
                copy, provider=memory, web=lambda archive: Web(archive, recorded=lambda: fetched, off=off, offline=True)
            ) as session:
                await prepare(session, lambda phase: None)
                await pilot(msgspec.structs.replace(session, project=copy.repeating(_repeated(project, n))), n)
                await examining.ask(session)
                for size in _sizes(project):
                    await scale(session, size, passed_pilot(copy), ruled_out(copy))
            for run in evaluation_runs(project.layout):
                await _evaluate(copy, run.plan, memory)
        except NotYet:
            stopped = "what follows depends on these answers"
        except (ActNeeded, GateError) as error:
            stopped = str(error)
    return DryRun(missing=tuple(memory.missing.values()), used=frozenset(memory.used), stopped=stopped)


def _repeated(project: Project, n: int) -> float:
    """Share of the conversations that the latest pilot of this size judged twice, or is to."""
    latest = [run.plan.repeated for run in runs(project.layout, KIND) if run.plan.n == n][-1:]
    return max(project.config.pilot.repeat, *latest, 0.0)


def _sizes(project: Project) -> Iterator[Size]:
    """What the scaled runs of a project were asked for, in the order of asking."""
    for run in runs(project.layout, SCALE):
        most = run.plan.most if isinstance(run.plan.most, int) else None
        if run.plan.n:
            yield Size(rows=run.plan.n, most=most)
        for topic, rows in run.plan.topics.items():
            yield Size(rows=rows, topic=topic, most=most)


async def _evaluate(project: Project, plan: EvaluationPlan, memory: _Memory) -> None:
    """The evaluation of this plan again. Raises NotYet where an answer is missing."""
    models = {name: plan.models[name] for name in ("base", "tuned") if name in plan.models}
    most = plan.models["base"].get("max_tokens", 0)
    of = named(project, *(models.get(name, {}).get("provider", "") for name in ("base", "tuned")), max_tokens=most)
    wanted = Wanted(
        groups=plan.groups,
        runs=plan.runs,
        margin=plan.margin,
        prompted="prompted" in plan.arms,
        single=plan.single,
        context=ANY_CONTEXT,
    )
    async with open_session(of, provider=memory) as session:
        done = await evaluate(session, wanted, asks_servers=False)
    if done.waiting:
        raise NotYet(done.why_waiting)
