"""A run that is being made at this moment, as far as the ledger shows it: nothing is locked, and nobody is kept waiting."""

from __future__ import annotations

from collections import Counter

import msgspec

from finetune_prep.ledger.protocols import Ledger
from finetune_prep.models.costs import Costs, costs
from finetune_prep.project.lock import holder
from finetune_prep.project.project import Project
from finetune_prep.project.runs import SCALE, Run, runs
from finetune_prep.workflow.looking import looked


class UnderWay(msgspec.Struct, frozen=True, kw_only=True):
    """How far a run has come."""

    run: str
    answers: dict[str, int]
    """How many answers came for it, by role."""
    cost: float
    """US dollars, as far as prices are known."""
    last: str
    """ISO time of the last answer of its phase by its provider's clock, "" unknown."""

    @property
    def judged(self) -> int:
        """Conversations that a judge has answered about."""
        return self.answers.get("judge", 0)


def under_way(project: Project) -> UnderWay | None:
    """The run that a command is making now, None if none is."""
    kind = holder(project.layout.lock).partition(" ")[0]
    made = [run for run in runs(project.layout, kind) if kind and _unfinished(run)]
    if not made:
        return None
    run = made[-1]
    found, last = looked(project, lambda ledger: _so_far(ledger, run), (Costs(lines=(), spent=0.0, held=0.0), ""))
    answers: Counter[str] = Counter()
    for line in found.lines:
        answers[line.role] += line.answers
    return UnderWay(run=run.name, answers=dict(answers), cost=found.cost, last=last)


def _unfinished(run: Run) -> bool:
    account = run.account()
    if account is None or account.outstanding:
        return True
    return run.plan.kind == SCALE and account.states["accepted"] < run.plan.wanted  # it is being made larger


async def _so_far(ledger: Ledger, run: Run) -> tuple[Costs, str]:
    last = [spent.last for spent in await ledger.reports.time_spent() if spent.phase == run.plan.kind]
    return (await costs(ledger)).of_run(run.name), max(last, default="")
