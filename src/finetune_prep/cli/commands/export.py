"""`export`: accepted rows as training data."""

from __future__ import annotations

import click

from finetune_prep.cli import screen
from finetune_prep.cli.job import json_option
from finetune_prep.exports.formats import DEFAULT, FORMATS
from finetune_prep.project.lock import locked
from finetune_prep.project.project import open_project
from finetune_prep.workflow import exporting

SHAPES = "; ".join(f"{name}: for {form.readers}" for name, form in FORMATS.items())


@click.command()
@click.option(
    "--preview", is_flag=True, help="Write the data as it is, although success criteria are unmet; says so in name and card."
)
@click.option("--run", default="", metavar="NAME", help="The run to export (default: the pilot with the highest number).")
@click.option("--format", type=click.Choice([*FORMATS]), default=DEFAULT, show_default=True, help=f"The form of rows. {SHAPES}.")
@json_option
@click.pass_obj
def export(project: str, preview: bool, run: str, format: str, as_json: bool) -> None:
    """Write the accepted rows of a pilot as training data, with a dataset card."""
    opened = open_project(project)
    with locked(opened.layout.lock, "export"):
        done = exporting.export(opened, preview=preview, run=run, format=format)
    if as_json:
        places = {"format": format, "data": str(done.data), "card": str(done.card)}
        screen.json({"run": done.run, "rows": done.rows, **places, "rate": done.rate})
        return
    screen.say(f"{opened.layout.relative(done.data)}: {done.rows} accepted rows of {done.run}", bold=True)
    screen.say(f"  {opened.layout.relative(done.card)}: what is in them, how they were made, what is missing")
