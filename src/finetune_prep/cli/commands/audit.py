"""`audit`: the rows that would be trained, looked at together."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from finetune_prep.cli import screen
from finetune_prep.cli.measured import FILE
from finetune_prep.cli.options import json_option
from finetune_prep.project.lock import locked
from finetune_prep.project.project import open_project
from finetune_prep.workflow.auditing.audit import audit as look_through
from finetune_prep.workflow.auditing.flags import Flag
from finetune_prep.workflow.auditing.sentences import PAGE, against_in_words, replies_in_words, shortened
from finetune_prep.workflow.auditing.standing import Audited
from finetune_prep.workflow.reading.items import names_of
from finetune_prep.workflow.status.overview import overview

MOST_DETAILS = 5  # of a flag, that are printed
COLOURS = {"red": "red", "yellow": "yellow"}


@click.command()
@click.option("--against", "files", multiple=True, metavar="FILE", type=FILE, help="Rows that must not be trained; repeatable.")
@click.option("--run", default="", metavar="NAME", help="The run to audit (default: the one that `export` would write).")
@json_option
@click.pass_obj
def audit(project: str, files: tuple[Path, ...], run: str, as_json: bool) -> None:
    """Look through the accepted rows together, without a model: what no judge of single conversations can see.

    Near-duplicates; words of a test set, of few-shots and of the judge's examples; rows on both sides of a split; invisible
    characters; replies in another language; stock phrases; personal data (with the extra `personal-data`); lengths; what no row
    shows. Exit code 1: something must be put right
    before anybody trains on them.
    """
    opened = open_project(project)
    with locked(opened.layout.lock, "audit"):
        found = look_through(opened, run=run, against=files)
    step = _next(found) or overview(opened).next
    if as_json:
        screen.json(found, step=step)
    else:
        _print(found, step, names_of(opened))
    if found.red:
        raise click.exceptions.Exit(1)


def _next(found: Audited) -> str:
    """The first row that can be looked at; "" where nothing must be put right."""
    return next((f"finetune-prep show {flag.rows[0]}" for flag in found.red if flag.rows), "")


def _print(found: Audited, step: str, names: Mapping[str, str]) -> None:
    rows = screen.counted(found.rows, "row")
    red = len(found.red)
    if red:
        screen.say(f"{rows} of {found.run}: {screen.counted(red, 'thing')} must be put right before training", bold=True)
    else:
        screen.say(f"{rows} of {found.run}: nothing must be put right", bold=True)
    for flag in found.flags:
        _print_flag(flag, names)
    for words in (replies_in_words(found), against_in_words(found)):
        if words:
            screen.say(f"  {words}", dim=True)
    for finding in found.findings[:MOST_DETAILS]:
        screen.say(f"  {finding}")
    screen.say("What this cannot tell you", bold=True)
    for line in found.cannot_tell:
        screen.say(f"  {line}", dim=True)
    screen.say(f"  runs/{found.run}/{PAGE} to read, audit.json with every row and phrase", dim=True)
    screen.next_step(step)


def _print_flag(flag: Flag, names: Mapping[str, str]) -> None:
    mark = "!" if flag.level == "red" else "·"
    screen.coloured([(f"  {mark} ", COLOURS[flag.level]), (f"{flag.check}: {flag.what}", None)], hang=4)
    by_name = bool(flag.details) and all(line in names for line in flag.details)
    told = flag.details if flag.level == "red" or flag.advice or by_name else ()
    for line in told[:MOST_DETAILS]:
        screen.say(f"      {line}: {shortened(names[line])}" if by_name else f"      {line}", dim=True)
    if len(told) > MOST_DETAILS:
        screen.say(f"      and {len(told) - MOST_DETAILS:,} more", dim=True)
    if flag.advice:
        screen.paragraph(flag.advice, indent=6)
