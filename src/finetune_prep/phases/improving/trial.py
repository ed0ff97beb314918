"""The trial of an edit on disk: what it is made from, fixed before the first reply, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil

import msgspec

from finetune_prep import documents
from finetune_prep.core.identity import digest
from finetune_prep.core.improving.edit import Arm, EditTalk
from finetune_prep.core.prompts import GenerationPrompt
from finetune_prep.core.request import RoleName
from finetune_prep.core.rubric import YesNo
from finetune_prep.core.scenarios.scenario import Scenario
from finetune_prep.core.verdict import CASE
from finetune_prep.documents.kinds import KINDS, Documents
from finetune_prep.documents.readings.readings import text_hash
from finetune_prep.errors import ActNeeded, NotAgreed, UsageError
from finetune_prep.method import limits
from finetune_prep.models.roles import model_of
from finetune_prep.phases.drafting import prompt_files
from finetune_prep.phases.evaluating.held_out import held_out, trained
from finetune_prep.phases.improving.trying import OTHER, Trying, talks_of, to_label
from finetune_prep.phases.pilot.converse import Voices
from finetune_prep.phases.pilot.pilot import Stage
from finetune_prep.phases.pilot.plan import PROMPTS, ROLES, grave
from finetune_prep.phases.requests import Requests
from finetune_prep.phases.session import Session
from finetune_prep.project.acceptance import require
from finetune_prep.project.improving.runs import EditPlan, EditRun, begin, edit_runs, forget, new_edit_run, write_trial
from finetune_prep.project.project import Project
from finetune_prep.statistics.comparison import SURE
from finetune_prep.statistics.improving.trial import Trial, trial

GENERATION = "generation-prompt"
ABOUT = 2 / 3  # share of the scenarios that are about what the edit is for, where that is a part of them
DRAWN = 8  # times as many are drawn to choose from
FEWEST_SEEN = 6  # scenarios in which the failure showed; fewer could neither give an edit up nor say what it fits
OF_BOTH = ("domain-frameworks", "scenario-space", "evaluation-rubric", "evaluation-prompt", "user-prompt", "system-prompt")


class Edited(msgspec.Struct, frozen=True, kw_only=True):
    """An edit that a person has taken, and the generation prompt on both sides of it."""

    edit: str
    """"improve-001/2"."""
    document: str
    question: str
    source: str
    """The pilot that gave the diagnosis."""
    scenarios: tuple[Scenario, ...]
    """Of the talks in which the failure showed."""
    before: str
    """Text of the generation prompt without it."""
    after: str


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for."""

    scenarios: int | None = None
    """That no diagnosis has seen; up to half as many again are those in which the failure showed. None = as it was begun."""
    cycles: int | None = None
    """Trials of the pilot's edits in all. None = as the first of them was."""


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """What a trial came to, or how far it is."""

    run: EditRun
    result: Trial | None
    """None while answers are outstanding."""
    talks: tuple[EditTalk, ...] = ()
    waiting: int = 0
    why_waiting: str = ""


def prepared(project: Project, edited: Edited) -> None:
    """Raise ActNeeded unless everything but the edited document is accepted as it stands."""
    require(project, "the trial", (), tuple(kind for kind in OF_BOTH if kind != edited.document))
    drifted = [part for part in project.stale() if part.compiled]
    if drifted:
        made_by = KINDS[drifted[0].name].made_by
        raise ActNeeded(f"the trial must wait: {drifted[0]} it was put in", next=f"finetune-prep {made_by} (needs no model)")


def run_of(requests: Requests, edited: Edited, wanted: Wanted) -> EditRun:
    """The trial of an edit: the one that was begun, or a new one.

    Raises UsageError for another size than it was begun with, and ActNeeded where all planned trials of the pilot are spent.
    """
    project = requests.project
    known = edit_runs(project.layout)
    after = text_hash(edited.after)
    begun = next((run for run in known if run.plan.edit == edited.edit and run.plan.after == after), None)
    way = project.config.pilot.way
    if begun is not None:
        asked = (wanted.scenarios or len(begun.plan.audit), wanted.cycles or begun.plan.cycles, way)
        if asked != (len(begun.plan.audit), begun.plan.cycles, begun.plan.way):
            raise UsageError(
                f"{begun.name} was begun otherwise; another size, chosen when replies are known, would be the result's choice",
                next=begun.plan.command,
            )
        return begun
    others = [run for run in known if run.plan.source == edited.source]
    cycles = _cycles(edited, wanted, others)
    return new_edit_run(project.layout, plan_of(requests, edited, wanted.scenarios or limits.TRIAL, len(others) + 1, cycles))


def _cycles(edited: Edited, wanted: Wanted, others: Sequence[EditRun]) -> int:
    """How many trials the pilot's edits get: what was said with the first of them stands."""
    planned = others[0].plan.cycles if others else wanted.cycles or limits.TRIALS
    if wanted.cycles not in (None, planned):
        raise UsageError(
            f"{_trials(planned)} planned for {edited.source} before the first reply",
            where=f"--cycles {wanted.cycles}",
            next="finetune-prep improve --test",
        )
    if len(others) >= planned:
        raise ActNeeded(
            f"{_trials(planned)} planned for {edited.source}, and that is spent: with each further one, chance alone would "
            "sooner or later show something",
            next="finetune-prep pilot, whose diagnoses are new",
        )
    return planned


def _trials(count: int) -> str:
    return f"{count} trial was" if count == 1 else f"{count} trials were"


