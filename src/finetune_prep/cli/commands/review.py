"""`review`: a person reads conversations of a run and labels them, before the judge's verdict is shown."""

from __future__ import annotations

import click

from finetune_prep.cli import person, screen
from finetune_prep.cli.app import INTERRUPTED
from finetune_prep.cli.options import json_option
from finetune_prep.cli.reviewing import terminal as keys
from finetune_prep.cli.reviewing.serving import serve_page
from finetune_prep.method import limits
from finetune_prep.project.project import Project, open_project
from finetune_prep.web.desk import Desk
from finetune_prep.workflow.report import renew_report
from finetune_prep.workflow.reviewing.counting import more, proof, reviewed, to_be_read
from finetune_prep.workflow.reviewing.due import due
from finetune_prep.workflow.reviewing.sitting import Sitting, open_sitting
from finetune_prep.workflow.status.overview import overview

HOW_MANY = (
    f"How many to draw (default: {limits.SPOT_CHECK} of a pilot; of a scaled run {limits.SPOT_CHECK} for every "
    f"{limits.SPOT_CHECK_EVERY} accepted rows)."
)


@click.command()
@click.option("-n", "size", type=click.IntRange(min=1), help=HOW_MANY)
@click.option("--terminal", is_flag=True, help="In this terminal, by keyboard, without a browser.")
@click.option("--run", default="", metavar="NAME", help="The run to review (default: the one that a full export waits for).")
@click.option("--by", default="", metavar="NAME", help="Who labels (default: the user of this computer).")
@json_option
@click.pass_obj
def review(project: str, size: int | None, terminal: bool, run: str, by: str, as_json: bool) -> None:
    """Read conversations of a run and label them, in a browser or with --terminal: pass, fail, or defer.

    Conversations are drawn at random, by what the judge said of them, with known probabilities; one in ten comes a second time.
    You label first and see the judge's verdict afterwards. Every label is on disk before it is called saved; stop at any time and
    go on later. A process without a terminal is taken for a model, unless --by names a person; labels of models count for
    nothing. --json shows what waits, and labels nothing.
    """
    opened = open_project(project)
    labeller = person.labeller(by)
    sitting = open_sitting(opened, labeller, run=run, n=size)
    if not terminal and not as_json:
        desk = Desk(opened, labeller, run=run or (sitting.run.name if size else ""), n=size)
        serve_page(desk, "/review")
        for one in {found.name: found for found in (sitting.run, desk.sitting().run)}.values():
            renew_report(opened, one)
        return
    if as_json:
        _as_json(opened, sitting)
        return
    try:
        keys.review(sitting)
    except (KeyboardInterrupt, click.exceptions.Abort):
        screen.note("Stopped. Every label shown as saved is on disk; run the same command to go on.")
        raise click.exceptions.Exit(INTERRUPTED) from None
    _print_end(opened, sitting)


def _as_json(project: Project, sitting: Sitting) -> None:
    found = reviewed(project, sitting.run)
    waiting = sitting.waiting()
    screen.json(
        {
            "run": sitting.run.name,
            "labeller": sitting.labeller,
            "drawn": len(sitting.drawn),
            "waiting": [sitting.drawn[position].conversation_id for position in waiting],
            "read": found.read,
            "needed": to_be_read(sitting.run),
            "missed": found.missed,
            "proof": proof(found),
            "next": _next(project, sitting),
        }
    )


def _print_end(project: Project, sitting: Sitting) -> None:
    renew_report(project, sitting.run)
    found = reviewed(project, sitting.run)
    screen.say()
    labelled = len(sitting.drawn) - len(sitting.waiting())
    screen.say(f"{labelled} of {len(sitting.drawn)} labelled by {sitting.labeller.name}", bold=True)
    if sitting.labeller.kind == "model":
        screen.say("  These are a model's labels: they count towards no gate and no export.")
    for sentence in proof(found):
        screen.say(f"  {sentence}")
    sentence, command = more(sitting.run, project.layout.relative(sitting.run.folder))
    screen.say(f"  {sentence}")
    if found.read:  # without labels there is nothing to measure
        screen.say(f"  what these labels prove: {command}")
    for failure in found.missed:
        screen.say(f"  no document mentions this failure yet: {failure}")
    screen.next_step(_next(project, sitting))


def _next(project: Project, sitting: Sitting) -> str:
    if sitting.waiting():
        found = due(project)
        if found is not None and (found.run, found.wanted) == (sitting.run.name, sitting.wanted):
            return found.command
        return f"finetune-prep review --run {sitting.run.name} -n {sitting.wanted}"
    return overview(project).next
