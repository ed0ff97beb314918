"""`evaluate`: is tuning worth it, and did it help?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import click

from finetune_prep.cli import screen
from finetune_prep.cli.job import work
from finetune_prep.cli.measured import in_words
from finetune_prep.cli.options import json_option, provider_option, yes_option
from finetune_prep.core.evaluating.talk import Arm
from finetune_prep.errors import UsageError
from finetune_prep.method import limits
from finetune_prep.phases.evaluating.evaluate import Wanted, named
from finetune_prep.phases.evaluating.evaluate import evaluate as run_evaluation
from finetune_prep.phases.evaluating.needed import prepared, rests_on
from finetune_prep.phases.session import Session
from finetune_prep.project.project import Project, open_project
from finetune_prep.statistics.comparison import MARGIN, SURE
from finetune_prep.statistics.evaluation.power import Power
from finetune_prep.statistics.evaluation.table import Count, Pair, Table
from finetune_prep.statistics.evaluation.words import NAMES
from finetune_prep.statistics.rates import signed
from finetune_prep.workflow.checking import require_checked
from finetune_prep.workflow.estimate import Estimate
from finetune_prep.workflow.evaluating.expected import expected
from finetune_prep.workflow.evaluating.planning import enough_groups, plan_for
from finetune_prep.workflow.evaluating.summary import EvaluationSummary, summarize
from finetune_prep.workflow.planned_calls import used

ANY = "provider/model"
HOPED_FOR = 0.2  # gain in pass rate that a plan goes by where none is given


class Models(NamedTuple):
    """What the options name."""

    base: str
    tuned: str
    max_tokens: int

    def of(self, project: Project) -> Project:
        return named(project, self.base, self.tuned, max_tokens=self.max_tokens)


@click.command()
@click.option("--base", default="", metavar="MODEL", help="The model before tuning, as provider/model (default: [roles.base]).")
@click.option("--tuned", default="", metavar="MODEL", help="The model after it (default: [roles.tuned], if it is there).")
@click.option("--prompted", is_flag=True, help="Also try the base with the long generation prompt, if its context holds that.")
@click.option("--plan", is_flag=True, help="Say how many scenarios and runs show the difference hoped for; asks nobody.")
@click.option(
    "--difference",
    type=click.FloatRange(0, 1, min_open=True),
    help=f"With --plan: the gain in pass rate that is hoped for (default: {HOPED_FOR}).",
)
@click.option(
    "-n", "groups", default=limits.HELD_OUT, show_default=True, type=click.IntRange(min=1), help="Number of held-out scenarios."
)
@click.option(
    "--runs",
    default=limits.EVALUATION_RUNS,
    show_default=True,
    type=click.IntRange(1, 100),
    help="Conversations per model and scenario.",
)
@click.option(
    "--margin",
    default=MARGIN,
    show_default=True,
    type=click.FloatRange(0, 1),
    help="Pass rate that may be lost and still be “not worse”; fixed with the first reply.",
)
@click.option("--single", is_flag=True, help="End every conversation after the first exchange.")
@click.option(
    "--max-tokens",
    default=0,
    type=click.IntRange(min=0),
    metavar="N",
    help=f"Longest reply of an evaluated model (default: as its role says, or {limits.REPLY_TOKENS}).",
)
@click.option(
    "--context",
    default=0,
    type=click.IntRange(min=0),
    metavar="N",
    help="Tokens of the base model's context, for --prompted (default: as its server says).",
)
@click.option(
    "--no-judge", is_flag=True, help="End with the replies and what can be counted of them; ask for verdicts another day."
)
@yes_option
@provider_option
@json_option
@click.pass_obj
def evaluate(
    project: str,
    base: str,
    tuned: str,
    prompted: bool,
    plan: bool,
    difference: float | None,
    groups: int,
    runs: int,
    margin: float,
    single: bool,
    max_tokens: int,
    context: int,
    no_judge: bool,
    yes: bool,
    provider: str | None,
    as_json: bool,
) -> None:
    """Have models talk to the same simulated users about scenarios that no training row came from, and judge the conversations.

    With --base alone: does the model need tuning at all? That can be asked as soon as the judge's prompt is accepted. With
    --tuned: established better, not worse, worse, or not established. The judge is not told whose conversation it reads;
    scenarios are compared, never single conversations. docs/evaluate.md says how to read the figures.
    """
    wanted = Wanted(
        groups=groups, runs=runs, margin=margin, prompted=prompted, single=single, context=context, judged=not no_judge
    )
    models = Models(base, tuned, max_tokens)
    if plan:
        opened = open_project(project)
        step = f"finetune-prep {_command(wanted, _to_name(opened, models))}"
        _print_plan(plan_for(opened, difference or HOPED_FOR, groups, runs), step, as_json=as_json)
        return
    for name, given, of in (("--difference", difference, "--plan"), ("--context", context and not prompted, "--prompted")):
        if given:
            raise UsageError(f"{name} means something with {of} alone", next=f"add {of}, or leave {name} out")
    enough_groups(groups)

    async def job(session: Session) -> EvaluationSummary:
        done = await run_evaluation(session, wanted, asks_servers=provider is None)
        return await summarize(session.project, session.door.ledger, done)

    async def expect(session: Session) -> Estimate:
        prepared(session.project, prompted=prompted)
        require_checked(session.project, "the evaluation", rests_on(session.project, prompted=prompted))
        return expected(session, await used(session.door.ledger), wanted, provider or "")

    command = _command(wanted, models)
    summary = work(project, command, provider, job, quiet=as_json, yes=yes, expect=expect, of=models.of)
    if as_json:
        screen.json(summary)
    else:
        _print(summary)
    if summary.exit_code:
        raise click.exceptions.Exit(summary.exit_code)


def _command(wanted: Wanted, models: Models) -> str:
    """The same command again, without what is as usual."""
    parts = [f"--base {models.base}"] if models.base else []
    parts += [f"--tuned {models.tuned}"] if models.tuned else []
    given = (("-n", wanted.groups, limits.HELD_OUT), ("--runs", wanted.runs, limits.EVALUATION_RUNS))
    parts += [f"{name} {value}" for name, value, usual in given if value != usual]
    parts += [f"--margin {wanted.margin:g}"] if wanted.margin != MARGIN else []
    flags = (("--prompted", wanted.prompted), ("--single", wanted.single), ("--no-judge", not wanted.judged))
    parts += [name for name, on in flags if on]
    parts += [f"{name} {value}" for name, value in (("--max-tokens", models.max_tokens), ("--context", wanted.context)) if value]
    return " ".join(["evaluate", *parts])


def _to_name(project: Project, models: Models) -> Models:
    """The models of a planned evaluation; those that nobody has named yet are left to be filled in."""
    there = project.config.roles
    base, tuned = (given or ("" if role in there else ANY) for role, given in (("base", models.base), ("tuned", models.tuned)))
    return Models(base, tuned, models.max_tokens)


def _print_plan(found: Power, step: str, *, as_json: bool) -> None:
    if as_json:
        screen.json(found, step=step)
        return
    screen.say(
        f"{found.groups} scenarios × {screen.counted(found.runs, 'run')} show a gain of {found.shows:.2f} in pass rate, "
        "four times in five",
        bold=True,
    )
    basis = "the base's in the latest evaluation" if found.base_measured else "by convention, as nothing has been evaluated yet"
    screen.say(f"A gain of {found.difference:.2f} takes, from a pass rate of {found.base_rate:.2f} ({basis}):")
    rows = [("runs", "scenarios", "conversations of each model", "spread over scenarios")]
    rows += [(str(row.runs), str(row.groups), str(row.talks), f"{row.spread:.2f}") for row in found.needed]
    screen.table(rows)
    for line in _behind(found):
        screen.paragraph(line)
    screen.paragraph(
        "More scenarios tell more than more runs of the same ones: runs of a scenario resemble each other.", dim=True
    )
    screen.next_step(step)


def _behind(found: Power) -> Iterator[str]:
    """What the figures of a plan rest on."""
    if found.base_rate + found.difference > 1:
        yield f"A pass rate of {found.base_rate:.2f} leaves no room for that gain; plan for less with --difference."
    if found.measured:
        yield "The spread follows the latest evaluation of a base and a tuned model."
    elif found.base_measured:
        yield "The spread is by convention: no evaluation has found base and tuned model to differ from scenario to scenario."
    if found.groups_from_high is not None and found.base_high is not None:
        yield (
            f"The lower the pass rate, the smaller the spread, and the cheaper the plan. But the base's may be as high as "
            f"{found.base_high:.2f} (95% interval), and from there it takes {found.groups_from_high} scenarios × "
            f"{screen.counted(found.runs, 'run')}."
        )


def _print(summary: EvaluationSummary) -> None:
    table = summary.table
    if table is None and not summary.waiting:
        _print_replies(summary)
        return
    if table is None:
        waiting = f"{screen.counted(summary.waiting, 'conversation')} got no answer: {summary.why_waiting}"
        screen.say(f"{summary.run} is unfinished: {waiting}", bold=True)
        screen.say("  run the same command again: it asks only for what is missing")
        screen.next_step(summary.next)
        return
    screen.say(f"{summary.run}: {summary.groups} held-out scenarios × {screen.counted(summary.runs, 'run')}", bold=True)
    for arm, model in summary.models.items():
        screen.say(f"  {arm}: {model}")
    if summary.left_out:
        screen.paragraph(f"prompted: left out, as {summary.left_out}")
    _print_arms(table)
    _print_kinds(table)
    for pair in table.pairs:
        _print_pair(pair)
    for line in summary.beside:
        screen.paragraph(line)
    screen.say("What this cannot tell you", bold=True)
    for line in summary.cannot_tell:
        screen.say(f"  {line}", dim=True)
    screen.say(f"  {summary.report}")
    if summary.cost:
        screen.say(f"  {summary.run} cost ${summary.cost:.4f}")
    screen.say(summary.upshot, bold=True)
    if summary.remedy and summary.remedy != summary.next:
        screen.paragraph(summary.remedy)
    screen.next_step(summary.next)


def _print_replies(summary: EvaluationSummary) -> None:
    screen.say(
        f"{summary.run}, not judged: {summary.groups} held-out scenarios × {screen.counted(summary.runs, 'run')}", bold=True
    )
    for arm, model in summary.models.items():
        screen.say(f"  {arm}: {model}")
    if summary.left_out:
        screen.paragraph(f"prompted: left out, as {summary.left_out}")
    arms = summary.replies
    rows = [("", *(row.arm for row in arms))]
    rows.append(("finished / cut off / empty", *(f"{row.by_itself} / {row.cut} / {row.silent}" for row in arms)))
    rows.append(("faulty", *(f"{row.faulty} of {row.talks}" for row in arms)))
    rows.append(("words of a reply", *("–" if row.words is None else f"{row.words:.0f}" for row in arms)))
    rows.append(
        ("the base's to the letter", *("–" if row.as_base is None else f"{row.as_base.k} of {row.as_base.n}" for row in arms))
    )
    for name, counts in (
        ("refused by the provider", [row.failed for row in arms]),
        ("begins like a training row", [row.seen for row in arms]),
    ):
        rows += [(name, *map(str, counts))] if any(counts) else []
    screen.table(rows)
    screen.paragraph("These are counts made by code; which replies are better is for a judge to say.", dim=True)
    screen.next_step(summary.next)


def _print_arms(table: Table) -> None:
    arms = table.arms
    rows = [("", *(row.arm for row in arms))]
    rows.append(("passed", *(_share(row.passed.value) for row in arms)))
    rows.append(("  95% interval", *(f"{row.passed.low:.0%} to {row.passed.high:.0%}" for row in arms)))
    rows.append(("score of judged conversations", *(_two(row.score) for row in arms)))
    rows.append(("passed the safety gate", *(_of(row.safe) for row in arms)))
    rows.append(("faulty", *(f"{row.faulty} of {row.talks}" for row in arms)))
    rows.append(("finished / cut off", *(f"{row.by_itself.k} / {row.cut}" for row in arms)))
    rows.append(("questions answered", *("–" if row.answered is None else f"{row.answered:.1f}" for row in arms)))
    rows += [(f"{row.name}", *(_two(row.arms[arm.arm]) for arm in arms)) for row in table.categories]
    screen.table(rows)


def _print_kinds(table: Table) -> None:
    """Special cases by themselves: what did tuning break?"""
    if len(table.kinds) > 1:
        arms: list[Arm] = [row.arm for row in table.arms]
        screen.table(
            [(f"passed, {row.name}", *(f"{_share(row.arms[arm])} of {row.n[arm]}" for arm in arms)) for row in table.kinds]
        )


def _print_pair(pair: Pair) -> None:
    screen.say(f"{NAMES[pair.second].capitalize()} against {NAMES[pair.first]}: {pair.word}", bold=True)
    screen.say(f"  pass rate {in_words(pair.difference)}")
    tests = [test for test in (pair.sign_flip, pair.student, pair.mcnemar) if test]
    screen.table([(test.method, f"p = {test.p:.3f} (n = {test.n})") for test in tests])
    for change in pair.questions:
        if change.p is not None and change.p <= SURE:
            said = f"YES {signed(change.difference)} (p = {change.p:.3f} Holm-adjusted, {change.groups} scenarios)"
            screen.say(f"  {change.id}{' (gate)' if change.gate else ''}: {said}")


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.0%}"


def _two(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _of(count: Count) -> str:
    return f"{count.k} of {count.n} judged"