def plan_of(requests: Requests, edited: Edited, scenarios: int, cycle: int, cycles: int) -> EditPlan:
    """What identifies a trial. scenarios: that no diagnosis has seen."""
    project = requests.project
    way = project.config.pilot.way
    names: tuple[RoleName, ...] = (*ROLES[way], *(("verifier",) if other_judge(project) else ()))
    prompts = (*PROMPTS[way], *((OTHER,) if other_judge(project) else ()))
    own = project.layout.phase_prompts
    stream = f"{project.config.seed}/{edited.source}/trial-{cycle}"
    seen = edited.scenarios[: scenarios // 2] if len(edited.scenarios) >= FEWEST_SEEN else ()
    return EditPlan(
        edit=edited.edit,
        document=edited.document,
        before=text_hash(edited.before),
        after=text_hash(edited.after),
        source=edited.source,
        question=edited.question,
        cycle=cycle,
        cycles=cycles,
        # the same situations, people and courses with other dice, so that nothing is answered by what the pilot was told
        seen=tuple(msgspec.structs.replace(scenario, seed=f"{scenario.seed}/trial-{cycle}") for scenario in seen),
        audit=_audit(project, edited.question, scenarios, stream),
        way=way,
        models={name: model_of(project.config, name) for name in names},
        texts={
            "user": digest(requests.text("user-prompt")),
            "judge": digest(requests.text("evaluation-prompt")),
            "placebo": digest(documents.body(edited.before).strip()),
            "edit": digest(documents.body(edited.after).strip()),
        },
        rubric=project.value(Documents.rubric).version,
        prompts={name: digest(prompt_files.source(name, own)) for name in prompts},
        second=other_judge(project),
    )


def _audit(project: Project, question: str, n: int, stream: str) -> tuple[Scenario, ...]:
    """n scenarios that no diagnosis has seen. Where the question is about special cases or some topics alone, two of three are of
    these: with others it says nothing, and only its harm is looked for.
    """
    space, taken = project.value(Documents.space), trained(project.layout).scenarios
    topics = next((one.topics for one in project.value(Documents.rubric).questions if one.id == question), ())
    if question != CASE and not topics:
        return held_out(space, n, stream, taken)
    drawn = held_out(space, DRAWN * n, stream, taken)
    about = [one for one in drawn if (one.cell.topic in topics if topics else one.cell.kind != "normal")]
    chosen = about[: ceil(ABOUT * n)]
    chosen += [one for one in drawn if one not in chosen][: n - len(chosen)]
    return tuple(one for one in drawn if one in chosen)


def other_judge(project: Project) -> bool:
    """Whether a verifier is named that is another model than the judge."""
    roles = project.config.roles
    return "verifier" in roles and roles["verifier"].model_name != project.config.role("judge").model_name


async def try_edit(session: Session, edited: Edited, wanted: Wanted, *, window: int | None = None) -> Tried:
    """Talk, judge and say what came of it. Raises ActNeeded as `prepared`, UsageError as `run_of`, and whatever stops a run."""
    prepared(session.project, edited)
    run = run_of(session, edited, wanted)
    if (found := run.result(Trial)) is not None:
        return Tried(run=run, result=found, talks=tuple(run.talks()))
    fresh = not run.folder.exists()
    begin(run)
    try:
        talks = await talks_of(_trying(session, run, edited), run.plan, window=window or session.window)
    except NotAgreed:
        if fresh:
            forget(run)
        raise
    if waiting := [talk for talk in talks if talk.state == "waiting"]:
        return Tried(run=run, result=None, waiting=len(waiting), why_waiting=waiting[0].fault)
    result = said_of(session.project, run, talks)
    write_trial(run, talks, to_label(talks, session.project.config.seed), result)
    return Tried(run=run, result=result, talks=tuple(talks))


def said_of(
    project: Project, run: EditRun, talks: list[EditTalk], labels: Mapping[tuple[str, str], YesNo] | None = None
) -> Trial:
    """What the talks of a trial say. labels: people's answers to its question, by arm and scenario."""
    rubric = project.value(Documents.rubric)
    return trial(
        talks,
        run.plan.question,
        [question.id for question in rubric.questions],
        SURE / run.plan.cycles,
        second=run.plan.second,
        measured=run.plan.question in {question.id for question in rubric.measured},
        labels=labels,
    )


def _trying(session: Session, run: EditRun, edited: Edited) -> Trying:
    rubric = session.project.value(Documents.rubric)
    texts: dict[Arm, str] = {"placebo": edited.before, "edit": edited.after}
    return Trying(
        stages={arm: _stage(session, run, text) for arm, text in texts.items()},
        gate=frozenset(question.id for category in rubric.categories if category.gate for question in category.questions),
        second=run.plan.second,
    )


def _stage(session: Session, run: EditRun, text: str) -> Stage:
    """What a sample of an arm is made with: as in a pilot, but for this text of the generation prompt."""
    project = session.project
    return Stage(
        session=session,
        run=run.name,
        way=run.plan.way,
        rubric=project.value(Documents.rubric),
        grave=grave(project),
        evaluation_prompt=session.text("evaluation-prompt"),
        generation=prompt_of(text),
        known=(session.brief.text, *project.value(Documents.knowledge).stated),
        voices=Voices(assistant=documents.body(text).strip(), user=session.text("user-prompt"), language=session.brief.language),
    )


def prompt_of(text: str) -> GenerationPrompt:
    """The value of a text of the generation prompt. Raises ActNeeded if it cannot be read."""
    found = documents.parse(GENERATION, text, KINDS[GENERATION].path).value
    if not isinstance(found, GenerationPrompt):
        raise ActNeeded("the generation prompt cannot be read", next="finetune-prep check generation-prompt")
    return found
