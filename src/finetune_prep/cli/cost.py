"""`cost`: the money, by phase, role and model; per accepted row; and what the next run will cost."""

from __future__ import annotations

import click

from finetune_prep.cli import screen
from finetune_prep.cli.working import json_option
from finetune_prep.errors import UsageError
from finetune_prep.ledger.ledger import Consumption
from finetune_prep.ledger.sqlite import SqliteLedger
from finetune_prep.models.costs import Costs, Estimate, costs, estimate, per_row
from finetune_prep.project.project import Project, open_project
from finetune_prep.project.runs import Run, runs


@click.command()
@click.option("-n", "size", type=click.IntRange(min=1), help="Estimate for a run of so many conversations.")
@json_option
@click.pass_obj
def cost(project: str, size: int | None, as_json: bool) -> None:
    """What was spent: per phase, role and model, per accepted row, and how much came from the providers' caches.

    With -n: what a run of that size will need, measured on the latest run that was answered.
    """
    opened = open_project(project)
    found = _costs(opened)
    finished = runs(opened.layout)
    latest = next((run for run in reversed(finished) if found.of_phase(run.name).lines), None)
    expected = estimate(found, latest.name, _answered(latest), size) if size and latest else None
    if size and expected is None:
        raise UsageError(
            "there is no run yet to measure on", where=str(opened.folder), next="finetune-prep pilot -n 3, which costs little"
        )
    rows = [(run.name, _accepted(run), per_row(found.of_phase(run.name), _accepted(run))) for run in finished]
    if as_json:
        screen.json(
            {
                "lines": found.lines,
                "cost": found.cost,
                "unpriced": found.unpriced,
                "cached_share": found.cached_share,
                "spent": found.spent,
                "held": found.held,
                "committed": found.committed,
                "budget": opened.config.budget,
                "runs": [{"run": name, "accepted": accepted, "per_accepted": each} for name, accepted, each in rows],
                "estimate": expected,
            }
        )
        return
    _print(found, opened.config.budget, rows)
    if expected is not None:
        _print_estimate(expected, found.spent + found.held + found.committed, opened.config.budget)


def _costs(project: Project) -> Costs:
    """Looking creates no ledger."""
    if not project.layout.ledger.is_file():
        return Costs(lines=(), spent=0.0, held=0.0)
    ledger = SqliteLedger(project.layout.ledger)
    try:
        return costs(ledger)
    finally:
        ledger.close()


def _accepted(run: Run) -> int:
    account = run.account()
    return account.states.get("accepted", 0) if account else 0


def _answered(run: Run) -> int:
    """How many of the planned conversations were had: those outstanding have cost nothing yet."""
    account = run.account()
    return account.planned - account.outstanding if account else run.plan.n


def _print(found: Costs, budget: float | None, rows: list[tuple[str, int, float | None]]) -> None:
    if not found.lines:
        screen.say("Nothing has been asked yet.")
    screen.table([_line(line) for line in found.lines])
    if found.lines:
        share = "" if found.cached_share is None else f", {found.cached_share:.0%} of the prompts from caches"
        screen.say(f"All answers cost {_dollars(found.cost, found.unpriced)}{share}", bold=True)
    cap = "" if budget is None else f" of a budget of ${budget:.2f}"
    screen.say(f"${found.spent:.4f} spent by this project{cap}")
    if found.held:
        screen.say(f"  and ${found.held:.4f} that a run may have spent which was killed; counted as spent")
    if found.committed:
        screen.say(f"  and up to ${found.committed:.4f} set aside for what Batch APIs work on: finetune-prep batch status")
    for name, accepted, each in rows:
        price = "" if each is None else f", ${each:.4f} for each"
        screen.say(f"{name}: {accepted} accepted rows{price}")


def _line(line: Consumption) -> tuple[str, ...]:
    served = f" (served {line.served})" if line.served and line.served != line.model else ""
    share = f"{line.cached / line.input:.0%} cached" if line.input else ""
    tokens = f"{line.input:,} + {line.output:,} tokens"
    return (
        line.phase,
        line.role,
        f"{line.model}{served}",
        f"{line.answers:,} answers",
        tokens,
        share,
        _dollars(line.cost, line.unpriced),
    )


def _dollars(cost: float, unpriced: int) -> str:
    return f"${cost:.4f}" + (f" and {unpriced:,} answers of unknown cost" if unpriced else "")


def _print_estimate(expected: Estimate, spent: float, budget: float | None) -> None:
    price = "at an unknown price" if expected.cost is None else f"about ${expected.cost:.2f}"
    tokens = f"{expected.input:,} + {expected.output:,} tokens"
    screen.say(f"{expected.conversations:,} conversations: {expected.calls:,} calls, {tokens}, {price}", bold=True)
    screen.say(f"  as the {expected.measured:,} of {expected.measured_on} needed", dim=True)
    if budget is not None and expected.cost is not None and spent + expected.cost > budget:
        screen.say(f"  more than the budget leaves (${max(0.0, budget - spent):.2f}): raise `budget` in finetune-prep.toml")
