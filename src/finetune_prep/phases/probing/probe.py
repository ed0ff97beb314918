"""Probing a rubric: a run that plants faults in sound conversations and asks the judge, and what it says of every question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from finetune_prep.core.conversation import Conversation
from finetune_prep.core.identity import digest
from finetune_prep.core.knowledge import Knowledge
from finetune_prep.core.probe import NEUTRAL, Edit, Subject, Trial
from finetune_prep.core.request import RoleName
from finetune_prep.core.rubric import Question, Rubric
from finetune_prep.documents.kinds import KINDS, Documents
from finetune_prep.errors import ActNeeded, NotAgreed
from finetune_prep.models.roles import model_of
from finetune_prep.models.together import together
from finetune_prep.phases.drafting import prompt_files
from finetune_prep.phases.pilot.given import NEEDED
from finetune_prep.phases.pilot.plan import grave
from finetune_prep.phases.probing.asking import Stage
from finetune_prep.phases.probing.subjects import anchors, failure_modes, fit_of, named_by, plantable, subjects_hash, subjects_of
from finetune_prep.phases.probing.trials import Base, all_of, judged_twice, until_enough
from finetune_prep.phases.session import Session
from finetune_prep.project.acceptance import require
from finetune_prep.project.probing.runs import ProbeKind, ProbePlan, ProbeRun, begin, forget, probe_run_of, write_trials
from finetune_prep.project.project import Project
from finetune_prep.statistics.probing.plan import breaking, neutral, planting, without_trigger
from finetune_prep.statistics.probing.table import FailureTable, ProbeTable, failure_rows, question_rows
from finetune_prep.statistics.probing.words import GATE_WANTED, NEUTRAL_WANTED, OTHER_WANTED, Count

FEW_SHOTS = "few-shots"
MOST_BASES = 36  # unedited conversations; each is judged twice
WITHOUT_TRIGGER = 3  # edits that take the occasion of a question away
ROLES: tuple[RoleName, ...] = ("judge", "expert", "verifier")
PROMPTS: dict[ProbeKind, tuple[str, ...]] = {
    "probe": (
        "probe-break", "probe-neutral", "probe-trigger", "probe-verify", "probe-verify-neutral", "probe-verify-trigger",
        "probe-others", "judge",
    ),
    "failures": ("probe-break", "probe-verify", "judge"),
}  # fmt: skip


class Sizes(msgspec.Struct, frozen=True, kw_only=True):
    """How many valid edits are wanted."""

    gate: int = GATE_WANTED
    """Of each question of the gate."""
    each: int = OTHER_WANTED
    """Of every other question."""
    neutral: int = NEUTRAL_WANTED
    """In all."""
    questions: tuple[str, ...] = ()
    """The only ones to probe; none: all of them."""

    def asked(self, rubric: Rubric) -> tuple[Question, ...]:
        """The questions that are probed, in the rubric's order."""
        return tuple(question for question in rubric.judged if not self.questions or question.id in self.questions)


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """Where unedited conversations come from: a pilot's accepted ones, or few-shots."""

    name: str
    """"pilot-001" or "few-shots"."""
    conversations: tuple[Conversation, ...]


class Probed(msgspec.Struct, frozen=True, kw_only=True):
    """What a run came to, or how far it is."""

    run: ProbeRun
    table: ProbeTable | FailureTable | None
    """None while answers are outstanding."""
    trials: tuple[Trial, ...] = ()
    waiting: int = 0
    """Edits and unedited conversations that wait for an answer."""
    why_waiting: str = ""


def prepared(project: Project, what: str = "probing") -> None:
    """Raise ActNeeded unless rubric and evaluation prompt are accepted, and the prompt holds the present questions."""
    require(project, what, (), ("domain-frameworks", *NEEDED))
    drifted = [part for part in project.stale() if part.compiled and part.name == "evaluation-prompt"]
    if drifted:
        made_by = KINDS["evaluation-prompt"].made_by
        raise ActNeeded(f"{what} must wait: {drifted[0]} it was put in", next=f"finetune-prep {made_by} (needs no model)")


