"""`pilot`: conversations, verdicts, and an account of every planned one."""

from __future__ import annotations

import click
import msgspec

from finetune_prep.cli import screen
from finetune_prep.cli.job import work
from finetune_prep.cli.options import Share, json_option, provider_option, yes_option
from finetune_prep.core.sample import UNSETTLED, WAYS
from finetune_prep.exports.figures import in_sentences
from finetune_prep.method import limits
from finetune_prep.phases.pilot.plan import KIND, prepared
from finetune_prep.phases.pilot.waves import LARGE, Course
from finetune_prep.phases.session import Session
from finetune_prep.workflow.checking import require_checked
from finetune_prep.workflow.diagnosing.diagnosis import Diagnosis
from finetune_prep.workflow.estimate import NOTHING_LEFT, Estimate, estimate
from finetune_prep.workflow.piloting.making import made_before, make_pilot
from finetune_prep.workflow.planned_calls import used
from finetune_prep.workflow.run_summary import RunSummary, summarize

MOST_REASONS = 5  # that are printed
repeat_option = click.option(
    "--repeat",
    type=Share(),
    metavar="SHARE",
    help="Ask the judge a second time about this share of the conversations, such as 10%, to see how steady it is. Nothing is"
    " decided by that (default: repeat under [pilot] in finetune-prep.toml, or none).",
)


@click.command()
@click.option("-n", "size", default=limits.PILOT, show_default=True, type=click.IntRange(min=1), help="Number of conversations.")
@click.option(
    "--window",
    type=click.IntRange(min=1),
    help="Conversations in progress at a time (default: 64, or one and a half times the parallel calls, if that is more).",
)
@click.option("--one-call", is_flag=True, help="Have each conversation written in one call instead of turn by turn.")
@click.option(
    "--stop-early/--no-stop-early",
    default=True,
    show_default=True,
    help=f"Ask a pilot of {LARGE} and more in waves, and leave out the rest once its pass rate is clearly too low.",
)
@repeat_option
@click.option("--fail-fast", is_flag=True, help="Stop at the first conversation in which a call fails.")
@yes_option
@provider_option
@json_option
@click.pass_obj
def pilot(
    project: str, size: int, window: int | None, one_call: bool, stop_early: bool, repeat: float | None,
    fail_fast: bool, yes: bool, provider: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Make and judge conversations for scenarios drawn from the scenario space.

    Every planned scenario ends up in exactly one state. As long as the documents are unchanged, running it again continues the
    same run. To finish a pilot that stopped early, add --no-stop-early.
    """
    course = Course(window=window, stop_early=stop_early, fail_fast=fail_fast)

    async def job(session: Session) -> RunSummary:
        session = _as_asked(session, one_call=one_call, repeat=repeat)
        run, account, found = await make_pilot(session, size, course)
        return summarize(session.project, run, account, found)

    async def expect(session: Session) -> Estimate:
        session = _as_asked(session, one_call=one_call, repeat=repeat)
        prepared(session.project, "the pilot")
        require_checked(session.project, "the pilot")
        if await made_before(session, size):
            return NOTHING_LEFT
        so_far = await used(session.door.ledger)
        return estimate(session.project, so_far, (KIND,), n=size, provider=provider or "", waves=stop_early)

    said = {" --one-call": one_call, " --no-stop-early": not stop_early, " --fail-fast": fail_fast}
    command = f"pilot -n {size}{''.join(option for option, given in said.items() if given)}"
    command += f" --repeat {repeat:.4g}" if repeat is not None else ""
    summary = work(project, command, provider, job, quiet=as_json, yes=yes, expect=expect)
    if as_json:
        screen.json(summary)
    else:
        _print(summary)
    if summary.exit_code:
        raise click.exceptions.Exit(summary.exit_code)


def _as_asked(session: Session, *, one_call: bool, repeat: float | None) -> Session:
    project = session.project.conversing("one-call") if one_call else session.project
    project = project.repeating(repeat) if repeat is not None else project
    return msgspec.structs.replace(session, project=project)


def _print(summary: RunSummary) -> None:
    screen.say(f"{summary.run}: {summary.planned} planned: {screen.account_words(summary.states)}", bold=True)
    _print_verdicts(summary)
    if summary.judged:
        screen.paragraph(summary.judge)
    if summary.stopped:
        screen.paragraph(summary.stopped)
    for sentence in in_sentences(summary.figures) if summary.figures else ():
        screen.paragraph(sentence)
    if summary.figures and summary.figures.second:
        for difference in summary.figures.second.differ[:MOST_REASONS]:
            screen.say(f"    finetune-prep show {difference.scenario}   {difference.why.removeprefix('the judges differ: ')}")
    if outstanding := sum(summary.states.get(state, 0) for state in UNSETTLED):
        screen.say(f"  {outstanding} of {summary.planned} got no answer; the same command asks only for what is missing")
    for reason in summary.reasons[:MOST_REASONS]:
        screen.say(f"  {reason.count} {reason.state}: {reason.words}  [{reason.example}]")
    if (more := len(summary.reasons) - MOST_REASONS) > 0:
        screen.say(f"  … and {more} more reasons: finetune-prep show")
    for words in (summary.advice, summary.doubt):
        if words:
            screen.paragraph(words)
    for served in summary.served:
        times = screen.counted(served.answers, "answer")
        screen.say(f"  {served.role}: asked for {served.asked}, but {served.served} answered ({times})")
    if summary.cost:
        each = "" if summary.cost_per_accepted is None else f", ${summary.cost_per_accepted:.4f} for each accepted row"
        caches = screen.caches_in_words(summary.cached_share, summary.saved_by_caches)
        screen.say(f"  {summary.run} cost ${summary.cost:.4f}{each}{caches}")
    if summary.diagnosis:
        _print_diagnosis(summary.diagnosis, summary.although)
    screen.say(f"  {summary.report}")
    screen.next_step(summary.next)


def _print_diagnosis(found: Diagnosis, although: str) -> None:
    first, _, rest = found.said.partition(":")
    screen.say(f"  {first}{':' if rest else ''}", bold=True)
    if rest:
        screen.paragraph(rest.strip(), indent=4)
    if although:
        screen.paragraph(screen.from_here(although), indent=4)
    for id in found.shown_by:
        screen.say(f"    finetune-prep show {id}")


def _print_verdicts(summary: RunSummary) -> None:
    if not summary.judged:
        screen.say("  Nothing was judged, so there is no pass rate.")
        return
    if summary.judged < summary.to_judge:
        screen.say(f"  {summary.judged} of {summary.to_judge} judged: the others have no verdict, and count neither way")
    if summary.rate is not None and summary.rate.value is not None:
        rate = summary.rate
        interval = f"95% interval {rate.low:.0%} to {rate.high:.0%}"
        count = summary.states.get("flawed", 0)
        are = "is flawed and will not be a training row" if count == 1 else "are flawed and will not be training rows"
        flawed = f"; {count} of these {are}" if count else ""
        faulty = f"; {count} faulty count as not passed" if (count := summary.states.get("faulty", 0)) else ""
        made = f"conversations were {WAYS[summary.way]}"
        passed = f"{rate.k} of {rate.n} passed according to the judge ({rate.value:.0%}, {interval})"
        screen.say(f"  {passed}{flawed}{faulty}; {made}")
