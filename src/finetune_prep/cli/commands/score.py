"""`score`: what a file of verdicts comes to under a rubric."""

from __future__ import annotations

from pathlib import Path

import click

from finetune_prep.cli import screen
from finetune_prep.cli.measured import (
    DECIDES,
    FILE,
    conversations_option,
    in_words,
    judge_option,
    leave,
    print_files,
    print_limits,
    rubric_option,
)
from finetune_prep.cli.options import json_option
from finetune_prep.cli.screen import counted
from finetune_prep.workflow.measuring import score as scoring


@click.command()
@click.argument("verdicts", type=FILE)
@rubric_option
@conversations_option
@judge_option
@json_option
def score(verdicts: Path, rubric: Path, conversations: Path | None, judge: str, as_json: bool) -> None:
    """Score a file of VERDICTS, of whatever judge: how many conversations pass, and by which questions the others fail.

    A conversation with a missing answer is unjudged and counts neither way. Of several judges, any NO on the gate counts,
    elsewhere the majority. Exit code 1 if rows of the file do not count as they stand.
    """
    found = scoring.score(verdicts, rubric, conversations, judge)
    if as_json:
        screen.json(found)
        leave(found)
        return
    if found.passed.value is None:
        total = counted(found.conversations, "conversation")
        screen.say(f"None of {total} has an answer to every question: there is no pass rate.", bold=True)
    else:
        total = counted(found.judged, "judged conversation")
        screen.say(f"{found.passed.value:.0%} of {total} passed, according to the judge", bold=True)
        screen.say(f"  pass rate {in_words(found.passed)}")
    unjudged = found.conversations - found.judged
    if unjudged:
        screen.say(f"  {unjudged} of {found.conversations} unjudged: an answer is missing, which does not count as NO")
    if found.mean is not None:
        screen.say(f"  mean score {found.mean:.2f}, to pass {found.threshold:.2f}; {found.gate_failed} failed at the gate")
    if found.applied:
        screen.say(f"  {found.applied.na:.0%} of the answers are N/A; {found.applied.thin} thin: one question decided a category")
    if found.doubt:
        screen.paragraph(found.doubt)
    screen.table([("question", "YES", "NO", "N/A", "missing", "decides"), *map(_row, found.questions)])
    screen.paragraph(DECIDES, dim=True)
    print_files(found)
    print_limits(found)
    leave(found)


def _row(question: scoring.QuestionCount) -> tuple[str, ...]:
    name = f"{question.id} (gate)" if question.gate else question.id
    return name, *(f"{count:,}" for count in (question.yes, question.no, question.na, question.missing, question.deciding))