def current_plan(project: Project, evaluation_prompt: str, kind: ProbeKind, sizes: Sizes, source: Source) -> ProbePlan:
    """What identifies a run that probes the rubric as it is now."""
    knowledge, rubric = project.value(Documents.knowledge), project.value(Documents.rubric)
    own = project.layout.phase_prompts
    return ProbePlan(
        kind=kind,
        gate=sizes.gate if kind == "probe" else 0,
        each=sizes.each,
        neutral=sizes.neutral if kind == "probe" else 0,
        questions=tuple(question.id for question in sizes.asked(rubric)) if sizes.questions else (),
        seed=project.config.seed,
        source=source.name,
        bases=tuple(conversation.id for conversation in source.conversations),
        rubric=rubric.version,
        subjects=subjects_hash(rubric, knowledge, kind),
        evaluation_prompt=digest(evaluation_prompt),
        models={name: model_of(project.config, name) for name in ROLES},
        prompts={name: digest(prompt_files.source(name, own)) for name in PROMPTS[kind]},
    )


async def probe(session: Session, sizes: Sizes, source: Source) -> Probed:
    """Break, paraphrase and judge; write trials and what they say of every question, once all are there.

    Raises ActNeeded as `prepared`, and whatever stops a run. Answers that are outstanding leave the run unfinished.
    """
    return await _on_disk(session, "probe", sizes, source)


async def plant(session: Session, source: Source) -> Probed:
    """Plant every failure once, and see which question answers NO. Raises as `probe`."""
    return await _on_disk(session, "failures", Sizes(each=1), source)


async def _on_disk(session: Session, kind: ProbeKind, sizes: Sizes, source: Source) -> Probed:
    """Carry a run out. Its plan is written first, and taken back if nobody agrees to what it costs."""
    stage, run = _begun(session, kind, sizes, source)
    fresh = not run.folder.exists()
    begin(run)
    try:
        return await _carried_out(stage, run, sizes, source)
    except NotAgreed:
        if fresh:
            forget(run)
        raise


async def _carried_out(stage: Stage, run: ProbeRun, sizes: Sizes, source: Source) -> Probed:
    found = await together(judged_twice(stage, conversation) for conversation in source.conversations)
    if waiting := [base for base in found if base.waiting]:
        return Probed(run=run, table=None, waiting=len(waiting), why_waiting=waiting[0].waiting)
    bases = {base.conversation.id: base for base in found if not base.unread}
    asked = _probes if stage.kind == "probe" else _failures
    trials, table = await asked(stage, run, sizes, bases)
    if open_trials := [trial for trial in trials if trial.state == "waiting"]:
        return Probed(run=run, table=None, waiting=len(open_trials), why_waiting=open_trials[0].why)
    write_trials(run, trials, table)
    return Probed(run=run, table=table, trials=tuple(trials))


async def _probes(
    stage: Stage, run: ProbeRun, sizes: Sizes, bases: Mapping[str, Base]
) -> tuple[list[Trial], ProbeTable | FailureTable]:
    rubric, knowledge = stage.rubric, stage.session.project.value(Documents.knowledge)
    asked, wanted = sizes.asked(rubric), wanted_of(rubric, sizes)
    planned, why = _planned(rubric, knowledge, bases, wanted)
    unchanged = neutral([base.conversation for base in bases.values()], sizes.neutral)
    groups = [until_enough(stage, unchanged, bases, len(unchanged))]
    for question in asked:
        broken, gone = planned[question.id]
        groups += [until_enough(stage, broken, bases, wanted[question.id]), until_enough(stage, gone, bases, WITHOUT_TRIGGER)]
    trials = await all_of(groups)
    sound = sum(trial.state == "judged" for trial in trials if trial.edit.kind in NEUTRAL)
    table = ProbeTable(
        run=run.name,
        questions=question_rows(rubric, trials, {question.id: wanted[question.id] for question in asked}, why),
        measured=tuple(question.id for question in rubric.measured),
        source=run.plan.source,
        bases=len(bases),
        neutral=Count(sound, len(unchanged)),
        rubric=rubric.version,
    )
    return trials, table


