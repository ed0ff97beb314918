"""Simulated projects from pilot to trial: the steps of the workflow, over scripted models."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from finetune_prep.core.improving.diagnosis import Diagnosis
from finetune_prep.core.improving.edit import Proposal
from finetune_prep.models.providers.scripted import Scripted
from finetune_prep.phases.improving.diagnose import diagnose
from finetune_prep.phases.improving.propose import improve
from finetune_prep.phases.improving.trial import Wanted
from finetune_prep.phases.pilot.pilot import pilot
from finetune_prep.phases.session import open_session
from finetune_prep.project.project import Project, open_project
from finetune_prep.project.runs import Run, runs
from finetune_prep.workflow.improving.found import evidence_of, source_of
from finetune_prep.workflow.improving.taking import take
from finetune_prep.workflow.improving.tried import TrialSummary, tried
from tests.phases.improving.simulated import Simulated
from tests.phases.pottery_shop import accept_all, pottery_project

PILOT = 60
T = TypeVar("T")


class Shop(NamedTuple):
    project: Project
    models: Simulated

    @property
    def run(self) -> Run:
        return runs(self.project.layout, "pilot")[-1]

    def reopened(self) -> Project:
        return open_project(self.project.folder).conversing("one-call")


def alone(job: Coroutine[Any, Any, T]) -> T:
    """Run it in a thread of its own: a browser's test has an event loop already."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(asyncio.run, job).result()


def new_shop(folder: Path, *, seed: int = 0, more: str = "") -> Project:
    """A shop with a seed of its own. more: lines of its finetune-prep.toml."""
    project = pottery_project(folder)
    path = project.layout.config
    path.write_text(
        f'{path.read_text("utf-8").replace("seed = 1 ", f"seed = {seed} ")}\n[pilot]\nway = "one-call"\n{more}', "utf-8"
    )
    return open_project(folder)


def piloted(project: Project, models: Simulated, n: int = PILOT, waive: Collection[str] = ()) -> Shop:
    """The shop with its documents accepted and a pilot made. waive: gates that fail."""
    accept_all(project, waive=waive)

    async def go() -> None:
        async with open_session(project, provider=Scripted(models.answer)) as session:
            await pilot(session, n)

    alone(go())
    return Shop(project, models)


def diagnosed(shop: Shop) -> tuple[Diagnosis, ...]:
    return diagnose(evidence_of(shop.project, source_of(shop.project)))


def proposed(shop: Shop) -> tuple[Proposal, ...]:
    async def go() -> tuple[Proposal, ...]:
        async with open_session(shop.project, provider=Scripted(shop.models.answer)) as session:
            run = source_of(shop.project)
            return (await improve(session, run, evidence_of(shop.project, run))).proposals

    return alone(go())


def taken(shop: Shop, number: int = 1) -> None:
    alone(take(shop.project, str(number), by="Ada Larch", interactive=True))


def trial_of(shop: Shop, wanted: Wanted | None = None) -> TrialSummary:
    async def go() -> TrialSummary:
        async with open_session(shop.project, provider=Scripted(shop.models.answer)) as session:
            return await tried(session, wanted or Wanted())

    return alone(go())
