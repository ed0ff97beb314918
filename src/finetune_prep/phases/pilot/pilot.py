"""The pilot: scenarios by quota, conversations, verdicts, and an account in which every planned scenario has its place."""

from __future__ import annotations

from collections.abc import Awaitable
from contextlib import aclosing
from functools import partial
from typing import Any, NamedTuple

import msgspec

from finetune_prep.conversations.faults import find_fault, odd_figures
from finetune_prep.core.conversation import Conversation
from finetune_prep.core.prompts import GenerationPrompt
from finetune_prep.core.request import Origin
from finetune_prep.core.rubric import Rubric
from finetune_prep.core.sample import Account, Sample, State, Way, judged_sample
from finetune_prep.core.scenarios.scenario import Scenario
from finetune_prep.core.verdict import Verdict, joint, thin
from finetune_prep.documents.kinds import Documents
from finetune_prep.errors import NotAgreed, NotYet, Unreachable, Unusable
from finetune_prep.models.together import together
from finetune_prep.phases.pilot.converse import Voices, converse
from finetune_prep.phases.pilot.judging import judge
from finetune_prep.phases.pilot.made import Again, Made
from finetune_prep.phases.pilot.plan import KIND, current_plan, grave, planned, prepared
from finetune_prep.phases.pilot.repeating import judge_again, twice
from finetune_prep.phases.pilot.second_judge import ROLE as SECOND
from finetune_prep.phases.pilot.second_judge import reads, second_verdict
from finetune_prep.phases.pilot.waves import Course, in_waves
from finetune_prep.phases.session import Session
from finetune_prep.project.runs import (
    Reading,
    Results,
    Run,
    VerdictRow,
    begin,
    forget,
    reading,
    run_of,
    runs,
    verdict_row,
)


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a sample is made with, read once."""

    session: Session
    run: str
    way: Way
    rubric: Rubric
    grave: frozenset[str]
    """Ids of the questions of which a NO keeps a conversation that passed out of the training rows."""
    evaluation_prompt: str
    generation: GenerationPrompt
    known: tuple[str, ...]
    """Brief and facts: texts whose contacts and figures a reply may give."""
    voices: Voices
    twice: frozenset[str] = frozenset()
    """Ids of the scenarios whose conversations the judge is asked about a second time."""
    second: float = 0.0
    """Share of the conversations that a second judge reads, too."""

    def known_in(self, scenario: Scenario) -> tuple[str, ...]:
        """The same with what a scenario's user brings: where both sides are written at once, its writer knows that."""
        brought = (f"{situation.text}\n{situation.material}" for situation in scenario.situations)
        return (*self.known, *brought)


async def pilot(session: Session, n: int, course: Course | None = None) -> tuple[Run, Account]:
    """Make and judge n conversations, or fewer where the course of them says so; write samples, verdicts and the account.

    The same documents give the same run again, whatever its course: what was made stays.
    """
    prepared(session.project, "the pilot")
    space = session.project.value(Documents.space)
    scenarios = planned(space, n, session.project.config.seed)
    known = {run.name: run.plan for run in runs(session.project.layout, KIND)}
    run = run_of(session.project.layout, current_plan(session.project, n))
    again = twice(scenarios, run.plan.repeated, run.plan.seed)
    stage = msgspec.structs.replace(stage_of(session, run), twice=again)
    questions = [question.id for question in stage.rubric.questions]
    try:
        with Results(run) as results:
            course = course or Course()
            make = partial(make_sample, stage)
            by_batch = session.door.by_batch(role for role in session.project.config.played if role in run.plan.models)
            waves = in_waves(scenarios, make, course, run, session.tell, session.window, by_batch=by_batch)
            async with aclosing(waves) as finished:
                async for made in finished:
                    results.add(made.sample, row_of(made, questions))
            return run, results.commit()
    except NotAgreed:
        if run.name not in known:
            forget(run)
        elif known[run.name] != run.plan:  # nothing of what it is to judge twice was begun
            begin(session.project.layout, run.name, known[run.name])
        raise


def stage_of(session: Session, run: Run) -> Stage:
    project = session.project
    return Stage(
        session=session,
        run=run.name,
        way=run.plan.way,
        second=run.plan.read_by_both,
        rubric=project.value(Documents.rubric),
        grave=grave(project),
        evaluation_prompt=session.text("evaluation-prompt"),
        generation=project.value(Documents.generation_prompt),
        known=(session.brief.text, *project.value(Documents.knowledge).stated),
        voices=Voices(
            assistant=session.text("generation-prompt"), user=session.text("user-prompt"), language=session.brief.language
        ),
    )


