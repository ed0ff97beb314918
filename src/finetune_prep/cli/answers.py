"""`batch` and `ledger`: answers that come and go as files. What is with a Batch API is in `batches`."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click
import msgspec

from finetune_prep.cli import batches, screen
from finetune_prep.cli.working import json_option
from finetune_prep.errors import UsageError
from finetune_prep.ledger.fetched import Fetched
from finetune_prep.ledger.ledger import Entry, Round
from finetune_prep.ledger.recording import export_recording, import_recording, read_fetched, read_recording
from finetune_prep.ledger.sqlite import SqliteLedger
from finetune_prep.models.batch_answers import BatchImport, import_answers
from finetune_prep.models.providers.batch import round_path
from finetune_prep.phases.rehearsal import rehearse
from finetune_prep.project.layout import RECORDING
from finetune_prep.project.lock import locked
from finetune_prep.project.project import Project, open_project
from finetune_prep.project.runs import runs

PATH = click.Path(path_type=Path)


def _ledger(project: Project) -> SqliteLedger:
    if not project.layout.ledger.is_file():
        raise UsageError("nothing has been asked in this project yet", where=str(project.folder), next="finetune-prep prepare")
    return SqliteLedger(project.layout.ledger)


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def batch(context: click.Context, as_json: bool) -> None:
    """Batch files, and what is with a Batch API: questions that are answered another day.

    Files are JSON Lines in the OpenAI Batch format, as are their answers. Without a subcommand: what is outstanding.
    """
    if context.invoked_subcommand is not None:
        return
    project = open_project(context.obj)
    ledger = _ledger(project)
    try:
        rounds = ledger.rounds()
        submissions = {submission.number: submission for submission in ledger.submissions()}
    finally:
        ledger.close()
    if as_json:
        screen.json(
            [
                {
                    "file": _file(project, found),
                    **msgspec.structs.asdict(found),
                    "outstanding": found.outstanding,
                    "submission": submissions.get(found.number),
                }
                for found in rounds
            ]
        )
        return
    screen.table(
        [
            (_file(project, found), f"{found.asked} asked", _round_words(found), batches.words(submissions.get(found.number)))
            for found in rounds
        ]
    )
    waiting = [found.number for found in rounds if found.outstanding]
    if not rounds:
        screen.say("No batch files.")
    elif any(number not in submissions for number in waiting):
        screen.say("next: finetune-prep batch import ANSWERS.jsonl")
    elif waiting:
        screen.say("next: finetune-prep batch status")


def _file(project: Project, found: Round) -> str:
    return project.layout.relative(round_path(project.folder, found.number))


def _round_words(found: Round) -> str:
    counts = ((found.answered, "answered"), (found.outstanding, "outstanding"), (found.released, "asked anew or given up"))
    return ", ".join(f"{count} {words}" for count, words in counts if count)


@batch.command("import")
@click.argument("files", nargs=-1, required=True, type=PATH)
@json_option
@click.pass_obj
def import_batch(project: str, files: tuple[Path, ...], as_json: bool) -> None:
    """Take in answers, in any order and over any number of FILES. A row that cannot be read stops no other."""
    opened = open_project(project)
    with locked(opened.layout.lock, "batch import"):
        ledger = _ledger(opened)
        try:
            done = asyncio.run(import_answers(ledger, files))
        finally:
            ledger.close()
    if as_json:
        screen.json(done)
    else:
        _print_import(done)
    if done.unreadable or done.strangers:
        raise click.exceptions.Exit(1)


def _print_import(done: BatchImport) -> None:
    screen.say(f"{done.answered} answers kept, {done.outstanding} still outstanding", bold=True)
    for count, words in (
        (done.refused, "of them are refusals for good; their samples count as failed"),
        (done.known, "were answered before; the first answer counts"),
        (done.released, "failed in passing; the next run asks them again"),
    ):
        if count:
            screen.say(f"  {count} {words}")
    for line in (*done.unreadable, *done.failures):
        screen.say(f"  {line}")
    if done.strangers:
        screen.say(f"  {len(done.strangers)} were never asked here: {', '.join(done.strangers[:5])}")
    screen.say("next: the command that waited, or finetune-prep status")


@batch.command("drop")
@click.argument("number", type=click.IntRange(min=1), metavar="ROUND")
@click.pass_obj
def drop_round(project: str, number: int) -> None:
    """Wait no longer for the answers of this ROUND, for example after a prompt was changed.

    What the project still needs is asked again in a new round; answers that come late are taken in all the same. A batch that is
    with a Batch API is not fetched any more, and counts with all that it may cost: `batch cancel` is the better way.
    """
    opened = open_project(project)
    with locked(opened.layout.lock, "batch drop"):
        found = _ledger(opened)
        try:
            if number not in {round.number for round in found.rounds()}:
                raise UsageError(f"there is no round {number}", next="finetune-prep batch")
            keys = [request.key for request in found.requests_of(number)]
            outstanding = [key for key in keys if found.outstanding(key) == number]
            asyncio.run(batches.dropped(found, number, outstanding))
        finally:
            found.close()
    screen.say(f"round {number}: {len(outstanding)} of {len(keys)} questions are no longer waited for")


batch.add_command(batches.status)
batch.add_command(batches.fetch)
batch.add_command(batches.cancel)
batch.add_command(batches.settle)


@click.group()
def ledger() -> None:
    """The ledger holds every answer that was ever given. A recording is its content as a file."""


@ledger.command("export")
@click.argument("file", type=PATH, default=RECORDING)
@click.pass_obj
def export_ledger(project: str, file: Path) -> None:
    """Write every answer to FILE (default: recording.jsonl in the project), for the provider “recording”."""
    opened = open_project(project)
    path = file if file.is_absolute() else opened.folder / file
    found = _ledger(opened)
    try:
        count = export_recording(found, path)
        pages = sum(1 for _ in found.fetched.all())
    finally:
        found.close()
    web = f", {pages} searches and pages" if pages else ""
    screen.say(f"{opened.layout.relative(path)}: {count} answers{web}")


@ledger.command("import")
@click.argument("file", type=PATH)
@click.pass_obj
def import_ledger(project: str, file: Path) -> None:
    """Take in the answers of a recording."""
    opened = open_project(project)
    with locked(opened.layout.lock, "ledger import"):
        found = SqliteLedger(opened.layout.ledger)
        try:
            done = asyncio.run(import_recording(found, file))
        finally:
            found.close()
    web = f", {done.fetched} searches and pages" if done.fetched else ""
    screen.say(f"{done.added} answers{web} taken in, {done.known} were known")


@ledger.command("missing")
@click.option("-n", "size", type=click.IntRange(min=1), help="Size of the pilot (default: that of the latest run).")
@json_option
@click.pass_obj
def missing(project: str, size: int | None, as_json: bool) -> None:
    """List the questions that no recorded answer fits: what has to be asked again after a prompt was changed.

    Goes the whole way once more in a temporary folder, from brief, sources and decisions, with the recording and the ledger.
    """
    opened = open_project(project)
    entries: dict[str, Entry] = {}
    fetched: dict[str, Fetched] = {}
    recording = opened.folder / RECORDING
    if recording.is_file():
        entries |= {entry.key: entry for entry in read_recording(recording)}
        fetched |= {page.key: page for page in read_fetched(recording)}
    if opened.layout.ledger.is_file():
        found = SqliteLedger(opened.layout.ledger)
        try:
            entries |= {entry.key: entry for entry in found.entries()}
            fetched |= {page.key: page for page in found.fetched.all()}
        finally:
            found.close()
    planned = [run.plan.n for run in runs(opened.layout, "pilot")]
    n = size or (planned[-1] if planned else 100)
    done = asyncio.run(rehearse(opened, [*entries.values()], n, [*fetched.values()]))
    if as_json:
        rows = [{"key": asked.key, "phase": asked.phase, "role": asked.role, "about": asked.about} for asked in done.missing]
        screen.json(
            {"missing": rows, "answered": len(done.used), "unused": len(entries) - len(done.used), "stopped": done.stopped}
        )
        return
    screen.table([(asked.key[:12], asked.phase, asked.role, asked.about) for asked in done.missing])
    unused = len(entries) - len(done.used)
    screen.say(f"{len(done.missing)} questions without an answer; {len(done.used)} answered, {unused} answers not needed")
    if done.stopped:
        screen.say(f"It goes no further: {done.stopped}")
