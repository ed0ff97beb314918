"""`status`, `show`, `template`: looking without changing anything."""

from __future__ import annotations

import click

from finetune_prep import documents
from finetune_prep.cli import screen
from finetune_prep.cli.working import account_words, json_option
from finetune_prep.core.sample import Sample
from finetune_prep.errors import UsageError
from finetune_prep.ledger.ledger import Entry
from finetune_prep.method import DOCUMENTS
from finetune_prep.phases import checking, lookup
from finetune_prep.phases.overview import Effort, Overview
from finetune_prep.phases.overview import overview as project_overview
from finetune_prep.project.project import Project, open_project
from finetune_prep.project.runs import runs

KINDS = click.Choice([*DOCUMENTS])
MARKS = {"missing": "·", "broken": "!", "to accept": "?", "accepted": "✓"}


@click.command()
@json_option
@click.pass_obj
def status(project: str, as_json: bool) -> None:
    """Where the project stands: phases, what is stale and why, runs, success criteria, money, and the next command."""
    opened = open_project(project)
    opened.sound("brief")
    with checking.ledger_of(opened) as ledger:
        view = project_overview(opened, ledger)
    criteria = checking.criteria(opened)
    if as_json:
        screen.json({"overview": view, "criteria": criteria})
        return
    _print_overview(view)
    screen.say()
    met = sum(criterion.met for criterion in criteria)
    screen.say(f"Success criteria: {met} of {len(criteria)}", bold=True)
    for criterion in criteria:
        screen.say(f"  {'✓' if criterion.met else '·'} {criterion.sentence}")
        if criterion.evidence:
            more = f" (and {len(criterion.evidence) - 1} more: --json)" if len(criterion.evidence) > 1 else ""
            screen.paragraph(f"{criterion.evidence[0]}{more}", indent=6, dim=True)
    _print_effort(view)
    screen.say()
    screen.say(f"next: {view.next}")


def _print_overview(view: Overview) -> None:
    screen.say(view.project, bold=True)
    for number, phase in enumerate(view.phases, start=1):
        screen.say(f"{number}. {phase.title}")
        for document in phase.documents:
            note = "" if document.state == "to accept" else f" {document.note}" if document.note else ""
            screen.say(f"   {MARKS[document.state]} {document.path}  {document.state}{note}")
            if document.state == "to accept" and "since" in document.note:
                screen.say(f"       {document.note}")
            if document.edited:
                screen.say(f"       edited by hand: {document.edited}", dim=True)
    if view.stale:
        screen.say("Stale", bold=True)
        for line in view.stale:
            screen.say(f"   {line}")
    for run in view.runs:
        account = f"{account_words(run.account.states)}" if run.account else "not at its end"
        screen.say(f"{run.name}: {run.planned} planned – {account}")
        for line in run.stale:
            screen.say(f"   stale: {line}")
    outstanding = f", {view.outstanding} questions outstanding in batches" if view.outstanding else ""
    screen.say(f"{view.answers} answers in the ledger{outstanding}, ${view.spent:.2f} spent", dim=True)


def _print_effort(view: Overview) -> None:
    """Time per phase, and what these figures are: nobody's working hours."""
    if not view.effort:
        return
    screen.say()
    screen.say("Time", bold=True)
    screen.table(
        [
            (
                effort.phase,
                f"{effort.answers} answer{'' if effort.answers == 1 else 's'}" if effort.answers else "",
                f"{duration(effort.model_seconds)} of model time" if effort.model_seconds else "",
                _when(effort),
            )
            for effort in view.effort
        ]
    )
    screen.say("  Model time adds up calls that ran side by side; how long a person read is not known.", dim=True)


def _when(effort: Effort) -> str:
    words = []
    if effort.first:
        last = effort.last if effort.last[:10] != effort.first[:10] else effort.last[11:]
        words.append(f"answered {_minute(effort.first)} to {_minute(last)}")
    if effort.accepted:
        words.append(f"accepted {_minute(effort.accepted[-1])}")
    return ", ".join(words)


def _minute(at: str) -> str:
    """An ISO time, or its time of day, to the minute."""
    return at[:16].replace("T", " ") if "T" in at else at[:5]


def duration(seconds: float) -> str:
    """A duration as people say it: "8 s", "12 min", "3.5 h"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


@click.command()
@click.argument("id", required=False)
@json_option
@click.pass_obj
def show(project: str, id: str | None, as_json: bool) -> None:
    """Show a scenario, its conversation and verdict, by its ID or the beginning of it; or a request by its key.

    Without ID: the conversations of the latest run.
    """
    opened = open_project(project)
    with checking.ledger_of(opened) as ledger:
        if id is None:
            _print_list(opened, as_json=as_json)
            return
        found = lookup.look_up(opened, ledger, id)
        if as_json:
            screen.json(found)
        elif isinstance(found, lookup.FoundRequest):
            _print_entry(found.entry)
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
    screen.table([_row(sample) for sample in samples])
    screen.say("next: finetune-prep show ID")


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
        screen.paragraph(message.content)
    if found.verdict:
        screen.say()
        screen.say(f"verdict by {found.verdict.judge}", bold=True)
        screen.table(
            [
                (question, answer or "missing", found.verdict.evidence.get(question, ""))
                for question, answer in found.verdict.answers.items()
            ]
        )
    if sample.fault:
        screen.say(f"  {sample.fault}")
    if found.requests:
        screen.say()
        screen.say(f"requests: {' '.join(key[:12] for key in found.requests)}", dim=True)


def _print_entry(entry: Entry) -> None:
    request, reply = entry.request, entry.reply
    screen.say(f"{entry.key} · {request.phase} · {request.role} · {request.about}", bold=True)
    screen.say(f"  asked of {request.model}, answered {reply.at or 'at an unknown time'}, {reply.finish}", dim=True)
    for message in request.messages:
        screen.say()
        screen.say(message.role, bold=True)
        screen.say(message.content)
    screen.say()
    screen.say(f"answer{f' ({reply.problem}: {reply.detail})' if reply.problem else ''}", bold=True)
    screen.say(reply.text)


@click.command()
@click.argument("kind", type=KINDS)
def template(kind: str) -> None:
    """Print a filled-in specimen of a document of this KIND."""
    click.echo(documents.template(kind), nl=False)
