"""`show`: one scenario, conversation, verdict or request, with everything behind it."""

from __future__ import annotations

import click

from finetune_prep.cli import screen
from finetune_prep.cli.options import json_option
from finetune_prep.core.sample import Sample
from finetune_prep.core.verdict import CASE
from finetune_prep.errors import UsageError
from finetune_prep.project.project import Project, open_project
from finetune_prep.project.runs import runs
from finetune_prep.workflow import lookup

MOST_LISTED = 500  # conversations of a run


@click.command()
@click.argument("id", required=False)
@json_option
@click.pass_obj
def show(project: str, id: str | None, as_json: bool) -> None:
    """Show a scenario, its conversation and verdict, by its ID or the beginning of it; or a request by its key.

    Without ID: the conversations of the latest run.
    """
    opened = open_project(project)
    if id is None:
        _print_list(opened, as_json=as_json)
        return
    found = lookup.look_up(opened, id)
    if as_json:
        screen.json(found)
    elif isinstance(found, lookup.FoundRequest):
        _print_request(found)
    else:
        _print_sample(found)


def _print_list(project: Project, *, as_json: bool) -> None:
    known = runs(project.layout)
    if not known:
        raise UsageError("there is no run yet", where=str(project.folder), next="finetune-prep status")
    samples = known[-1].samples()
    if as_json:
        screen.json({"run": known[-1].name, "samples": samples})
        return
    screen.say(known[-1].name, bold=True)
    if not samples:
        screen.say("  no conversation is finished yet")
        screen.next_step(known[-1].plan.command)
        return
    screen.table([_row(sample) for sample in samples[:MOST_LISTED]])
    if (more := len(samples) - MOST_LISTED) > 0:
        screen.say(f"  and {more:,} more: runs/{known[-1].name}/samples.jsonl")
    screen.next_step("finetune-prep show ID")


def _row(sample: Sample) -> tuple[str, ...]:
    score = f"{sample.score:.2f}" if sample.score is not None else ""
    why = ", ".join(sample.failed) or sample.fault
    cell, situation = str(sample.scenario.cell), sample.scenario.situation.text
    return sample.scenario.id, sample.state, score, cell, _short(why, 24), _short(situation, 64)


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def _print_sample(found: lookup.FoundSample) -> None:
    sample, scenario = found.sample, found.sample.scenario
    screen.say(
        f"{scenario.id} in {found.run}: {sample.state}{f', score {sample.score:.2f}' if sample.score is not None else ''}",
        bold=True,
    )
    flaw = f", {scenario.flaw.name.lower()}" if scenario.flaw else ""
    screen.say(f"  {scenario.cell} · {scenario.style.name.lower()} · {scenario.difficulty.name.lower()}{flaw}", dim=True)
    screen.paragraph(scenario.situation.text, dim=True)
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
    if sample.thin:
        screen.say(f"  thin: {', '.join(sample.thin)} rest{'s' if len(sample.thin) == 1 else ''} on one question")
    if sample.fault:
        screen.say(f"  {sample.fault}")
    if found.requests:
        screen.say()
        screen.say(f"requests: {' '.join(key[:12] for key in found.requests)}", dim=True)


def _print_request(found: lookup.FoundRequest) -> None:
    request, reply = found.request, found.entry and found.entry.reply
    screen.say(f"{request.key} · {request.phase} · {request.role} · {request.origin.label}", bold=True)
    answered = f"answered {reply.at or 'at an unknown time'}, {reply.finish}" if reply else "no answer that can be read"
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
            screen.say(f"  … and {came.left_out:,} bytes more, which were not kept", dim=True)
    if reply:
        screen.say()
        screen.say(f"answer{f' ({reply.problem}: {reply.detail})' if reply.problem else ''}", bold=True)
        screen.paragraph(reply.text)
