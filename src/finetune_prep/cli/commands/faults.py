"""`faults`: what is wrong with conversations before any judge sees them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from finetune_prep.cli import screen
from finetune_prep.cli.measured import FILE, MOST_SHOWN, print_files, print_limits
from finetune_prep.cli.options import json_option
from finetune_prep.cli.screen import counted
from finetune_prep.workflow.measuring import faults as measuring


@click.command()
@click.argument("conversations", type=FILE)
@json_option
def faults(conversations: Path, as_json: bool) -> None:
    """Look through CONVERSATIONS without a model: empty turns, wrong order, reasoning text, answers in another language,
    duplicates.

    And through the replies together: what stands in so many of them that a model would learn it as a habit. Exit code 1 if there
    is a fault, or a row that is no conversation.
    """
    found = measuring.faults(conversations)
    if as_json:
        screen.json(found)
    else:
        _print(found)
    if found.faulty or found.findings:
        raise click.exceptions.Exit(1)


def _print(found: measuring.Faults) -> None:
    total = counted(found.conversations, "conversation")
    screen.say(f"{len(found.faulty)} of {total} faulty" if found.faulty else f"No fault in {total}", bold=True)
    for fault, many in Counter(row.fault for row in found.faulty).most_common():
        screen.say(f"  {many} {fault}")
    for row in found.faulty[:MOST_SHOWN]:
        screen.say(f"  line {row.line}, {row.id}: {row.fault}: {row.where}")
    if len(found.faulty) > MOST_SHOWN:
        screen.say(f"  and {len(found.faulty) - MOST_SHOWN:,} more: --json")
    common = found.diversity
    screen.say(f"Habits of {counted(common.texts, 'reply') if common.texts == 1 else f'{common.texts:,} replies'}", bold=True)
    for line in found.habits or ("none: no opening or ending in more than 35%, no four words in more than 50%",):
        screen.say(f"  {line}")
    if common.compression is not None:
        screen.say(f"  gzip packs the first 50,000 bytes {common.compression:.1f} times; prose by many authors about 2.5 times")
    print_files(found)
    print_limits(found)
