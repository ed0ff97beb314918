"""`health`: which questions of a rubric tell anything."""

from __future__ import annotations

from pathlib import Path

import click

from finetune_prep.cli import screen
from finetune_prep.cli.measured import (
    DECIDES,
    FILE,
    conversations_option,
    judge_option,
    leave,
    print_files,
    print_limits,
    rubric_option,
)
from finetune_prep.cli.options import json_option
from finetune_prep.cli.screen import counted
from finetune_prep.statistics.judging.noise import in_words
from finetune_prep.statistics.rates import Estimate
from finetune_prep.statistics.rubric_health import QuestionHealth
from finetune_prep.workflow.measuring import health as measuring

HEAD = ("question", "YES", "N/A", "missing", "state", "decides", "flips")
CORRELATIONS = ("question", "with the rest", "with passing")


@click.command()
@click.argument("verdicts", type=FILE)
@rubric_option
@conversations_option
@judge_option
@json_option
def health(verdicts: Path, rubric: Path, conversations: Path | None, judge: str, as_json: bool) -> None:
    """Look at the questions of a rubric through the VERDICTS of one judge: dead, redundant, the wrong way round, noisy.

    Nothing is re-weighted: a question that deserves a look is named, with the figures that say so. Second verdicts of the same
    judge, from `pilot --repeat` or in runs of different names (“run”), measure how steady it is. Exit code 1 if rows of the file
    do not count as they stand.
    """
    found = measuring.health(verdicts, rubric, conversations, judge)
    if as_json:
        screen.json(found)
        leave(found)
        return
    total = counted(found.health.conversations, "conversation")
    things = counted(len(found.advice), "thing") if found.advice else "Nothing"
    of = f" of {found.judge}" if found.judge else ""
    screen.say(f"{things} to look at in the verdicts{of} on {total}", bold=True)
    for sentence in found.advice:
        screen.say(f"  {sentence}")
    screen.table([HEAD, *map(_row, found.health.questions)])
    screen.paragraph("state: dead = nearly always the same answer; +59 = 59 more like these would show that it is dead", dim=True)
    screen.paragraph(DECIDES, dim=True)
    twice = counted(found.health.repeats, "conversation")
    screen.paragraph(f"flips: answered differently the second time; {twice} judged twice", dim=True)
    if correlated := [*filter(None, map(_correlations, found.health.questions))]:
        screen.table([CORRELATIONS, *correlated])
        screen.paragraph(
            "correlation of a question's YES with YES to the other questions and with passing; 95% interval (Fisher z)", dim=True
        )
    for sentence in in_words(found.noise) if found.noise else ():
        screen.paragraph(sentence)
    print_files(found)
    print_limits(found)
    leave(found)


def _row(question: QuestionHealth) -> tuple[str, ...]:
    yes = f"{question.yes.k} of {question.yes.n}"
    life = f"too few to say, +{question.more}" if question.more else question.life
    flips = f"{question.flips.k} of {question.flips.n}" if question.flips else ""
    return question.id, yes, f"{question.na}", f"{question.missing}", life, f"{question.deciding}", flips


def _correlations(question: QuestionHealth) -> tuple[str, ...]:
    """A row for a question that correlates with anything; none for one with a single answer."""
    found = _correlation(question.item_rest), _correlation(question.item_pass)
    return (question.id, *found) if any(found) else ()


def _correlation(figure: Estimate) -> str:
    return "" if figure.value is None else f"{figure.value:z.2f} ({figure.low:z.2f} to {figure.high:z.2f})"
