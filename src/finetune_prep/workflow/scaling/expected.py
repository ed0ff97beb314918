"""What a scaled run has still to ask: as many conversations as its rows take at the pilot's rate, less what is answered
already.
"""

from __future__ import annotations

from math import ceil

from finetune_prep.core.request import RoleName
from finetune_prep.documents.kinds import Documents
from finetune_prep.errors import ActNeeded
from finetune_prep.phases.pilot.plan import KIND, ROLES
from finetune_prep.phases.pilot.second_judge import ROLE as SECOND
from finetune_prep.phases.scaling.allotting import CANDIDATES
from finetune_prep.phases.scaling.scale import Size, scale_plan
from finetune_prep.project.project import Project
from finetune_prep.project.runs import SCALE, RunPlan, runs
from finetune_prep.statistics.rates import wilson
from finetune_prep.workflow.estimate import Estimate, estimate_of_pilot
from finetune_prep.workflow.exporting import finished_pilot
from finetune_prep.workflow.planned_calls import Used, mean_exchanges


def expected(project: Project, so_far: Used, size: Size, provider: str = "") -> Estimate:
    """Calls of a run of this size. provider: asked for every role. Raises ActNeeded if there is no finished pilot to go by."""
    plan = scale_plan(project, size)
    candidates = to_make(project, plan)
    rubric = project.value(Documents.rubric)
    replies = ceil(candidates * mean_exchanges(project)) if plan.way == "turns" else candidates
    calls: dict[RoleName, int] = {role: replies for role in ROLES[plan.way] if role != "judge"}
    calls["judge"] = ceil(candidates * _judged_share(project)) if rubric.judged else 0
    if plan.read_by_both:
        calls[SECOND] = ceil(calls["judge"] * plan.read_by_both)
    known = _known(project, so_far, plan)
    left = {role: max(0, count - known.get(role, 0)) for role, count in calls.items()}
    return estimate_of_pilot(project, so_far, left, candidates, provider)


def to_make(project: Project, plan: RunPlan) -> int:
    """Conversations that the rows of a run take, at the share of the pilot's that were accepted."""
    _, account = finished_pilot(project)
    accepted = wilson(account.states["accepted"], account.planned).value
    if not accepted:
        raise ActNeeded("nothing of the pilot was accepted", next="finetune-prep show")
    most = plan.most if isinstance(plan.most, int) else CANDIDATES * plan.wanted
    return min(most, ceil(plan.wanted / accepted))


def _judged_share(project: Project) -> float:
    """Share of the pilot's conversations that were put to the judge: one with a fault is not."""
    _, account = finished_pilot(project)
    judged = account.judged + account.unjudged
    return judged / account.planned if judged else 1.0


def _known(project: Project, so_far: Used, plan: RunPlan) -> dict[str, int]:
    """Answers by role that runs of the same documents and models hold: they draw from the same stream."""
    same = {
        run.name
        for run in runs(project.layout)
        if run.plan.kind in (KIND, SCALE)
        and (run.plan.made_from, run.plan.models, run.plan.prompts, run.plan.seed)
        == (plan.made_from, plan.models, plan.prompts, plan.seed)
    }
    known: dict[str, int] = {}
    for line in so_far.tokens:
        if line.run in same:
            known[line.role] = known.get(line.role, 0) + line.answers
    return known
