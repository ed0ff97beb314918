"""`agreement`: is the judge right?"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import click

from finetune_prep.cli import screen
from finetune_prep.cli.measured import (
    FILE,
    conversations_option,
    in_words,
    judge_option,
    leave,
    of_words,
    print_files,
    print_limits,
    rubric_option,
)
from finetune_prep.cli.options import json_option
from finetune_prep.cli.screen import counted
from finetune_prep.workflow.measuring import agreement as measuring

DESIGNS = {"uniform": "uniform", "by-verdict": "by verdict"}
MOST_NAMED = 10
HASH, SHOWN = re.compile(r"[0-9a-f]{32}"), 12


@click.command()
@click.argument("verdicts", type=FILE)
@click.argument("labels", type=FILE)
@rubric_option
@conversations_option
@judge_option
@click.option(
    "--design",
    type=click.Choice([*DESIGNS]),
    help="How the labelled conversations were drawn, where the labels do not say: all with the same chance, or all of a verdict.",
)
@click.option("--final", is_flag=True, help="Judge by the sealed labels, once: a file beside them records that they are spent.")
@click.option("--ci", is_flag=True, help="Exit code 1 unless the judge is certified.")
@json_option
def agreement(
    verdicts: Path,
    labels: Path,
    rubric: Path,
    conversations: Path | None,
    judge: str,
    design: str | None,
    final: bool,
    ci: bool,
    as_json: bool,
) -> None:
    """Compare the VERDICTS of one judge with people's LABELS: one word, TPR, TNR, kappa, and the pass rate that people would
    give.

    The words: not measured, smoke-tested, inconclusive, refused, certified, stale. Certified is said by sealed labels alone.
    Figures follow the design of the draw; where it is unknown, there are none. Exit code 1 if rows of the files do not count as
    they stand.
    """
    at = datetime.now(UTC).isoformat(timespec="seconds") if final else ""
    found = measuring.agreement(
        verdicts,
        labels,
        rubric,
        conversations=conversations,
        judge=judge,
        design=DESIGNS[design] if design else "",
        final=at,
    )
    if as_json:
        screen.json(found)
    else:
        _print(found)
    if ci and found.word != "certified":
        raise click.exceptions.Exit(1)
    leave(found)


def _print(found: measuring.Agreement) -> None:
    screen.say(f"{found.judge or 'The judge'}: {found.word}", bold=True)
    for reason in found.reasons:
        screen.say(f"  {reason}")
    if found.labels or found.deferred:
        deferred = f", {found.deferred} deferred" if found.deferred else ""
        screen.say(f"  {counted(found.labels, 'label')} of people{deferred}")
    for reason, many in found.out.items():
        screen.say(f"  {counted(many, 'label')} not counted: {reason}")
    if found.drawn is not None:
        screen.table(
            [
                ("TPR", f"{in_words(found.tpr)}: share of what people pass that the judge passes too"),
                ("TNR", f"{in_words(found.tnr)}: share of what people fail that the judge fails too"),
                ("kappa", in_words(found.kappa)),
            ]
        )
    _print_rates(found)
    if found.again is not None:
        screen.say(f"  the same person gave the same label again in {of_words(found.again)}")
    if found.others is not None:
        screen.say(f"  another person gave the same label in {of_words(found.others)}")
    if found.questions:
        screen.say("Question by question, where people answered (raw counts)", bold=True)
        screen.table(
            [(row.id, f"NOs found {of_words(row.no_found)}", f"YES kept {of_words(row.yes_kept)}") for row in found.questions]
        )
    if found.disagreements:
        more = f" and {len(found.disagreements) - MOST_NAMED} more" if len(found.disagreements) > MOST_NAMED else ""
        screen.say(f"  they differ on {', '.join(map(_shown, found.disagreements[:MOST_NAMED]))}{more}")
    print_files(found)
    print_limits(found)


def _shown(conversation: str) -> str:
    """An id as other commands show it, and as `show` finds it; a name of somebody else's as it is."""
    return conversation[:SHOWN] if HASH.fullmatch(conversation) else conversation


def _print_rates(found: measuring.Agreement) -> None:
    if found.people is not None:
        screen.say(f"  people would pass {in_words(found.people)}")
    if found.corrected is not None:
        extra = counted(found.corrected.extra_labels, "extra label")
        screen.say(f"  with the judge's help {in_words(found.corrected.rate)}, as good as {extra}")
    rate = found.judge_rate
    if rate.n:
        advisory = "" if found.word == "certified" else ", advisory"
        screen.say(f"  the judge passes {of_words(rate)}{advisory}")
