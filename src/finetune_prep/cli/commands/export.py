"""`export`: accepted rows as training data."""

from __future__ import annotations

import click

from finetune_prep.cli import screen
from finetune_prep.cli.job import json_option
from finetune_prep.exports.formats import DEFAULT, FORMATS
from finetune_prep.exports.splits import in_words
from finetune_prep.exports.trainers import readers
from finetune_prep.project.lock import locked
from finetune_prep.project.project import open_project
from finetune_prep.workflow import exporting

SHAPES = "; ".join(f"{name}: for {readers(name)}" for name in FORMATS)


@click.command()
@click.option(
    "--preview", is_flag=True, help="Write the data as it is, although success criteria are unmet; says so in name and card."
)
@click.option(
    "--run", default="", metavar="NAME", help="The run to export (default: the latest scaled one, or else the latest pilot)."
)
@click.option(
    "--format",
    "formats",
    type=click.Choice([*FORMATS]),
    default=(DEFAULT,),
    multiple=True,
    show_default=True,
    help=f"The form of rows; may be given more than once. {SHAPES}.",
)
@click.option(
    "--validation",
    default=0.0,
    type=click.FloatRange(0.0, 0.5),
    metavar="SHARE",
    help="Hold back this share of the rows in validation.jsonl, by whole families of scenarios (0.05 is a twentieth).",
)
@json_option
@click.pass_obj
def export(project: str, preview: bool, run: str, formats: tuple[str, ...], validation: float, as_json: bool) -> None:
    """Write the accepted rows of a run as training data, with a dataset card that says how to train on them.

    Rows that a trainer would learn wrongly from are kept out, counted and named; the files are read back before they replace
    those of an earlier export, all of them together. docs/exports.md says what each trainer has to be told.
    """
    opened = open_project(project)
    with locked(opened.layout.lock, "export"):
        done = exporting.export(opened, preview=preview, run=run, formats=tuple(dict.fromkeys(formats)), validation=validation)
    if as_json:
        places = {"data": str(done.data), "card": str(done.card), "manifest": str(done.manifest), "rejected": str(done.rejected)}
        told = {"files": done.files, "account": done.account, "warnings": done.warnings, "rate": done.rate, "split": done.split}
        screen.json({"run": done.run, "rows": done.rows, **places, **told})
        return
    relative = opened.layout.relative
    for written in done.files:
        screen.say(
            f"{relative(done.data.with_name(written.file))}: {screen.counted(written.rows, 'row')} of {done.run}", bold=True
        )
    screen.say(f"  {done.account}")
    if done.split:
        screen.paragraph(in_words(done.split))
    for warning in done.warnings:
        screen.say(f"  {warning}")
    screen.say(f"  {relative(done.card)}: what is in them, how they were made, what is missing, how to train on them")
    screen.say(f"  {relative(done.rejected)}: what was left out, and why; {relative(done.manifest)}: which files belong together")
