"""`export`: accepted rows as training data."""

from __future__ import annotations

from collections.abc import Sequence

import click

from finetune_prep.cli import screen
from finetune_prep.cli.options import json_option
from finetune_prep.errors import UsageError
from finetune_prep.exports.formats import DEFAULT, FORMATS, preview_of
from finetune_prep.exports.lengths import slices as cutting
from finetune_prep.exports.lengths import tokens as counting
from finetune_prep.exports.manifest import rows_in_words
from finetune_prep.exports.splits import in_words
from finetune_prep.exports.trainers import readers
from finetune_prep.project.lock import locked
from finetune_prep.project.project import Project, open_project
from finetune_prep.workflow import exporting
from finetune_prep.workflow.evaluating.pairs import export_pairs

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
@click.option(
    "--check",
    "tokenizer",
    default="",
    metavar="TOKENIZER",
    help="Count the tokens of every row, and those that are trained, with this tokenizer: a folder, or a name on the Hugging "
    "Face Hub. Needs the package transformers.",
)
@click.option(
    "--slices",
    type=click.IntRange(min=64),
    metavar="TOKENS",
    help="Split long conversations into rows of at most this many tokens, for trainers that train on a row's last reply only.",
)
@click.option(
    "--pairs",
    is_flag=True,
    help="Write preference pairs of the latest evaluation (or of --run) instead: a reply that passed and one that failed, to the "
    "same words.",
)
@json_option
@click.pass_obj
def export(
    project: str,
    preview: bool,
    run: str,
    formats: tuple[str, ...],
    validation: float,
    tokenizer: str,
    slices: int | None,
    pairs: bool,
    as_json: bool,
) -> None:
    """Write the accepted rows of a run as training data, with a dataset card that says how to train on them.

    Rows that a trainer would learn wrongly from are kept out, counted and named; the files are read back before they replace
    those of an earlier export, all of them together. docs/exports.md says what each trainer has to be told.
    """
    opened = open_project(project)
    if pairs:
        if tokenizer or slices or validation or formats != (DEFAULT,):
            raise UsageError(
                "--pairs has formats of its own, and goes with none of --format, --check, --slices and --validation",
                next="finetune-prep export --pairs",
            )
        _export_pairs(opened, preview=preview, run=run, as_json=as_json)
        return
    with locked(opened.layout.lock, "export"):
        lengths = exporting.Lengths(tokenizer=tokenizer, slices=slices or 0)
        forms = tuple(dict.fromkeys(formats))
        done = exporting.export(opened, preview=preview, run=run, formats=forms, validation=validation, lengths=lengths)
    if as_json:
        places = {"data": str(done.data), "card": str(done.card), "manifest": str(done.manifest), "rejected": str(done.rejected)}
        told = {"files": done.files, "account": done.account, "warnings": done.warnings, "rate": done.rate, "split": done.split}
        told |= {"tokens": done.tokens, "slices": done.slices, "removed": done.removed}
        screen.json({"run": done.run, "rows": done.rows, **places, **told})
        return
    relative = opened.layout.relative
    planned = sum(done.files[0].left_out.values()) + done.files[0].rows
    for written, of in zip(done.files, done.measures, strict=True):
        failed = of.rows - of.passed
        labels = f": {of.passed} that passed (true), {failed} that failed (false)" if failed else ""
        rows = f"{screen.counted(written.rows, 'row')} of {done.run}{labels}"
        screen.say(f"{relative(done.data.with_name(written.file))}: {rows}", bold=True)
        if failed:
            screen.say(f"  {rows_in_words(planned, written)}")
    screen.say(f"  {done.account}")
    if done.split:
        screen.paragraph(in_words(done.split))
    for warning in done.warnings:
        screen.say(f"  {warning}")
    if done.removed:
        screen.paragraph(_removed(done.removed, forms))
    for counted in done.tokens:
        screen.paragraph(counting.in_words(counted))
        for text in counted.decoded:
            screen.paragraph(f"trained: {text}", indent=4, dim=True)
    for cut in done.slices:
        screen.paragraph(cutting.in_words(cut))
    screen.say(f"  {relative(done.card)}: what is in them, how they were made, what is missing, how to train on them")
    screen.say(f"  {relative(done.rejected)}: what was left out, and why; {relative(done.manifest)}: which files belong together")


def _removed(names: Sequence[str], forms: Sequence[str]) -> str:
    """What an export took away. forms: that were asked for."""
    others = {name for form in FORMATS.values() if form.name not in forms for name in (form.file, preview_of(form.file))}
    both = " To have several formats at once, give --format several times." if others & {*names} else ""
    return f"Removed, left over from an earlier export: {', '.join(names)}.{both}"


def _export_pairs(project: Project, *, preview: bool, run: str, as_json: bool) -> None:
    with locked(project.layout.lock, "export"):
        done = export_pairs(project, preview=preview, evaluation=run)
    if as_json:
        screen.json({"evaluation": done.evaluation, "folder": str(done.folder), "manifest": done.manifest})
        return
    relative = project.layout.relative
    for written in done.manifest.files:
        if written.form:
            count = screen.counted(written.rows, "pair")
            screen.say(f"{relative(done.folder / written.file)}: {count} of {done.evaluation}, for {written.form}", bold=True)
    screen.paragraph(done.words)
    screen.say(f"  {relative(done.folder / 'README.md')}: what they are, who wrote which half, how to train on them")
