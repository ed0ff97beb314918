"""What reaches the terminal: one sanitising echo for all text, the few styles there are, and JSON for scripts."""

from __future__ import annotations

import re
import shutil
import textwrap
from collections.abc import Sequence
from typing import Any

import click
import msgspec

from finetune_prep.errors import FinetunePrepError

WIDEST = 100  # characters of a line of prose
# C0 except tab and newline, DEL, C1, and the marks that reorder text: none may reach a terminal from a page or a model
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def clean(text: str) -> str:
    """Text that a model, a page or a file wrote, made safe to print."""
    return _CONTROL.sub("�", text)


def say(text: str = "", *, bold: bool = False, dim: bool = False) -> None:
    """One line to standard output."""
    click.echo(click.style(clean(text), bold=bold, dim=dim) if bold or dim else clean(text))


def paragraph(text: str, *, indent: int = 2, dim: bool = False) -> None:
    """Prose in lines of a readable length, broken between words; its own line breaks stay."""
    width = min(shutil.get_terminal_size().columns, WIDEST)
    margin = " " * indent
    for line in clean(text).splitlines():
        wrapped = textwrap.wrap(line, width, initial_indent=margin, subsequent_indent=margin, break_on_hyphens=False)
        say("\n".join(wrapped), dim=dim)


def note(text: str) -> None:
    """One line to standard error: progress and asides, which a pipe does not want."""
    click.echo(clean(text), err=True)


def error(problem: FinetunePrepError) -> None:
    """An error as people read it: what and where, the findings, and the next command."""
    place = f"{problem.where}: " if problem.where else ""
    click.echo(click.style("error: ", fg="red", bold=True) + clean(f"{place}{problem.what}"), err=True)
    for detail in problem.details:
        click.echo(clean(detail), err=True)
    if problem.next:
        click.echo(click.style("next:  ", bold=True) + clean(problem.next), err=True)


def json(value: Any) -> None:
    """One JSON document to standard output."""
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2))


def table(rows: Sequence[tuple[str, ...]], *, indent: int = 2) -> None:
    """Columns as wide as their widest cell; the last one is not padded."""
    if not rows:
        return
    widths = [max(len(clean(row[column])) for row in rows) for column in range(len(rows[0]) - 1)]
    for row in rows:
        cells = [clean(cell).ljust(width) for cell, width in zip(row, widths, strict=False)]
        click.echo((" " * indent + "  ".join([*cells, clean(row[-1])])).rstrip())
