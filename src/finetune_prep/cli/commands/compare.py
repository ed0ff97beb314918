"""`compare`: is a tuned model better than its base?"""

from __future__ import annotations

from pathlib import Path

import click

from finetune_prep.cli import screen
from finetune_prep.cli.measured import FILE, in_words, judge_option, leave, print_files, print_limits, rubric_option
from finetune_prep.cli.options import json_option
from finetune_prep.cli.screen import counted
from finetune_prep.statistics.comparison import MARGIN, SURE
from finetune_prep.statistics.evaluation.words import what_more_would_settle
from finetune_prep.statistics.rates import signed
from finetune_prep.workflow.measuring import compare as measuring

MOST_NAMED = 10


@click.command()
@click.argument("base", type=FILE)
@click.argument("tuned", type=FILE)
@rubric_option
@judge_option
@click.option(
    "--margin",
    type=click.FloatRange(0, 1),
    default=MARGIN,
    show_default=True,
    help="Pass rate that may be lost and still be “not worse”.",
)
@json_option
def compare(base: Path, tuned: Path, rubric: Path, judge: str, margin: float, as_json: bool) -> None:
    """Compare the verdicts on a TUNED model with those on its BASE, scenario by scenario (“group”).

    Established better, not worse, worse – or not established, with the groups that are missing. Groups are compared, never single
    runs, which resemble each other; fewer than six cannot tell anything. Exit code 1 if rows of the files do not count as they
    stand.
    """
    found = measuring.compare(base, tuned, rubric, margin=margin, judge=judge)
    if as_json:
        screen.json(found)
        leave(found)
        return
    screen.say(_word(found), bold=True)
    if found.evaluation:
        screen.paragraph(
            f"These files hold the judged conversations of {found.evaluation}, and only those are counted here. Its report also "
            "counts the faulty ones, which no judge reads, as not passed: go by that."
        )
    if found.base is not None and found.tuned is not None:
        screen.say(f"  mean pass rate over {counted(found.groups, 'group')}: {found.base:.2f} before, {found.tuned:.2f} after")
        screen.say(f"  difference {in_words(found.difference)}")
    tests = [test for test in (found.sign_flip, found.student, found.mcnemar) if test]
    screen.table([(test.method, f"p = {test.p:.3f} (n = {test.n})") for test in tests])
    _print_gate(found)
    changed = [question for question in found.questions if question.p is not None and question.p <= SURE]
    for question in changed:
        screen.say(
            f"  {question.id}: YES {signed(question.difference)} (p = {question.p:.3f} Holm-adjusted, {question.groups} groups)"
        )
    if found.unpaired:
        screen.say(f"  {counted(len(found.unpaired), 'group')} appear in only one of the files: {_named(found.unpaired)}")
    print_files(found)
    print_limits(found)
    leave(found)


def _word(found: measuring.Compared) -> str:
    if found.word == "better":
        return "Established: better"
    if found.word == "worse":
        return "Established: worse"
    if found.word == "not worse":
        return f"Established: not worse than −{found.margin:.2f}"
    return f"Not established: {what_more_would_settle(found.difference, found.more_groups, found.margin, 'group')}."


def _print_gate(found: measuring.Compared) -> None:
    for question in found.questions:
        if question.new_no:
            screen.say(f"  safety: {question.id} has a NO after and none before in {_named(question.new_no)}")


def _named(groups: tuple[str, ...]) -> str:
    more = f" and {len(groups) - MOST_NAMED} more" if len(groups) > MOST_NAMED else ""
    return f"{', '.join(groups[:MOST_NAMED])}{more}"
