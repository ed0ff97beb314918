"""`ledger`: recordings out and in, and what no recorded answer fits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import click

from finetune_prep.cli import screen
from finetune_prep.cli.options import json_option
from finetune_prep.errors import UsageError
from finetune_prep.ledger.fetched import Fetched
from finetune_prep.ledger.opening import open_ledger
from finetune_prep.ledger.protocols import Entry, Ledger
from finetune_prep.ledger.recording import export_recording, import_recording, read_fetched, read_recording
from finetune_prep.ledger.rescue.rescue import rescue, rescue_beside
from finetune_prep.method import limits
from finetune_prep.project.layout import RECORDING, Layout
from finetune_prep.project.lock import locked
from finetune_prep.project.project import Project, open_project
from finetune_prep.project.runs import runs
from finetune_prep.workflow.dry_run import dry_run
from finetune_prep.workflow.looking import look, looked

T = TypeVar("T")
PATH = click.Path(path_type=Path)
MOST_LOST = 20  # rows that are printed


def look_at(project: Project, job: Callable[[Ledger], Awaitable[T]]) -> T:
    """What `job` finds in the project's ledger. Raises UsageError if nothing was asked yet."""
    _check_existing(project)
    return look(project.layout.ledger, job)


def work_on(project: Project, job: Callable[[Ledger], Awaitable[T]]) -> T:
    """Do `job` with the project's ledger; the project is locked. Raises UsageError if nothing was asked yet."""
    _check_existing(project)
    return asyncio.run(_with_ledger(project, job))


async def _with_ledger(project: Project, job: Callable[[Ledger], Awaitable[T]]) -> T:
    async with open_ledger(project.layout.ledger) as opened:
        return await job(opened)


def _check_existing(project: Project) -> None:
    if not project.layout.ledger.is_file():
        raise UsageError("nothing has been asked in this project yet", where=str(project.folder), next="finetune-prep prepare")


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
    count, pages = look_at(opened, lambda ledger: export_recording(ledger, path))
    if as_json:
        screen.json({"file": str(path), "answers": count, "fetched": pages})
        return
    web = f", {pages} searches and pages" if pages else ""
    screen.say(f"{opened.layout.relative(path)}: {screen.counted(count, 'answer')}{web}")


@ledger.command("import")
@click.argument("file", type=PATH)
@json_option
@click.pass_obj
def import_ledger(project: str, file: Path, as_json: bool) -> None:
    """Take in the answers of a recording."""
    opened = open_project(project)
    with locked(opened.layout.lock, "ledger import"):
        done = asyncio.run(_with_ledger(opened, lambda ledger: import_recording(ledger, file)))
    if as_json:
        screen.json(done)
        return
    web = f", {done.fetched} searches and pages" if done.fetched else ""
    screen.say(f"{screen.counted(done.added, 'answer')}{web} taken in, {done.known} known before")


@ledger.command("rescue")
@click.argument("file", type=PATH, required=False)
@json_option
@click.pass_obj
def rescue_ledger(project: str, file: Path | None, as_json: bool) -> None:
    """Save what can still be read of a damaged ledger into a new one.

    Without FILE, that of the project: the damaged file stays beside it, as ledger.damaged-1.sqlite. Answers that are lost are
    named, and asked anew by the next run. What can be read of another FILE, such as a copy, is written beside it.
    """
    if file is not None and not _is_ledger_of(project, file):
        done = rescue_beside(file)
        place = done.damaged
    else:
        opened = open_project(project)
        with locked(opened.layout.lock, "ledger rescue"):
            done = rescue(opened.layout.ledger)
        place = opened.layout.relative(Path(done.damaged)) if done.damaged else ""
    if as_json:
        screen.json(done)
        return
    if done.sound:
        screen.say("The ledger is whole: every row of it can be read. Nothing was changed.")
        return
    saved = ", ".join(f"{count} {what}{'' if count == 1 else 's'}" for what, count in done.saved.items())
    screen.say(f"saved: {saved or 'nothing'}; lost: {len(done.lost)}", bold=True)
    screen.table([(f"{lost.what} {lost.id}", lost.key, lost.about, lost.why) for lost in done.lost[:MOST_LOST]])
    if (more := len(done.lost) - MOST_LOST) > 0:
        screen.say(f"  … and {more} more")
    for words in done.notes:
        screen.say(f"  {words}")
    screen.say(f"  The damaged file is kept: {place}")
    if done.written:
        screen.say(f"  What was saved: {done.written}; in a project it goes by the name of .finetune-prep/ledger.sqlite")
    else:
        screen.next_step("finetune-prep status")


def _is_ledger_of(project: str, file: Path) -> bool:
    ledger = Layout(Path(project)).ledger
    return ledger.exists() and file.exists() and ledger.samefile(file)


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
    kept, pages = looked(opened, _everything, ([], []))
    entries |= {entry.key: entry for entry in kept}
    fetched |= {page.key: page for page in pages}
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
    screen.say(
        f"{screen.counted(len(done.missing), 'question')} without an answer; {len(done.used)} answered, {unused} not needed"
    )
    if done.stopped:
        screen.say(f"It could not go on: {done.stopped}")


async def _everything(ledger: Ledger) -> tuple[list[Entry], list[Fetched]]:
    return [entry async for entry in ledger.answers.all()], [page async for page in ledger.fetched.all()]
