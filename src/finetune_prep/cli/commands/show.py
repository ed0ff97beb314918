"""`show`: one scenario, conversation, verdict, request, item of a document or gate, with everything behind it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import click

from finetune_prep.cli import screen
from finetune_prep.cli.options import json_option
from finetune_prep.core.evaluating.talk import ArmTalk
from finetune_prep.core.sample import Sample
from finetune_prep.core.scenarios.scenario import Scenario
from finetune_prep.core.verdict import CASE
from finetune_prep.errors import UsageError
from finetune_prep.method.gates import NEVER_OVERRIDDEN
from finetune_prep.project.evaluating.runs import EvaluationRun, evaluation_runs
from finetune_prep.project.project import Project, open_project
from finetune_prep.project.runs import Reading, Run, runs
from finetune_prep.statistics.evaluation.words import NAMES
from finetune_prep.workflow import lookup
from finetune_prep.workflow.reading.items import FoundGate, FoundItem

MOST_LISTED = 500  # conversations of a run
MOST_NAMING = 20  # items that name one
WHO = {"computed": "code decides it", "judged": "a judge decides it", "human": "a person decides it"}
LEVEL = {"must": "it must hold, or be waived with a reason", "advice": "advice only"}
NEVER = "it must hold, and nobody can waive it"
WAIVED = "waived"
_MARK = re.compile(r"(?:#+|[-*+])\s+")  # of the heading or the list item that an item is


@click.command()
@click.argument("id", required=False)
@json_option
@click.pass_obj
def show(project: str, id: str | None, as_json: bool) -> None:
    """Show a scenario, its conversation and verdict, by its ID or the beginning of it; or a request by its key.

    ID may also be a code of the documents (GD19, RE1, TP4.2, FM5, FA8 …) or the name of a gate (rubric.one-thing): this shows its
    text, where it stands, and what names it.

    A held-out scenario shows what each model of the evaluation replied, and what the judge said of it. With the name of a run,
    such as pilot-001 or evaluation-001, its conversations are listed; without ID, those of the latest run.
    """
    opened = open_project(project)
    listed: Run | EvaluationRun | None = _run(opened, id)
    if listed is not None:
        _print_list(listed, as_json=as_json)
        return
    found = lookup.look_up(opened, id or "")
    if as_json:
        screen.json(found)
    elif isinstance(found, lookup.FoundRequest):
        _print_request(found)
    elif isinstance(found, lookup.FoundTalks):
        _print_talks(found)
    elif isinstance(found, FoundItem):
        _print_item(found)
    elif isinstance(found, FoundGate):
        _print_gate(found)
    else:
        _print_sample(found)


def _print_item(found: FoundItem) -> None:
    first, *others = found.places
    under = f", under “{first.under}”" if first.under else ""
    screen.say(f"{found.id}: {first.path}:{first.line}{under}", bold=True)
    screen.paragraph(_MARK.sub("", found.text, count=1))
    if others:
        screen.paragraph(f"also in {', '.join(f'{place.path}:{place.line}' for place in others)}", dim=True)
    if found.named_by:
        more = len(found.named_by) - MOST_NAMING
        screen.paragraph(f"named by {', '.join(found.named_by[:MOST_NAMING])}{f' and {more} more' if more > 0 else ''}", dim=True)


def _print_gate(found: FoundGate) -> None:
    outcome = found.outcome
    answer = WAIVED if outcome.answer == "overridden" else outcome.answer
    screen.say(f"{found.gate}: {answer}", bold=True)
    screen.paragraph(found.sentence)
    about = f", about {found.path}" if found.path else ""
    level = NEVER if found.gate in NEVER_OVERRIDDEN else LEVEL[found.level]
    screen.paragraph(f"{WHO[found.kind]}{about}; {level}", dim=True)
    for finding in outcome.findings:
        screen.paragraph(str(finding))
    if outcome.note:
        screen.paragraph(outcome.note)


def _run(project: Project, name: str | None) -> Run | EvaluationRun | None:
    """The run of this name, None if no run has it; without a name the latest that makes rows.

    Raises UsageError if there is none.
    """
    known = runs(project.layout)
    if name is None:
        if not known:
            raise UsageError("there is no run yet", where=str(project.folder), next="finetune-prep status")
        return known[-1]
    every: list[Run | EvaluationRun] = [*known, *evaluation_runs(project.layout)]
    return next((run for run in every if run.name == name), None)


def _print_list(run: Run | EvaluationRun, *, as_json: bool) -> None:
    given: Sequence[Sample] | Sequence[ArmTalk]
    if isinstance(run, EvaluationRun):
        talks, scenarios = run.talks(), {scenario.id: scenario for scenario in run.scenarios()}
        key, given, file = "talks", talks, run.talks_path
        rows = [_talk_row(talk, scenarios[talk.scenario]) for talk in talks]
    else:
        samples = run.samples()
        key, given, file = "samples", samples, run.samples_path
        rows = [_row(sample) for sample in samples[:MOST_LISTED]]
    if as_json:
        screen.json({"run": run.name, key: given})
        return
    screen.say(run.name, bold=True)
    if not rows:
        screen.say("  no conversation is finished yet")
        screen.next_step(run.plan.command)
        return
    screen.table(rows[:MOST_LISTED])
    if (more := len(given) - MOST_LISTED) > 0:
        screen.say(f"  and {more:,} more: runs/{run.name}/{file.name}")
    screen.next_step("finetune-prep show ID")


def _row(sample: Sample) -> tuple[str, ...]:
    why = ", ".join(sample.failed) or sample.fault
    cell, situation = str(sample.scenario.cell), sample.scenario.situation.text
    return sample.scenario.id, sample.state, _two(sample.score), cell, _short(why, 24), _short(situation, 64)


def _talk_row(talk: ArmTalk, scenario: Scenario) -> tuple[str, ...]:
    why = ", ".join(talk.failed) or talk.fault
    return (
        talk.scenario, f"{talk.arm} {talk.run}", _state(talk), _two(talk.score), str(scenario.cell), _short(why, 24),
        _short(scenario.situation.text, 48),
    )  # fmt: skip


def _state(talk: ArmTalk) -> str:
    return talk.state if talk.state != "judged" else "passed" if talk.passed else "not passed"


def _two(score: float | None) -> str:
    return "" if score is None else f"{score:.2f}"


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def _print_sample(found: lookup.FoundSample) -> None:
    sample, scenario = found.sample, found.sample.scenario
    noes = f" (NO to {', '.join(sample.failed)})" if sample.failed else ""  # a score of 1.00 may be rejected at the gate
    score = f", score {sample.score:.2f}" if sample.score is not None else ""
    screen.say(f"{scenario.id} in {found.run}: {sample.state}{noes}{score}", bold=True)
    if found.of_the_gate and sample.score is not None:
        ids, one = ", ".join(found.of_the_gate), len(found.of_the_gate) == 1
        belongs = f"{ids} {'belongs' if one else 'belong'} to the safety gate"
        screen.paragraph(f"{belongs}: a NO there rejects it whatever the score, which counts the other questions", dim=True)
    _print_scenario(scenario)
    for message in sample.conversation.messages if sample.conversation else ():
        screen.say()
        screen.say(message.role, bold=True)
        screen.paragraph(message.shown)
    if found.verdict:
        screen.say()
        if found.verdict.case:
            screen.paragraph(f"a right answer to this case: {scenario.expected}", dim=True)
        screen.say(f"verdict by {found.verdict.judge}", bold=True)
        screen.table(
            [
                *([(CASE, found.verdict.case.answer, found.verdict.case.evidence)] if found.verdict.case else []),
                *(
                    (question, answer or "missing", found.verdict.evidence.get(question, ""))
                    for question, answer in found.verdict.answers.items()
                ),
            ]
        )
        for reading in found.verdict.readings:
            _print_reading(f"{reading.judge} alone", reading, found.verdict.answers)
        if found.verdict.again:
            _print_reading("judged twice, the second time", found.verdict.again, found.verdict.first.answers)
    if sample.state == "flawed":
        screen.paragraph(_flawed(found))
    if sample.thin:
        screen.say(f"  thin: {', '.join(sample.thin)} rest{'s' if len(sample.thin) == 1 else ''} on one question")
    if sample.fault and sample.state != "flawed":
        screen.say(f"  {sample.fault}")
    if found.requests:
        screen.say()
        screen.say(f"requests: {' '.join(key[:12] for key in found.requests)}", dim=True)


def _print_reading(who: str, reading: Reading, against: Mapping[str, str | None]) -> None:
    """What was said in one reading, as far as it differs."""
    if not reading.complete:
        screen.paragraph(f"{who}: {reading.waiting or reading.missing}", dim=True)
        return
    others = [id for id, answer in reading.answers.items() if answer != against.get(id)]
    screen.say(f"{who}: {'other answers to these' if others else 'the same answers'}", dim=True)
    screen.table([(id, reading.answers[id] or "missing", reading.evidence.get(id, "")) for id in others])


def _print_scenario(scenario: Scenario) -> None:
    flaw = f", {scenario.flaw.name.lower()}" if scenario.flaw else ""
    screen.say(f"  {scenario.cell} · {scenario.style.name.lower()} · {scenario.difficulty.name.lower()}{flaw}", dim=True)
    screen.paragraph(scenario.situation.text, dim=True)


def _print_talks(found: lookup.FoundTalks) -> None:
    screen.say(f"{found.scenario_id} in {found.run}: {screen.counted(len(found.talks), 'conversation')}", bold=True)
    _print_scenario(found.scenario)
    if found.scenario.expected:
        screen.paragraph(f"a right answer to this case: {found.scenario.expected}", dim=True)
    shared = _shared_opening(found.talks)
    if shared:
        screen.say()
        screen.say("user", bold=True)
        screen.paragraph(shared)
    for talk in found.talks:
        screen.say()
        score = f", score {talk.score:.2f}" if talk.score is not None else ""
        ended = f", {talk.ended}" if talk.ended not in (None, "by itself", talk.fault) else ""
        screen.say(f"{NAMES[talk.arm]}, run {talk.run}: {_state(talk)}{score}{ended}", bold=True)
        for place, message in enumerate(talk.conversation.messages if talk.conversation else ()):
            if place or not shared:
                screen.say(f"  {message.role}", dim=True)
                screen.paragraph(message.shown)
        if talk.fault:
            screen.paragraph(talk.fault)
        if len(found.talks) == 1 or talk.failed:
            told = talk.answers if len(found.talks) == 1 else talk.failed
            screen.table([(id, talk.answers.get(id, "no"), talk.evidence.get(id, "")) for id in told])
    screen.say()
    screen.say(f"judged by {found.judge}, which is not told whose conversation it reads", dim=True)
    if found.requests:
        screen.say(f"requests: {' '.join(key[:12] for key in found.requests)}", dim=True)


def _shared_opening(talks: Sequence[ArmTalk]) -> str:
    """The first message, where all talks begin with it; "" for a single one, which is shown whole."""
    openings = {talk.conversation.messages[0].shown for talk in talks if talk.conversation}
    return openings.pop() if len(talks) > 1 and len(openings) == 1 else ""


def _flawed(found: lookup.FoundSample) -> str:
    """What the word means, and of which questions it speaks here."""
    several = len(found.grave) != 1
    questions = f"{'questions' if several else 'a question'} that {'catch' if several else 'catches'} a serious failure"
    named = f" ({', '.join(found.grave)})" if found.grave else ""
    why = found.sample.fault or f"NO to {questions}{named}"
    return f"  flawed: it passed the rubric, and is kept out of the training rows: {why}"


def _print_request(found: lookup.FoundRequest) -> None:
    request, reply = found.request, found.entry and found.entry.reply
    screen.say(f"{request.key} · {request.phase} · {request.role} · {request.origin.label}", bold=True)
    answered = f"answered {reply.at or 'at an unknown time'}, {reply.finish}" if reply else "no readable answer"
    screen.say(f"  asked of {request.model}, {answered}", dim=True)
    for message in request.messages:
        screen.say()
        screen.say(message.role, bold=True)
        screen.paragraph(message.shown)
    for came in found.aside:
        screen.say()
        screen.say(f"not the answer ({came.why}), {came.size:,} bytes, {came.at}", bold=True)
        screen.paragraph(came.body)
        if came.left_out:
            screen.say(f"  … and {came.left_out:,} more bytes, which were not kept", dim=True)
    if reply:
        screen.say()
        screen.say(f"answer{f' ({reply.problem}: {reply.detail})' if reply.problem else ''}", bold=True)
        screen.paragraph(reply.text)
