"""`cost`: the money, by phase, role and model; per accepted row; and what is still to come."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

import click

from finetune_prep.cli import screen
from finetune_prep.cli.job import estimate_words
from finetune_prep.cli.options import json_option
from finetune_prep.ledger.protocols import Consumption
from finetune_prep.method import limits
from finetune_prep.models.costs import Costs, costs, in_words, per_row
from finetune_prep.models.roles import Roles
from finetune_prep.phases.drafting.prompt_facts import EVALUATE
from finetune_prep.phases.evaluating.evaluate import Wanted, named
from finetune_prep.phases.requests import Requests
from finetune_prep.phases.scaling.scale import Size
from finetune_prep.project.config import Config
from finetune_prep.project.evaluating.runs import evaluation_runs
from finetune_prep.project.project import Project, open_project
from finetune_prep.project.runs import SCALE, Run, runs
from finetune_prep.statistics.comparison import MARGIN
from finetune_prep.workflow.estimate import ALL, Estimate, Row, estimate
from finetune_prep.workflow.evaluating.expected import expected as expected_evaluation
from finetune_prep.workflow.looking import looked
from finetune_prep.workflow.planned_calls import Used, used
from finetune_prep.workflow.scaling.expected import expected as expected_of_scaling
from finetune_prep.workflow.scaling.whole_way import SHOP_CONVERSATIONS, SHOP_ROWS, Way, WholeWay, way_to_rows

WHOLE = "all"
MANY = 10  # calls, of which tenths say nothing any longer


@click.command()
@click.option(
    "--estimate",
    "phase",
    type=click.Choice([WHOLE, *ALL, SCALE, EVALUATE]),
    is_flag=False,
    flag_value=WHOLE,
    metavar="[PHASE]",
    help=f"What is still to be asked in a phase will need ({', '.join((*ALL, SCALE, EVALUATE))}); without PHASE, all but these "
    "two.",
)
@click.option(
    "-n",
    "size",
    type=click.IntRange(min=1),
    help=f"Estimate for so many conversations of a pilot (default: {limits.PILOT}), rows of scaling ({limits.SCALE.fewest}) or "
    f"scenarios of an evaluation ({limits.HELD_OUT}).",
)
@json_option
@click.pass_obj
def cost(project: str, phase: str | None, size: int | None, as_json: bool) -> None:
    """What was spent: per phase, role and model, per accepted row, and how much came from the providers' caches.

    With --estimate or -n: what is still to be asked will need, by what the answers so far took, or else by the bundled examples.
    Without a phase, and as long as no pilot has ended, also what the whole way to the rows of a training set would cost.
    """
    opened = open_project(project)
    phase = phase or ("pilot" if size else None)
    found = looked(opened, costs, Costs(lines=(), spent=0.0, held=0.0))
    expected = _expected(opened, phase, size) if phase else None
    way = way_to_rows(opened) if phase == WHOLE else None
    evaluations = [(run.name, found.of_run(run.name)) for run in evaluation_runs(opened.layout)]
    rows = [(run.name, _accepted(run), per_row(found.of_run(run.name), _accepted(run))) for run in runs(opened.layout)]
    if as_json:
        screen.json(
            {
                "lines": found.lines,
                "cost": found.cost,
                "unpriced": found.unpriced,
                "cached_share": found.cached_share,
                "saved_by_caches": found.saved(opened.config),
                "spent": found.spent,
                "held": found.held,
                "committed": found.committed,
                "unreadable": found.aside,
                "budget": opened.config.budget,
                "runs": [{"run": name, "accepted": accepted, "per_accepted": each} for name, accepted, each in rows],
                "evaluations": [{"run": name, "cost": None if part.unpriced else part.cost} for name, part in evaluations],
                "estimate": expected,
                "whole_way": way,
            }
        )
        return
    if expected is None:
        _print(found, opened.config, rows)
        for name, part in evaluations:
            screen.say(f"{name}: {_dollars(part.cost, part.unpriced, part.answers)}")
    else:
        _print_estimate(expected, found.spent + found.held + found.committed, opened.config.budget)
        if way is not None:
            _print_way(way)


def _expected(project: Project, phase: str, size: int | None) -> Estimate:
    """Raises ActNeeded for scaling while there is no finished pilot to go by, and ConfigError for models that nobody named."""
    so_far = looked(project, used, None)
    if phase == SCALE:
        return expected_of_scaling(project, so_far or Used(), Size(rows=size or limits.SCALE.fewest))
    if phase == EVALUATE:
        models, wanted = named(project, "", ""), Wanted(groups=size or limits.HELD_OUT, margin=MARGIN)
        return expected_evaluation(Requests(models, Roles(models.config)), so_far or Used(), wanted)
    return estimate(project, so_far, ALL if phase == WHOLE else (phase,), n=size or limits.PILOT)


def _accepted(run: Run) -> int:
    account = run.account()
    return account.states.get("accepted", 0) if account else 0


def _print(found: Costs, config: Config, rows: list[tuple[str, int, float | None]]) -> None:
    if not found.lines:
        screen.say("Nothing has been asked yet.")
    _print_grouped(
        ("asked for", "role", "answers", "tokens in + out", "cached", "cost"),
        [(_model(line), _line(line)) for line in found.lines],
    )
    if found.lines:
        partly = found.counted if found.counted < found.answers else None
        caches = screen.caches_in_words(found.cached_share, found.saved(config), counted=partly)
        screen.say(f"{in_words(found, f'${found.cost:.4f}')}{caches}", bold=True)
    cap = "" if config.budget is None else f" of a budget of ${config.budget:.2f}"
    screen.say(f"${found.spent:.4f} spent by this project{cap}")
    if found.held:
        screen.say(f"  and ${found.held:.4f} that a killed run may have spent; counted as spent")
    if found.committed:
        screen.say(f"  and up to ${found.committed:.4f} set aside for what is with Batch APIs: finetune-prep batch status")
    if found.aside:
        many = "1 reply that is" if found.aside == 1 else f"{found.aside:,} replies that are"
        screen.say(f"  {many} no answer may have cost something, too; `finetune-prep show ID` prints what came")
    for name, accepted, each in rows:
        price = "" if each is None else f", ${each:.4f} for each"
        screen.say(f"{name}: {screen.counted(accepted, 'accepted row')}{price}")


def _print_grouped(head: tuple[str, ...], rows: Sequence[tuple[str, tuple[str, ...]]]) -> None:
    """A table whose rows stand below what they are of, in the order in which that comes first; fits a narrow window.

    rows: what each is of, and its cells. A column without a cell has no head either.
    """
    groups: dict[str, list[tuple[str, ...]]] = {}
    for of, row in rows:
        groups.setdefault(of, []).append(row)
    cells = [row for group in groups.values() for row in group]
    if not cells:
        return
    starts = accumulate((len(group) for group in groups.values()), initial=1)
    held = (name if any(column) else "" for name, column in zip(head, zip(*cells, strict=True), strict=True))
    screen.table([tuple(held), *cells], above=dict(zip(starts, groups, strict=False)))


def _model(line: Consumption) -> str:
    served = f" (served {line.served})" if line.served and line.served != line.model else ""
    return f"{line.model}{served}"


def _line(line: Consumption) -> tuple[str, ...]:
    unknown = " + ?" if line.unpriced else ""
    return (
        line.run or line.phase,
        line.role,
        f"{line.answers:,}",
        f"{screen.short(line.input)} + {screen.short(line.output)}" if line.input or line.output else "",
        f"{line.cached / line.input:.0%}" if line.input else "",
        "unknown" if line.unpriced == line.answers else f"${line.cost:.4f}{unknown}",
    )


def _dollars(cost: float, unpriced: int, answers: int) -> str:
    """What so many answers cost, of which so many have no known price."""
    if answers and unpriced == answers:
        return "cost unknown"
    return f"${cost:.4f}" + (f" for {answers - unpriced:,} of {screen.counted(answers, 'answer')}" if unpriced else "")


def _print_estimate(expected: Estimate, spent: float, budget: float | None) -> None:
    asked = [row for row in expected.rows if row.calls]
    differ = len({row.measured > 0 for row in asked}) > 1  # else the sum says it for all
    _print_grouped(
        ("prompt", "calls", "tokens in + out", "cached", "cost"),
        [(f"{row.phase}, {row.role}: {row.model}", _expected_row(row, free=expected.cost == 0, differ=differ)) for row in asked],
    )
    if differ:
        screen.paragraph("*: as in the bundled examples; the others as your own answers took", dim=True)
    if any(_in_part(row.calls) for row in asked):
        screen.paragraph(
            "Calls are averages: not every draft is sent back for revision, and some answers are asked for again.", dim=True
        )
    screen.say(estimate_words(expected), bold=True)
    if expected.about:
        screen.paragraph(expected.about)
    if budget is not None and expected.cost is not None and spent + expected.cost > budget:
        screen.say(f"  more than the budget leaves (${max(0.0, budget - spent):.2f}): raise `budget` in finetune-prep.toml")


def _print_way(way: WholeWay) -> None:
    screen.say()
    screen.say(f"The whole way to {way.rows:,} accepted rows, by the share of conversations that is accepted:", bold=True)
    screen.table(
        [(f"{step.accepted:.0%}", screen.counted(step.conversations, "conversation"), *_way_words(step)) for step in way.ways]
    )
    screen.paragraph(
        f"The bundled shop's {SHOP_ROWS} rows took {SHOP_CONVERSATIONS} conversations ({SHOP_ROWS / SHOP_CONVERSATIONS:.0%}): "
        "where a cell needs only a few rows, more is made in vain."
    )
    if way.first_wave:
        screen.paragraph(
            f"After the first {way.first_conversations} of them, about ${way.first_wave:.2f}, a hopeless pilot is stopped."
        )
    screen.paragraph(
        "Counted are the documents that are missing, each as often as it is usually written, and the conversations with their "
        "verdicts; what comes from a provider's cache, at its price. Probes, evaluations and second versions come on top."
    )


def _way_words(step: Way) -> tuple[str, ...]:
    calls = screen.counted(step.calls, "call")
    tokens = f"{(step.input_tokens + step.output_tokens) / 1e6:,.0f} million tokens"
    return (calls, tokens, *(() if step.cost == 0 else ("price unknown" if step.cost is None else f"about ${step.cost:,.0f}",)))


def _in_part(calls: float) -> bool:
    """Whether tenths of so many calls tell something."""
    return calls < MANY and round(calls, 1) != round(calls)


def _expected_row(row: Row, *, free: bool, differ: bool) -> tuple[str, ...]:
    known = "unknown" if row.cost is None else f"${row.cost:.4f}"
    example = " *" if differ and not row.measured else ""
    return (
        f"{row.prompt} {row.draft_of}{example}" if row.draft_of else f"{row.prompt}{example}",
        f"{row.calls:.1f}" if _in_part(row.calls) else f"{round(row.calls):,}",
        f"{screen.short(row.input_tokens)} + {screen.short(row.output_tokens)}",
        f"{row.cached_tokens / row.input_tokens:.0%}" if row.cached_tokens else "",
        "" if free else known,
    )
