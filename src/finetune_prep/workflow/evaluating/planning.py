"""How many groups and runs an evaluation takes, by what an earlier one has found, or by convention."""

from __future__ import annotations

from finetune_prep.core.evaluating.talk import Arm
from finetune_prep.errors import UsageError
from finetune_prep.project.evaluating.runs import evaluation_runs
from finetune_prep.project.project import Project
from finetune_prep.statistics.comparison import FEWEST_GROUPS
from finetune_prep.statistics.evaluation.power import Power, power, spread_of
from finetune_prep.statistics.rates import Estimate
from finetune_prep.workflow.evaluating.standing import table_of


def enough_groups(groups: int) -> None:
    """Raise UsageError for fewer groups than can tell anything."""
    if groups < FEWEST_GROUPS:
        raise UsageError(
            f"{groups} groups are too few to tell models apart: so few often agree by chance",
            where=f"-n {groups}",
            next=f"-n {FEWEST_GROUPS} at least; finetune-prep evaluate --plan says how many it takes",
        )


def plan_for(project: Project, difference: float, groups: int, runs: int) -> Power:
    """What `groups` × `runs` can show, and what it takes to show a difference of pass rates. Raises as `enough_groups`."""
    enough_groups(groups)
    base: Estimate | None = None
    for run in reversed(evaluation_runs(project.layout)):
        found = table_of(run)
        if found is None:
            continue
        base = found.arms[0].passed if base is None else base
        arms: tuple[Arm, Arm] = ("base", "tuned")
        if {*arms} <= {*run.plan.arms} and (spread := spread_of(run.talks(), *arms, run.plan.runs)):
            return power(difference, groups, runs, base=base, seen=spread)
    return power(difference, groups, runs, base=base)
