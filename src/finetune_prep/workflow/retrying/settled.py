"""What is settled because answers cannot be used: rows of runs, questions of judged gates, the phase that ended so."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Literal

import msgspec

from finetune_prep.core.sample import Sample, State
from finetune_prep.errors import Unusable
from finetune_prep.ledger.protocols import Ledger
from finetune_prep.models.askings import first_asking, opened_asking
from finetune_prep.models.roles import Roles
from finetune_prep.phases import examining
from finetune_prep.phases.examining.gate_requests import BY_ID
from finetune_prep.phases.requests import Requests
from finetune_prep.project.evaluating.runs import evaluation_runs
from finetune_prep.project.project import Project
from finetune_prep.project.runs import Run, runs
from finetune_prep.workflow.evaluating.standing import why_stale
from finetune_prep.workflow.looking import looked
from finetune_prep.workflow.retrying.stopped import read_stopped
from finetune_prep.workflow.status.standing import run_view

Kind = Literal["unusable", "failed", "unjudged"]
OF_STATE: dict[State, Kind] = {"faulty": "unusable", "failed": "failed", "unjudged": "unjudged"}


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """One request whose answers cannot be used."""

    key: str
    """Of its first attempt."""
    kind: Kind
    about: str
    """What ended with it, in words."""
    ids: tuple[str, ...] = ()
    """Of the scenario and the conversation, where it is a row of a run."""
    again: str
    """The command that asks for it when it is opened."""


def settled(project: Project) -> list[Settled]:
    """All that is settled so and still holds, each request once. Raises as `looked`."""
    found = [*_phase(project), *_rows(project), *_talks(project), *_gates(project)]
    return [*{item.key: item for item in reversed(found)}.values()][::-1]


def live_runs(project: Project) -> list[Run]:
    """Runs whose rows a further answer would still change: they are made from the documents as they are."""
    return [run for run in runs(project.layout) if not run_view(project, run).stale]


def ended(sample: Sample) -> Kind | None:
    """The kind of end that a row has come to by an answer that cannot be used; None where that is not so."""
    return OF_STATE.get(sample.state) if sample.unusable else None


def of_earlier_versions(run: Run) -> int:
    """How many rows of a run ended so, and do not say with which request: an earlier version wrote them."""
    return sum(
        not sample.unusable and (sample.state in ("failed", "unjudged") or (sample.state == "faulty" and not sample.conversation))
        for sample in run.each_sample()
    )


def _phase(project: Project) -> Iterator[Settled]:
    stopped = read_stopped(project.layout.stopped)
    if stopped is not None:
        kind: Kind = "failed" if stopped.rejected else "unusable"
        for key in stopped.keys:
            yield Settled(key=key, kind=kind, about=f"{stopped.phase}: {stopped.why}", again="finetune-prep prepare")


def _rows(project: Project) -> Iterator[Settled]:
    for run in live_runs(project):
        again = run.plan.command
        for sample in run.each_sample():
            if kind := ended(sample):
                conversation = (sample.conversation.id,) if sample.conversation else ()
                about = f"{run.name}, {sample.scenario.id}: {sample.fault}"
                yield Settled(key=sample.unusable, kind=kind, about=about, ids=(sample.scenario.id, *conversation), again=again)


def _talks(project: Project) -> Iterator[Settled]:
    """Of evaluations; the command of each goes on with it alone, so all of them are named."""
    for run in evaluation_runs(project.layout):
        talks = [talk for talk in run.talks() if talk.unusable]
        if talks and not why_stale(project, run):
            for talk in talks:
                kind: Kind = "unjudged" if talk.state == "unjudged" else "unusable"
                about = f"{run.name}, {talk.scenario}, {talk.arm}, run {talk.run}: {talk.fault}"
                yield Settled(key=talk.unusable, kind=kind, about=about, again=run.plan.command)


def _gates(project: Project) -> Iterator[Settled]:
    for about, error in judged(project).unusable.items():
        for key in error.keys:
            yield Settled(key=key, kind=kind_of(error), about=f"{about}: {error.what}", again="finetune-prep check --judge")


def judged(project: Project, gates: Collection[str] = tuple(BY_ID)) -> examining.Standing:
    """How the questions of these judged gates about the present texts stand. Raises as `looked`."""
    requests, documents = Requests(project, Roles(project.config)), project.documents()
    found = looked(project, lambda ledger: examining.standing(requests, documents, ledger.answers, gates), None)
    return found or examining.Standing(unasked=examining.questions(requests, documents, gates))


def kind_of(error: Unusable) -> Kind:
    return "failed" if error.rejected else "unusable"


async def waiting(ledger: Ledger, keys: list[str], opened: dict[str, int]) -> set[str]:
    """Those of these requests for which an attempt is open that nobody has made yet. opened: as of `Project.opened`."""
    found = set()
    for key in keys:
        if number := opened.get(key, 0):
            entry = await ledger.answers.get(key)
            if entry is not None and not await ledger.answers.known([opened_asking(entry.request, number).key]):
                found.add(key)
    return found


async def first_keys(ledger: Ledger, start: str) -> set[str]:
    """Keys of the first attempts of requests whose keys begin like this, of any attempt; of two requests at most."""
    keys = await ledger.answers.beginning(start)
    entries = [await ledger.answers.get(key) for key in keys]
    return {first_asking(entry.request).key for entry in entries if entry is not None}
