"""`batch`: questions that are answered another day, as files. What is with a Batch API is in `batch_api`."""

from __future__ import annotations

import shlex
from pathlib import Path

import click
import msgspec

from finetune_prep.cli import screen
from finetune_prep.cli.commands import batch_api
from finetune_prep.cli.commands.ledger import look_at, work_on
from finetune_prep.cli.options import json_option
from finetune_prep.core.request import Request
from finetune_prep.durable import write_atomically
from finetune_prep.errors import UsageError
from finetune_prep.ledger.protocols import Ledger, Round
from finetune_prep.ledger.submissions import Submission
from finetune_prep.models.batches import pages
from finetune_prep.models.batches.answers import BatchImport, import_answers
from finetune_prep.models.batches.files import round_path
from finetune_prep.project.lock import locked
from finetune_prep.project.project import Project, open_project
from finetune_prep.workflow.batching.to_import import answers_at, pages_folder
from finetune_prep.workflow.status.overview import overview

PATH = click.Path(path_type=Path)
MOST_MISFITS = 5  # shown


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
    rounds, handed_over = look_at(project, _standings)
    submissions = {submission.number: submission for submission in handed_over}
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
            (_file(project, found), f"{found.asked} asked", _round_words(found), batch_api.words(submissions.get(found.number)))
            for found in rounds
        ]
    )
    waiting = [found.number for found in rounds if found.outstanding]
    if not rounds:
        screen.say("No batch files.")
    elif any(number not in submissions for number in waiting):
        in_files = [number for number in waiting if number not in submissions]
        screen.next_step(f"finetune-prep batch import {answers_at(project.folder, in_files)}")
    elif waiting:
        screen.next_step("finetune-prep batch status")


def _file(project: Project, found: Round) -> str:
    return project.layout.relative(round_path(project.folder, found.number))


def _round_words(found: Round) -> str:
    counts = ((found.answered, "answered"), (found.outstanding, "outstanding"), (found.released, "no longer waited for"))
    return ", ".join(f"{count} {words}" for count, words in counts if count)


@batch.command("import")
@click.argument("files", nargs=-1, required=True, type=PATH)
@json_option
@click.pass_obj
def import_batch(project: str, files: tuple[Path, ...], as_json: bool) -> None:
    """Take in answers, in any order and over any number of FILES. A row that cannot be read stops no other.

    FILES are JSON Lines, JSON arrays, pages that `batch show` wrote, or folders of pages and of NAME.json, where NAME is the
    custom_id. The shortest row is {"custom_id": "…", "content": "…"}. The first answer to a question counts, unless it cannot be
    used: then a later good one replaces it, so that a page or row can be corrected and imported again. Exit code 1: something was
    not taken, or is not in the form that was asked for.
    """
    opened = open_project(project)
    with locked(opened.layout.lock, "batch import"):
        done = work_on(opened, lambda ledger: import_answers(ledger, files))
    if as_json:
        screen.json(done, step=overview(opened).next)
    else:
        _print_import(done, next=overview(opened).next)
    if done.unreadable or done.strangers or done.misfits or done.misplaced or not done.taken:
        raise click.exceptions.Exit(1)


def _print_import(done: BatchImport, *, next: str) -> None:
    screen.say(f"{screen.counted(done.usable, 'answer')} kept, {done.outstanding} still outstanding", bold=True)
    if done.blank and not done.taken:
        screen.say(f"  {screen.counted(done.blank, 'page')} without an answer below the last line")
    elif not done.taken:
        screen.say("  No answer was found in what you gave.")
    if done.replaced:
        screen.say(f"  {done.replaced} of them in the place of an answer that could not be used")
    for count, words in (
        (done.refused, "of them are refusals for good; their samples count as failed"),
        (done.known, "already answered; the first answer counts"),
        (done.released, "failed temporarily; the next run asks them again"),
        (done.unpaid, "were refused because the credit is used up; they are still waited for"),
    ):
        if count:
            screen.say(f"  {count} {words}")
    for line in (*done.misplaced, *done.unreadable, *done.refusals, *done.failures):
        screen.say(f"  {line}")
    if done.misfits:
        screen.say(f"  {len(done.misfits)} cannot be used, not being in the form that was asked for:")
        for line in done.misfits[:MOST_MISFITS]:
            screen.say(f"    {line}")
        screen.say(
            "  Correct them and import them again; or have them asked once more, in a new round, by the command that comes next."
        )
    if done.strangers:
        screen.say(f"  {len(done.strangers)} were never asked here: {', '.join(done.strangers[:5])}")
    screen.next_step(next)


