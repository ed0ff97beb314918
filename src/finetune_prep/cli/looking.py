"""`status`, `check`, `show`, `template`: looking without changing anything."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

from finetune_prep import documents
from finetune_prep.cli import screen
from finetune_prep.cli.working import account_words, json_option
from finetune_prep.core.finding import Outcome
from finetune_prep.core.sample import Sample
from finetune_prep.errors import UsageError
from finetune_prep.ledger.ledger import Entry
from finetune_prep.ledger.sqlite import SqliteLedger
from finetune_prep.method import DOCUMENTS, GATES, PHASES
from finetune_prep.phases import checking, lookup
from finetune_prep.phases.overview import Overview
from finetune_prep.phases.overview import overview as project_overview
from finetune_prep.project.project import Project, open_project
from finetune_prep.project.runs import runs

KINDS = click.Choice([*DOCUMENTS])
MARKS = {"missing": "·", "broken": "!", "to accept": "?", "accepted": "✓"}


@contextmanager
def _ledger(project: Project) -> Iterator[SqliteLedger | None]:
    """The project's ledger for reading, None if nothing was asked yet: looking creates no files."""
    if not project.layout.ledger.is_file():
        yield None
        return
    ledger = SqliteLedger(project.layout.ledger)
    try:
        yield ledger
    finally:
        ledger.close()


@click.command()
@json_option
@click.pass_obj
def status(project: str, as_json: bool) -> None:
    """Where the project stands: phases, what is stale and why, runs, success criteria, money, and the next command."""
    opened = open_project(project)
    with _ledger(opened) as ledger:
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
    outstanding = f", {view.outstanding} questions outstanding in batch files" if view.outstanding else ""
    screen.say(f"{view.answers} answers in the ledger{outstanding}, ${view.spent:.2f} spent", dim=True)


@click.command()
@click.argument("wanted", nargs=-1, type=KINDS, metavar="[DOCUMENT]...")
@json_option
@click.option("--format", "style", type=click.Choice(["text", "github"]), default="text", help="github: annotations for CI.")
@click.pass_obj
def check(project: str, wanted: tuple[str, ...], as_json: bool, style: str) -> None:
    """Run the gates over all documents, or over these; print what to mend, phase by phase. Exit code 1 if a must-gate fails."""
    opened = open_project(project)
    broken = [finding for kind in DOCUMENTS if (found := opened.document(kind)) for finding in found.findings]
    shown = [*wanted] or [*DOCUMENTS]
    form = [finding for finding in broken if finding.path in {DOCUMENTS[kind].path for kind in shown}]
    gates = {gate.id: gate for gate in GATES}
    outcomes = [
        outcome
        for outcome in checking.outcomes(opened)
        if not wanted or (gates[outcome.gate].documents and gates[outcome.gate].documents[-1] in wanted)
    ]
    failing = [outcome for outcome in outcomes if outcome.answer == "fails" and checking.LEVELS[outcome.gate] == "must"]
    if as_json:
        screen.json({"form": form, "outcomes": outcomes, "failing": [outcome.gate for outcome in failing]})
    elif style == "github":
        for finding in form:
            screen.say(f"::error file={finding.path},line={finding.line}::{finding.what}; {finding.mend}")
        for outcome in outcomes:
            level = "error" if outcome in failing else "warning"
            for finding in outcome.findings:
                screen.say(f"::{level} file={finding.path},line={finding.line}::{finding.what}; {finding.mend} [{outcome.gate}]")
    else:
        for finding in form:
            screen.say(str(finding))
        _print_outcomes(outcomes)
    if form or failing:
        raise click.exceptions.Exit(1)


def _print_outcomes(outcomes: list[Outcome]) -> None:
    gates = {gate.id: gate for gate in GATES}
    titles = {phase.name: phase.title for phase in PHASES} | {"workflow": "Workflow"}
    for name, title in titles.items():
        mine = [outcome for outcome in outcomes if gates[outcome.gate].phase == name]
        if not mine:
            continue
        counts = {
            answer: sum(outcome.answer == answer for outcome in mine) for answer in ("holds", "fails", "unchecked", "overridden")
        }
        screen.say(f"{title}: {', '.join(f'{count} {answer}' for answer, count in counts.items() if count)}", bold=True)
        for outcome in mine:
            for finding in outcome.findings:
                level = "" if gates[outcome.gate].level == "must" else "advice: "
                overridden = " (overridden)" if outcome.answer == "overridden" else ""
                screen.say(f"  {level}{finding}  [{outcome.gate}]{overridden}", dim=bool(level))


@click.command()
@click.argument("id", required=False)
@json_option
@click.pass_obj
def show(project: str, id: str | None, as_json: bool) -> None:
    """Show a scenario, its conversation and verdict, by its ID or the beginning of it; or a request by its key.

    Without ID: the conversations of the latest run.
    """
    opened = open_project(project)
    with _ledger(opened) as ledger:
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
    return sample.scenario.id, sample.state, score, str(sample.scenario.cell), why, sample.scenario.situation.text[:70]


def _print_sample(found: lookup.FoundSample) -> None:
    sample, scenario = found.sample, found.sample.scenario
    screen.say(
        f"{scenario.id} in {found.run}: {sample.state}{f', score {sample.score:.2f}' if sample.score is not None else ''}",
        bold=True,
    )
    flaw = f", {scenario.flaw.name.lower()}" if scenario.flaw else ""
    screen.say(f"  {scenario.cell} · {scenario.style.name.lower()} · {scenario.difficulty.name.lower()}{flaw}", dim=True)
    screen.say(f"  {scenario.situation.text}", dim=True)
    for message in sample.conversation.messages if sample.conversation else ():
        screen.say()
        screen.say(message.role, bold=True)
        screen.say(message.content)
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