async def make_sample(stage: Stage, scenario: Scenario) -> Made:
    """One planned scenario, from the first word to the score. Whatever happens to it is a state with a name."""
    try:
        conversation = await converse(stage.session, stage.voices, scenario, stage.run, stage.way)
    except NotYet:
        return Made(Sample(scenario=scenario, state="waiting"))
    except Unreachable as error:
        return Made(Sample(scenario=scenario, state="not run", fault=error.what))
    except Unusable as error:
        state: State = "failed" if error.rejected else "faulty"
        return Made(Sample(scenario=scenario, state=state, fault=error.what, unusable=error.keys[0]))
    examples = [shot.conversation for shot in stage.generation.few_shots]
    if fault := find_fault(conversation, examples, stage.known_in(scenario)):
        return Made(Sample(scenario=scenario, state="faulty", conversation=conversation, fault=f"{fault[0]}: {fault[1]}"))
    try:
        read = await _verdicts(stage, scenario, conversation)
    except NotYet:
        return Made(Sample(scenario=scenario, state="waiting", conversation=conversation))
    except Unreachable as error:
        return Made(Sample(scenario=scenario, state="waiting", conversation=conversation, fault=error.what))
    return Made(_judged(stage, scenario, conversation, read.verdict), read.verdict, read.again, read.readings)


class _Read(NamedTuple):
    """What was said of a conversation: as of `Made`."""

    verdict: Verdict
    again: Again | None = None
    readings: tuple[Verdict, ...] = ()


async def _verdicts(stage: Stage, scenario: Scenario, conversation: Conversation) -> _Read:
    """What the judge says of a conversation; where a second judge reads it, too, what both come to; and where it is judged twice,
    what the first one says when it is asked once more. All are asked at the same time, so that they lie in the same batch.
    """
    about = stage.session, stage.evaluation_prompt, stage.rubric, conversation
    case = case_of(scenario)
    first = judge(*about, Origin(run=stage.run, scenario=scenario.id), case)
    if not stage.rubric.judged:
        return _Read(await first)
    others: list[Awaitable[Any]] = []
    if second := reads(scenario.id, stage.second, stage.session.project.config.seed):
        others.append(second_verdict(*about, stage.run, scenario.id, case))
    if scenario.id in stage.twice:
        others.append(judge_again(*about, stage.run, scenario.id, case))
    found: list[Any] = await together((first, *others))
    again = found[-1] if scenario.id in stage.twice else None
    if not stage.second:
        return _Read(found[0], again)
    readings: tuple[Verdict, ...] = tuple(found[: 1 + second])
    # whoever has read this one: what decides is the same in the whole run, and has one name
    both = " + ".join(map(stage.session.roles.model, ("judge", SECOND)))
    return _Read(msgspec.structs.replace(joint(stage.rubric, readings), judge=both), again, readings)


def case_of(scenario: Scenario) -> str:
    """What a right answer does in an edge case or to an out-of-scope request; "" for every other scenario."""
    return scenario.expected if scenario.cell.kind != "normal" else ""


def _judged(stage: Stage, scenario: Scenario, conversation: Conversation, verdict: Verdict) -> Sample:
    answers = {question: judgement.answer for question, judgement in verdict.answers.items()}
    sample = judged_sample(
        scenario,
        conversation,
        verdict,
        verdict.score(stage.rubric),
        grave=stage.grave,
        thin=thin(stage.rubric, answers) if verdict.complete else (),
    )
    return msgspec.structs.replace(sample, odd=odd_figures(conversation, stage.known_in(scenario)))


def row_of(made: Made, questions: list[str]) -> VerdictRow | None:
    """The verdict of a sample as it is kept, with what each judge said; None if there is none. questions: ids of all."""
    if made.verdict is None:
        return None
    again: Reading | None = None
    if made.again is not None:
        judge = (made.readings[0] if made.readings else made.verdict).judge
        said = made.again.verdict
        again = reading(said, questions) if said else Reading(judge=judge, waiting=made.again.waiting)
    readings = tuple(reading(verdict, questions) for verdict in made.readings)
    return verdict_row(made.sample.scenario.id, made.verdict, questions, again, readings)
