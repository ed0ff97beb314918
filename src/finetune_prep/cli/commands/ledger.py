"""`ledger`: recordings out and in, and what no recorded answer fits."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from finetune_prep.cli import screen
from finetune_prep.cli.job import json_option
from finetune_prep.errors import UsageError
from finetune_prep.ledger.fetched import Fetched
from finetune_prep.ledger.protocols import Entry
from finetune_prep.ledger.recording import export_recording, import_recording, read_fetched, read_recording
from finetune_prep.ledger.sqlite import SqliteLedger
from finetune_prep.method import limits
from finetune_prep.project.layout import RECORDING
from finetune_prep.project.lock import locked
from finetune_prep.project.project import Project, open_project
from finetune_prep.project.runs import runs
from finetune_prep.workflow.dry_run import dry_run

PATH = click.Path(path_type=Path)


def existing_ledger(project: Project) -> SqliteLedger:
    if not project.layout.ledger.is_file():
        raise UsageError("nothing has been asked in this project yet", where=str(project.folder), next="finetune-prep prepare")
    return SqliteLedger(project.layout.ledger)


@click.group()
def ledger() -> None:
    """The ledger holds every answer that was ever given. A recording is its content as a file."""


@ledger.command("export")
@click.argument("file", type=PATH, default=RECORDING)
@json_option
@click.pass_obj
def export_ledger(project: str, file: Path, as_json: bool) -> None:
    """Write every answer to FILE (default: recording.jsonl in the project), for the provider “recording”."""
    opened = open_project(project)
    path = file if file.is_absolute() else opened.folder / file
    found = existing_ledger(opened)
    try:
        count = export_recording(found, path)
        pages = sum(1 for _ in found.fetched.all())
    finally:
        found.close()
    if as_json:
        screen.json({"file": str(path), "answers": count, "fetched": pages})
        return
    web = f", {pages} searches and pages" if pages else ""
    screen.say(f"{opened.layout.relative(path)}: {count} answers{web}")


@ledger.command("import")
@click.argument("file", type=PATH)
@json_option
@click.pass_obj
def import_ledger(project: str, file: Path, as_json: bool) -> None:
    """Take in the answers of a recording."""
    opened = open_project(project)
    with locked(opened.layout.lock, "ledger import"):
        found = SqliteLedger(opened.layout.ledger)
        try:
            done = asyncio.run(import_recording(found, file))
        finally:
            found.close()
    if as_json:
        screen.json(done)
        return
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
    n = size or (planned[-1] if planned else limits.PILOT)
    done = asyncio.run(dry_run(opened, [*entries.values()], n, [*fetched.values()]))
    if as_json:
        rows = [
            {"key": asked.key, "phase": asked.phase, "role": asked.role, "about": asked.origin.label} for asked in done.missing
        ]
        screen.json(
            {"missing": rows, "answered": len(done.used), "unused": len(entries) - len(done.used), "stopped": done.stopped}
        )
        return
    screen.table([(asked.key[:12], asked.phase, asked.role, asked.origin.label) for asked in done.missing])
    unused = len(entries) - len(done.used)
    screen.say(f"{len(done.missing)} questions without an answer; {len(done.used)} answered, {unused} answers not needed")
    if done.stopped:
        screen.say(f"It goes no further: {done.stopped}")
