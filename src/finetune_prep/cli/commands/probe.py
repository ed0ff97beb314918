"""`probe`: whether each question of the rubric sees the fault that it is there for."""

from __future__ import annotations

from typing import Any

import click
import msgspec

from finetune_prep.cli import screen
from finetune_prep.cli.job import work
from finetune_prep.cli.options import json_option, provider_option, yes_option
from finetune_prep.core.conversation import Conversation
from finetune_prep.core.knowledge import SEVERITIES
from finetune_prep.core.probe import Trial
from finetune_prep.documents.kinds import Documents
from finetune_prep.errors import Paused, UsageError
from finetune_prep.phases.probing.probe import FEW_SHOTS, Probed, Sizes, plant
from finetune_prep.phases.probing.probe import probe as run_probe
from finetune_prep.phases.session import Session
from finetune_prep.statistics.probing.table import FailureRow, FailureTable, ProbeTable, QuestionRow
from finetune_prep.statistics.probing.words import GATE_WANTED, NEUTRAL_WANTED, OTHER_WANTED
from finetune_prep.workflow.estimate import Estimate
from finetune_prep.workflow.planned_calls import used
from finetune_prep.workflow.probing.advice import (
    advice,
    failure_words,
    failures_summed_up,
    same_family,
    summed_up,
    upshot,
    words_of,
)
from finetune_prep.workflow.probing.expected import expected
from finetune_prep.workflow.probing.sources import source_of

NEXT_AFTER = "finetune-prep status"
MOST_SHOWN = 6  # failures that no question sees, with their conversations


@click.command()
@click.option(
    "--failures", is_flag=True, help="Plant failures from outside the rubric, and see which of them no question notices."
)
@click.option(
    "--question",
    "questions",
    multiple=True,
    metavar="ID",
    help="Probe only this question, for example after sharpening it; may be repeated.",
)
@click.option(
    "--gate", default=GATE_WANTED, show_default=True, type=click.IntRange(1, 100), help="Faults for each question of the gate."
)
@click.option(
    "--each", default=OTHER_WANTED, show_default=True, type=click.IntRange(1, 100), help="Faults for each other question."
)
@click.option(
    "--neutral", default=NEUTRAL_WANTED, show_default=True, type=click.IntRange(0, 200), help="Edits that change only words."
)
@yes_option
@provider_option
@json_option
@click.pass_obj
def probe(
    project: str,
    failures: bool,
    questions: tuple[str, ...],
    gate: int,
    each: int,
    neutral: int,
    yes: bool,
    provider: str | None,
    as_json: bool,
) -> None:
    """Plant faults in sound conversations, and see whether the rubric's questions notice them.

    A writer changes one message; a verifier, who does not know the question, says whether that is the fault; then the judge
    answers as always. Works on accepted conversations of the latest pilot, or on the few-shots before there is one. The same
    rubric, judge and sizes are the same run: running it again asks only for what is missing.
    """
    sizes = Sizes(gate=gate, each=each, neutral=neutral, questions=tuple(dict.fromkeys(questions)))
    if failures and sizes != Sizes():
        raise UsageError(
            "--failures plants each failure once and goes with none of --question, --gate, --each and --neutral",
            next="finetune-prep probe --failures",
        )

    async def job(session: Session) -> Probed:
        _check(session, sizes)
        source = source_of(session.project)
        return await (plant(session, source) if failures else run_probe(session, sizes, source))

    async def expect(session: Session) -> Estimate:
        _check(session, sizes)
        source, so_far = source_of(session.project), await used(session.door.ledger)
        asked = Sizes(each=1) if failures else sizes
        return expected(session, so_far, "failures" if failures else "probe", asked, source, provider or "")

    found = work(project, _command(sizes, failures=failures), provider, job, quiet=as_json, yes=yes, expect=expect)
    if as_json:
        screen.json(_as_json(found), step=NEXT_AFTER)
    else:
        _print(found)
    if found.waiting:
        raise click.exceptions.Exit(Paused.exit_code)


def _command(sizes: Sizes, *, failures: bool) -> str:
    if failures:
        return "probe --failures"
    given = (("gate", sizes.gate, GATE_WANTED), ("each", sizes.each, OTHER_WANTED), ("neutral", sizes.neutral, NEUTRAL_WANTED))
    only = (f"--question {id}" for id in sizes.questions)
    return " ".join(["probe", *only, *(f"--{name} {value}" for name, value, usual in given if value != usual)])


def _check(session: Session, sizes: Sizes) -> None:
    """Raise UsageError for a question that the rubric lacks, or that the program measures itself."""
    if not sizes.questions:
        return
    rubric = session.project.value(Documents.rubric)
    judged = [question.id for question in rubric.judged]
    for id in sizes.questions:
        if id in judged:
            continue
        if id in {question.id for question in rubric.measured}:
            raise UsageError(f"{id} is measured by the program, so there is nothing to probe", next="finetune-prep probe")
        raise UsageError(
            f"the rubric has no question {id}; it has {', '.join(judged)}", next=f"finetune-prep probe --question {judged[0]}"
        )