async def _failures(
    stage: Stage, run: ProbeRun, sizes: Sizes, bases: Mapping[str, Base]
) -> tuple[list[Trial], ProbeTable | FailureTable]:
    knowledge, questions = stage.session.project.value(Documents.knowledge), stage.rubric.questions
    talks = [base.conversation for base in bases.values()]
    subjects = plantable(knowledge)
    fit = fit_of(subjects, talks)
    trials = await all_of(
        until_enough(stage, planting(subject.id, talks, start, fit), bases, sizes.each) for start, subject in enumerate(subjects)
    )
    named = {subject.id: named_by(subject.id, knowledge, questions) for subject in subjects}
    table = FailureTable(
        run=run.name,
        failures=failure_rows(
            subjects,
            trials,
            named,
            [question.id for question in questions],
            {item.id: item.because for item in knowledge.set_aside},
        ),
        source=run.plan.source,
        bases=len(bases),
        rubric=stage.rubric.version,
    )
    return trials, table


def _begun(session: Session, kind: ProbeKind, sizes: Sizes, source: Source) -> tuple[Stage, ProbeRun]:
    prepared(session.project)
    project, prompt = session.project, session.text("evaluation-prompt")
    rubric, knowledge = project.value(Documents.rubric), project.value(Documents.knowledge)
    run = probe_run_of(project.layout, current_plan(project, prompt, kind, sizes, source))
    subjects = {subject.id: subject for subject in plantable(knowledge)}
    for question in rubric.judged:
        subjects |= {subject.id: subject for subject in subjects_of(question, knowledge)}
        if question.na:
            subjects[question.id] = Subject(id=question.id, text=question.na)
    stage = Stage(
        session=session,
        run=run.name,
        kind=kind,
        seed=project.config.seed,
        rubric=rubric,
        grave=grave(project),
        evaluation_prompt=prompt,
        subjects=subjects,
        known=(session.brief.text, *knowledge.stated),
    )
    return stage, run


def wanted_of(rubric: Rubric, sizes: Sizes) -> dict[str, int]:
    """How many valid edits are wanted of each judged question."""
    gate = {question.id for category in rubric.categories if category.gate for question in category.questions}
    return {question.id: sizes.gate if question.id in gate else sizes.each for question in rubric.judged}


def _planned(
    rubric: Rubric, knowledge: Knowledge, bases: Mapping[str, Base], wanted: Mapping[str, int]
) -> tuple[dict[str, tuple[tuple[Edit, ...], tuple[Edit, ...]]], dict[str, str]]:
    """By question, the edits that break it and those that take its occasion away; and why nothing can be planned.

    All questions are planned for, whichever are asked: so the edits of one are the same if it is probed alone, and paid for once.
    """
    planned: dict[str, tuple[tuple[Edit, ...], tuple[Edit, ...]]] = {}
    why: dict[str, str] = {}
    fit = fit_of([*anchors(knowledge), *failure_modes(knowledge)], [base.conversation for base in bases.values()])
    start = 0
    for question in rubric.judged:
        sound = [base.conversation for base in bases.values() if question.id in base.yes]
        subjects = [subject.id for subject in subjects_of(question, knowledge)]
        why[question.id] = _why_none(question, sound, subjects)
        broken = breaking(question.id, subjects, sound, wanted[question.id], start, fit)
        gone = without_trigger(question.id, sound, WITHOUT_TRIGGER, start) if question.na else ()
        planned[question.id] = broken, gone
        start += wanted[question.id]
    return planned, why


def _why_none(question: Question, sound: Sequence[Conversation], subjects: Sequence[str]) -> str:
    if not subjects:
        return "it names no anchor under Checks and no failure mode under Catches that is documented"
    return "" if sound else "no unedited conversation is answered YES by it both times"