@batch.command("show")
@click.argument("number", type=click.IntRange(min=1), metavar="ROUND")
@click.argument("folder", required=False, type=PATH)
@json_option
@click.pass_obj
def show_round(project: str, number: int, folder: Path | None, as_json: bool) -> None:
    """Write what a ROUND still waits for as pages that a person can read and answer, a Markdown file each.

    They go to FOLDER (default: batches/round-NNN). Write each answer below the last line of its page, then import the folder.
    A page that is there already is left as it is.
    """
    opened = open_project(project)
    _, waiting = look_at(opened, lambda ledger: _round(ledger, number))
    place = folder or pages_folder(opened.folder, number)
    fresh = 0
    for count, asked in enumerate(waiting, start=1):
        path = place / f"{count:03d}-{asked.role}-{asked.key[:12]}.md"
        if not any(place.glob(f"*-{path.name.partition('-')[2]}")):  # it had another number while more were waiting
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, [pages.page(asked).encode()])
            fresh += 1
    step = f"finetune-prep batch import {shlex.quote(str(place))}"
    if as_json:
        screen.json({"folder": str(place), "pages": len(waiting), "written": fresh}, step=step if waiting else "")
        return
    new = "" if not fresh else ", new" if fresh == len(waiting) else f", {fresh} of them new"
    screen.say(f"{place}: {screen.counted(len(waiting), 'page')}{new}", bold=True)
    if waiting:
        screen.say("  Write each answer below the last line of its page.")
        screen.next_step(step)


@batch.command("drop")
@click.argument("number", type=click.IntRange(min=1), metavar="ROUND")
@json_option
@click.pass_obj
def drop_round(project: str, number: int, as_json: bool) -> None:
    """Wait no longer for the answers of this ROUND, for example after a prompt was changed.

    What the project still needs is asked again in a new round; answers that come late are taken in all the same. A batch that is
    with a Batch API is not fetched any more, and counts with all that it may cost: `batch cancel` is the better way.
    """
    opened = open_project(project)
    with locked(opened.layout.lock, "batch drop"):
        asked, outstanding = work_on(opened, lambda ledger: _dropped(ledger, number))
    if as_json:
        screen.json({"round": number, "asked": asked, "dropped": outstanding}, step=overview(opened).next)
        return
    screen.say(f"round {number}: {outstanding} of {asked} questions have been given up")
    screen.next_step(overview(opened).next)


async def _standings(ledger: Ledger) -> tuple[tuple[Round, ...], tuple[Submission, ...]]:
    return await ledger.rounds.all(), await ledger.rounds.submissions()


async def _round(ledger: Ledger, number: int) -> tuple[tuple[Request, ...], list[Request]]:
    """The requests of a round, and those of them that it still waits for. Raises UsageError if there is no such round."""
    if number not in {found.number for found in await ledger.rounds.all()}:
        raise UsageError(f"there is no round {number}", next="finetune-prep batch")
    requests = await ledger.rounds.requests_of(number)
    return requests, [asked for asked in requests if await ledger.rounds.outstanding(asked.key) == number]


async def _dropped(ledger: Ledger, number: int) -> tuple[int, int]:
    """Wait for a round no longer; how many requests it had, and how many of them were still waited for."""
    requests, waiting = await _round(ledger, number)
    await batch_api.dropped(ledger, number, [asked.key for asked in waiting])
    return len(requests), len(waiting)


batch.add_command(batch_api.status)
batch.add_command(batch_api.fetch)
batch.add_command(batch_api.cancel)
batch.add_command(batch_api.settle)