def _as_json(found: Probed) -> dict[str, Any]:
    table = found.table
    more: dict[str, Any] = {}
    if isinstance(table, ProbeTable):
        more = {"words": {row.id: words_of(row) for row in table.questions}, "advice": advice(table)}
    elif table is not None:
        more = {"holes": [{"id": row.id, "conversation": _conversation(row, found.trials)} for row in _holes(table)]}
    return {
        "run": found.run.name,
        "trials": str(found.run.trials_path) if table else "",
        "waiting": found.waiting,
        "why_waiting": found.why_waiting,
        "verifier": same_family(found.run.plan.models),
        "result": msgspec.to_builtins(table),
        **more,
    }


def _print(found: Probed) -> None:
    table = found.table
    if table is None:
        screen.say(f"{found.run.name} is unfinished: {found.waiting} got no answer: {found.why_waiting}", bold=True)
        screen.say("  run the same command again: it asks only for what is missing")
        return
    if isinstance(table, ProbeTable):
        _print_questions(table)
    else:
        _print_failures(table, found.trials)
    if table.source == FEW_SHOTS:
        screen.paragraph(
            f"Faults were planted in {screen.counted(table.bases, 'few-shot')}; a pilot has more of them, and tells you more."
        )
    if alike := same_family(found.run.plan.models):
        screen.paragraph(alike)
    screen.say(f"  runs/{found.run.name}/{found.run.trials_path.name}")
    screen.next_step(NEXT_AFTER)


def _print_questions(table: ProbeTable) -> None:
    screen.say(f"{table.run}: of {len(table.questions)} questions, {summed_up(table)}", bold=True)
    rows = [("", "seen", "interval", "neutral", "N/A", "quoted", "invalid", "")]
    screen.table([*rows, *(_row(row) for row in table.questions)])
    screen.say(
        f"  {table.neutral.k} of {table.neutral.n} neutral edits count; neutral: NOs on them / when asked again;", dim=True
    )
    screen.say("  quoted: seen, with a quote from the changed message", dim=True)
    if table.measured:
        screen.say(f"  measured by the program, so nothing to probe: {', '.join(table.measured)}", dim=True)
    for line in advice(table):
        screen.paragraph(line)


def _row(row: QuestionRow) -> tuple[str, ...]:
    seen = row.seen
    return (
        f"{row.id}{' (gate)' if row.gate else ''}",
        f"{seen.k}/{seen.n}",
        f"{seen.low:.2f}–{seen.high:.2f}" if seen.n else "–",
        f"{row.neutral.k}/{row.placebo.k} of {row.neutral.n}",
        f"{row.na.k}/{row.na.n}" if row.na is not None else "–",
        f"{row.quoted.k}/{row.quoted.n}",
        str(row.invalid),
        ", ".join(words_of(row)),
    )


def _print_failures(table: FailureTable, trials: tuple[Trial, ...]) -> None:
    screen.say(f"{table.run}: {failures_summed_up(table)}", bold=True)
    screen.table([(row.id, row.severity or "–", failure_words(row), upshot(row)) for row in table.failures])
    holes = _holes(table)
    if not holes:
        screen.say("  Some question saw every failure that was planted.")
        return
    screen.say(f"A gap in the rubric: {screen.counted(len(holes), 'failure')} that no question sees", bold=True)
    for row in holes[:MOST_SHOWN]:
        aside = f" (set aside: {row.set_aside})" if row.set_aside else ""
        screen.paragraph(f"{row.id}, {row.severity or 'severity unknown'}: {row.text}{aside}")
        if conversation := _conversation(row, trials):
            for message in conversation.messages:
                screen.paragraph(f"{message.role}: {message.content}", indent=4, dim=True)
    if len(holes) > MOST_SHOWN:
        screen.say(
            f"  and {len(holes) - MOST_SHOWN} more: {', '.join(row.id for row in holes[MOST_SHOWN:])} (--json has them all)"
        )


def _holes(table: FailureTable) -> list[FailureRow]:
    """Failures that no question sees: the gravest first, and last those that the reference set aside."""
    order = {severity: place for place, severity in enumerate(SEVERITIES)}
    holes = [row for row in table.failures if row.hole]
    return sorted(holes, key=lambda row: (bool(row.set_aside), order[row.severity] if row.severity else len(order)))


def _conversation(row: FailureRow, trials: tuple[Trial, ...]) -> Conversation | None:
    return next((trial.conversation for trial in trials if trial.edit.id == row.trial), None)
