"""What the measuring commands share: their options, and how a figure, a mapping and what is wrong with a file are told."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from finetune_prep.cli import screen
from finetune_prep.cli.screen import counted as counted
from finetune_prep.core.finding import Finding
from finetune_prep.statistics.rates import Estimate, Rate
from finetune_prep.workflow.measuring.inputs import Measured

MOST_SHOWN = 20  # findings; all of them stand in the JSON
DECIDES = "decides: conversations that would pass instead of fail, or fail instead of pass, without this question"
rubric_option = click.option(
    "--rubric",
    required=True,
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The rubric, evaluation-rubric.md or one like it.",
)
judge_option = click.option("--judge", default="", metavar="NAME", help="Count only the verdicts of this judge.")
conversations_option = click.option(
    "--conversations",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The judged conversations: a verdict on a text that has changed since is stale.",
)
FILE = click.Path(path_type=Path)


def in_words(figure: Estimate | None) -> str:
    """A figure with its interval, method and n: ".95, 95% interval .88 to .98 (Wilson; n = 100)"."""
    if figure is None or figure.value is None:
        return "cannot be estimated"
    return f"{figure.value:z.2f}, 95% interval {figure.low:z.2f} to {figure.high:z.2f} ({figure.method}; n = {figure.n})"


def of_words(rate: Rate) -> str:
    """A count with its exact interval: "9 of 10 (55% to 100%)"."""
    return f"{rate.k} of {rate.n} ({rate.low:.0%} to {rate.high:.0%})" if rate.n else "none"


def print_files(result: Measured) -> None:
    """How the files were read, and what is wrong with them."""
    if result.mapping:
        screen.say("Read as", bold=True)
        for line in result.mapping:
            screen.say(f"  {line}")
    if result.findings:
        left_out = f"; {result.left_out} rows count nowhere" if result.left_out else ""
        screen.say(f"In the files: {counted(len(result.findings), 'finding')}{left_out}", bold=True)
        _print_findings(result.findings)


def _print_findings(findings: Sequence[Finding]) -> None:
    for finding in findings[:MOST_SHOWN]:
        screen.say(f"  {finding}")
    if len(findings) > MOST_SHOWN:
        screen.say(f"  and {len(findings) - MOST_SHOWN:,} more: --json")


def print_limits(result: Measured) -> None:
    screen.say("What this cannot tell you", bold=True)
    for line in result.cannot_tell:
        screen.say(f"  {line}", dim=True)


def leave(result: Measured) -> None:
    """End with 1 if something is wrong with the files."""
    if result.findings:
        raise click.exceptions.Exit(1)
