"""What must hold before anything is scaled, and what a person has said of conversations that it would make."""

from __future__ import annotations

from finetune_prep.errors import GateError, UsageError
from finetune_prep.method.gates import NEVER_OVERRIDDEN
from finetune_prep.phases.pilot.plan import prepared
from finetune_prep.phases.scaling.scale import Passed, Size, scale_plan
from finetune_prep.project.project import Project
from finetune_prep.project.scaling.result import same_but_for_size
from finetune_prep.workflow.checking import counted, require_checked, told
from finetune_prep.workflow.exporting import finished_pilot
from finetune_prep.workflow.reviewing.counting import failures, require_all_labels
from finetune_prep.workflow.status.next_step import before_scaling
from finetune_prep.workflow.status.standing import pass_rate

WHAT = "scaling"


def passed_pilot(project: Project) -> Passed:
    """The pilot that what is scaled goes by. Raises ActNeeded and GateError while the gates of the workflow do not hold."""
    prepared(project, WHAT)
    require_checked(project, WHAT)
    if open_gates := before_scaling(project):
        free = [outcome.gate for outcome in open_gates if outcome.gate not in NEVER_OVERRIDDEN]
        decide = f'  if you know better: finetune-prep accept --override {free[0]} --because "…", and so for each' if free else ""
        raise GateError(
            f"{WHAT} must wait: {counted(open_gates)}",
            details=(*told(open_gates), *filter(None, [decide])),
            next="finetune-prep status, which names the next step",
        )
    run, account = finished_pilot(project)
    return Passed(rate=pass_rate(account).value or 0.0, scenarios=frozenset(sample.scenario.id for sample in run.each_sample()))


def require_growth(project: Project, size: Size) -> None:
    """Raise UsageError if the run that this goes on with has more rows than are wanted now."""
    plan = scale_plan(project, size)
    known = same_but_for_size(project.layout, plan)
    account = known.account() if known else None
    accepted = account.states["accepted"] if account else 0
    if known is not None and accepted > plan.wanted:
        raise UsageError(
            f"{known.name} has {accepted:,} accepted rows already, and {plan.wanted:,} are wanted",
            next="finetune-prep export takes all of them; finetune-prep drop keeps single ones out",
        )


def ruled_out(project: Project) -> dict[str, str]:
    """Conversations that are to be no rows, by their ids, and why: a person dropped them, or failed them in a review.

    Raises UsageError if a label cannot be read.
    """
    require_all_labels(project)
    found = {conversation: f"failed by {name}" for conversation, name in failures(project).items()}
    return found | {id: f"dropped by {decision.by}: {decision.because}" for id, decision in project.dropped().items()}
