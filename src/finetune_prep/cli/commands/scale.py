"""`scale`: conversations until as many rows are accepted as are wanted."""

from __future__ import annotations

import click
import msgspec

from finetune_prep.cli import screen
from finetune_prep.cli.job import work
from finetune_prep.cli.options import json_option, provider_option, yes_option
from finetune_prep.core.sample import UNSETTLED
from finetune_prep.exports.figures import in_sentences as of_habits
from finetune_prep.phases.scaling.scale import Size
from finetune_prep.phases.session import Session
from finetune_prep.workflow.estimate import Estimate
from finetune_prep.workflow.planned_calls import used
from finetune_prep.workflow.scaling.beginning import passed_pilot, require_growth, ruled_out
from finetune_prep.workflow.scaling.expected import expected
from finetune_prep.workflow.scaling.making import make_rows
from finetune_prep.workflow.scaling.sentences import acceptable_in_words, drift_in_words, in_sentences
from finetune_prep.workflow.scaling.summary import ScaleSummary

MOST_REASONS = 5  # that are printed


@click.command()
@click.argument("rows", type=click.IntRange(min=1))
@click.option(
    "--topic", default="", metavar="TP", help="Make ROWS of this topic, in addition to the rows the run has across all topics."
)
@click.option(
    "--max-candidates",
    "most",
    type=click.IntRange(min=1),
    help="Maximum number of conversations to make (default: four per row).",
)
@click.option(
    "--max-cost", "at_most", type=click.FloatRange(min=0.0), metavar="DOLLARS", help="US dollars that this command may spend."
)
@click.option(
    "--window",
    type=click.IntRange(min=1),
    help="Conversations in progress at a time (default: 64, or one and a half times the parallel calls, if that is more).",
)
@yes_option
@provider_option
@json_option
@click.pass_obj
def scale(
    project: str,
    rows: int,
    topic: str,
    most: int | None,
    at_most: float | None,
    window: int | None,
    yes: bool,
    provider: str | None,
    as_json: bool,
) -> None:
    """Make and judge conversations until exactly ROWS are accepted, with each cell of the scenario space getting its share.

    Uses the documents, models and judge of the pilot that passed; that pilot's conversations count towards ROWS. Run it again
    with a larger number to extend the same run. It stops on its own if fewer conversations pass than in the pilot, if one after
    another fails in the same way, or if no cell can yield more rows. Exit code 1: it stopped before reaching ROWS.
    """
    size = Size(rows=rows, topic=topic, most=most)

    async def job(session: Session) -> ScaleSummary:
        pilot = passed_pilot(session.project)
        return await make_rows(session, size, pilot, ruled_out(session.project), window=window)

    async def expect(session: Session) -> Estimate:
        passed_pilot(session.project)
        require_growth(session.project, size)
        return expected(session.project, await used(session.door.ledger), size, provider or "")

    summary = work(project, _command(size), provider, job, quiet=as_json, yes=yes, expect=expect, at_most=at_most)
    if as_json:
        screen.json(msgspec.to_builtins(summary))
    else:
        _print(summary)
    if summary.exit_code:
        raise click.exceptions.Exit(summary.exit_code)


def _command(size: Size) -> str:
    topic = f" --topic {size.topic}" if size.topic else ""
    return f"scale {size.rows}{topic}{f' --max-candidates {size.most}' if size.most is not None else ''}"


def _print(summary: ScaleSummary) -> None:
    result = summary.result
    screen.say(f"{summary.run}: {result.accepted:,} of {result.wanted:,} rows are accepted", bold=True)
    screen.say(f"  {summary.planned:,} conversations – {screen.account_words(summary.states)}")
    if summary.rate.value is not None:
        rate = summary.rate
        screen.say(
            f"  passed {rate.k:,} of {rate.n:,}: {rate.value:.0%}, 95% interval {rate.low:.0%} to {rate.high:.0%}, "
            f"according to the judge; {result.baseline:.0%} in the pilot"
        )
        states = summary.states
        screen.say(f"  {acceptable_in_words(states.get('accepted', 0), states.get('surplus', 0), rate.n)}")
        screen.paragraph(summary.judge)
    if outstanding := sum(summary.states.get(state, 0) for state in UNSETTLED):
        screen.say(f"  {outstanding:,} got no answer; the same command asks only for what is missing")
    for sentence in in_sentences(result, summary.labelled):
        screen.paragraph(sentence)
    for sentence in (drift_in_words(result), *(of_habits(summary.figures) if summary.figures else ()), summary.doubt):
        if sentence:
            screen.paragraph(sentence)
    for reason in summary.reasons[:MOST_REASONS]:
        screen.say(f"  {reason.count:,} {reason.state}: {reason.words}  [{reason.example}]")
    for served in summary.served:
        times = screen.counted(served.answers, "answer")
        screen.say(f"  {served.role}: asked for {served.asked}, but {served.served} answered ({times})")
    if summary.cost:
        each = "" if summary.cost_per_accepted is None else f", ${summary.cost_per_accepted:.4f} for each accepted row"
        caches = screen.caches_in_words(summary.cached_share, summary.saved_by_caches)
        screen.say(f"  {summary.run} cost ${summary.cost:.4f}{each}{caches}")
    screen.say(f"  {summary.report}, with every cell; samples.jsonl, verdicts.jsonl and scale.json beside it")
    screen.next_step(summary.next)
