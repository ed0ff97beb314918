"""Finding one thing by its id: a scenario, a conversation, a request, an item of a document or a gate, with all behind it."""

from __future__ import annotations

from functools import partial

import msgspec

from finetune_prep.core.evaluating.talk import ARMS, ArmTalk
from finetune_prep.core.request import Request
from finetune_prep.core.sample import Sample
from finetune_prep.core.scenarios.scenario import Scenario
from finetune_prep.documents.kinds import Documents
from finetune_prep.errors import UsageError
from finetune_prep.ledger.protocols import Aside, Entry, Ledger
from finetune_prep.project.evaluating.runs import evaluation_runs
from finetune_prep.project.project import Project
from finetune_prep.project.runs import Run, VerdictRow, runs
from finetune_prep.workflow.looking import looked
from finetune_prep.workflow.reading.items import FoundGate, FoundItem, gate_of, item_of


class FoundSample(msgspec.Struct, frozen=True, kw_only=True):
    """A sample with its verdict and the keys of every request that was asked for it, in the order of asking."""

    run: str
    sample: Sample
    verdict: VerdictRow | None
    requests: tuple[str, ...]
    grave: tuple[str, ...] = ()
    """Questions answered NO that catch a serious failure by the documents as they are now: why it is flawed."""
    of_the_gate: tuple[str, ...] = ()
    """Questions of the safety gate answered NO: the score, which is of the other categories, says nothing of them."""


class FoundTalks(msgspec.Struct, frozen=True, kw_only=True):
    """Talks of an evaluation about one scenario, all of them or the one that was asked for."""

    run: str
    scenario_id: str
    scenario: Scenario
    talks: tuple[ArmTalk, ...]
    """By run, and of each run by model."""
    judge: str
    """The judge's model."""
    requests: tuple[str, ...]


class FoundRequest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A request, with its answer if it has one, and with what came for it and is no answer."""

    request: Request
    entry: Entry | None = None
    aside: tuple[Aside, ...] = ()


def look_up(project: Project, id: str) -> FoundSample | FoundTalks | FoundRequest | FoundItem | FoundGate:
    """The sample or the talks of this scenario or conversation, the request of this key, the item of a document, or the gate.

    Raises UsageError if none or several fit.
    """
    if told := item_of(project, id) or gate_of(project, id):
        return told
    samples = _samples(project, id)
    talks = _talks(project, id)
    keys, found = looked(project, partial(_begins_with, id), ((), None))
    known = {sample.scenario.id for _, sample in samples} | {one.scenario_id for one in talks}
    if not known and not keys:
        what = f"nothing here has the id “{id}”: no conversation, no request, no item of a document, no gate"
        raise UsageError(what, next="finetune-prep show, which lists conversations")
    if len(known) + len(keys) > 1:
        raise UsageError(f"“{id}” fits several things", next="give more characters of the id")
    if found is not None:
        return found
    (scenario,) = known
    requests = looked(project, lambda ledger: ledger.answers.of_scenario(scenario), ())
    if not samples:
        return msgspec.structs.replace(talks[0], requests=requests)
    run, sample = samples[0]
    verdict = next((row for row in run.each_verdict() if row.scenario == scenario), None)
    return FoundSample(
        run=run.name,
        sample=sample,
        verdict=verdict,
        requests=requests,
        grave=_grave(project, sample),
        of_the_gate=_of_the_gate(project, sample),
    )


def _grave(project: Project, sample: Sample) -> tuple[str, ...]:
    rubric, knowledge = project.document(Documents.rubric), project.document(Documents.knowledge)
    if sample.state != "flawed" or rubric is None or rubric.value is None or knowledge is None or knowledge.value is None:
        return ()
    grave = rubric.value.grave(knowledge.value)
    return tuple(question for question in sample.failed if question in grave)


def _of_the_gate(project: Project, sample: Sample) -> tuple[str, ...]:
    rubric = project.document(Documents.rubric)
    if rubric is None or rubric.value is None:
        return ()
    gate = {question.id for category in rubric.value.categories if category.gate for question in category.questions}
    return tuple(question for question in sample.failed if question in gate)


def requests_of(project: Project, scenario: str) -> tuple[Entry, ...]:
    """Everything that was asked for the conversation of a scenario, with its answers, in the order of asking."""

    async def job(ledger: Ledger) -> tuple[Entry, ...]:
        found = [await ledger.answers.get(key) for key in await ledger.answers.of_scenario(scenario)]
        return tuple(entry for entry in found if entry is not None)

    return looked(project, job, ())


def sample_of(project: Project, id: str) -> tuple[Run, Sample]:
    """The sample of this scenario or conversation, in the latest run that has it. Raises UsageError if none or several fit."""
    samples = _samples(project, id)
    if not samples:
        raise UsageError(f"no conversation here has the id “{id}”", next="finetune-prep show, which lists them")
    if len({sample.scenario.id for _, sample in samples}) > 1:
        raise UsageError(f"“{id}” fits several conversations", next="give more characters of the id")
    return samples[0]


def _samples(project: Project, id: str) -> list[tuple[Run, Sample]]:
    return [
        (run, sample)
        for run in reversed(runs(project.layout))
        for sample in run.each_sample()
        if sample.scenario.id.startswith(id) or (sample.conversation and sample.conversation.id.startswith(id))
    ]


def _talks(project: Project, id: str) -> list[FoundTalks]:
    """What each evaluation, the latest first, has of this scenario or conversation."""
    found = []
    for run in reversed(evaluation_runs(project.layout)):
        scenarios = {scenario.id: scenario for scenario in run.scenarios()}
        mine: dict[str, list[ArmTalk]] = {}
        for talk in run.talks():
            if talk.scenario.startswith(id) or (talk.conversation and talk.conversation.id.startswith(id)):
                mine.setdefault(talk.scenario, []).append(talk)
        found += [
            FoundTalks(
                run=run.name, scenario_id=name, scenario=scenarios[name], judge=run.plan.models["judge"]["model"], requests=(),
                talks=tuple(sorted(talks, key=lambda talk: (talk.run, ARMS.index(talk.arm)))),
            )
            for name, talks in mine.items()
        ]  # fmt: skip
    return found


async def _begins_with(id: str, ledger: Ledger) -> tuple[tuple[str, ...], FoundRequest | None]:
    """The keys that begin with `id`, and what is known of the only one."""
    aside = await ledger.answers.aside(id)
    keys = {*await ledger.answers.beginning(id), *(found.request.key for found in aside)}
    if len(keys) != 1:
        return tuple(keys), None
    entry = await ledger.answers.get(*keys)
    request = aside[0].request if entry is None else entry.request
    return tuple(keys), FoundRequest(request=request, entry=entry, aside=aside)
