"""`drop`: one conversation goes into no further export."""

from __future__ import annotations

import click

from finetune_prep.cli import person, screen
from finetune_prep.cli.options import json_option
from finetune_prep.project.lock import locked
from finetune_prep.project.project import open_project
from finetune_prep.workflow.reviewing import dropping


@click.command()
@click.argument("id")
@click.option("--because", required=True, metavar="REASON", help="Why; it is kept, and stands in the scaled run's account.")
@click.option("--by", default="", metavar="NAME", help="Who decides (default: the user of this computer).")
@json_option
@click.pass_obj
def drop(project: str, id: str, because: str, by: str, as_json: bool) -> None:
    """Keep a conversation out of every further export, by its ID, its scenario's, or the beginning of one.

    It stays in the run, and its text is written nowhere else: not among the rows, and not among what was left out. `scale` makes
    another one in its place.
    """
    opened = open_project(project)
    with locked(opened.layout.lock, "drop"):
        found = dropping.drop(opened, id, by=by or person.whoever(), because=because)
    if as_json:
        screen.json(found)
        return
    again = " again; this reason replaces the earlier one" if found.before else ""
    screen.say(f"{found.scenario} of {found.run} is dropped{again}: {found.because}", bold=True)
    screen.say(f"  conversation {found.conversation[:12]}, {found.state}; it will be in no further export")
    screen.next_step(found.next)
