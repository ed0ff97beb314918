"""What a scaled run has still to ask: as many conversations as its rows take, by what was accepted of each cell so far, less
what is answered already.
"""

from __future__ import annotations

from collections import Counter
from math import ceil

import msgspec

from finetune_prep.core.request import RoleName
from finetune_prep.core.sample import UNSETTLED, State
from finetune_prep.documents.kinds import Documents
from finetune_prep.errors import ActNeeded
from finetune_prep.phases.pilot.plan import KIND, ROLES
from finetune_prep.phases.pilot.second_judge import ROLE as SECOND
from finetune_prep.phases.scaling.allotting import CANDIDATES, Candidate
from finetune_prep.phases.scaling.foreseeing import Foreseen, Seen, foreseen
from finetune_prep.phases.scaling.scale import Size, scale_plan, wanted
from finetune_prep.project.project import Project
from finetune_prep.project.runs import SCALE, Run, RunPlan, runs
from finetune_prep.project.scaling.result import same_but_for_size
from finetune_prep.workflow.estimate import Estimate, estimate_of_pilot
from finetune_prep.workflow.exporting import finished_pilot
from finetune_prep.workflow.planned_calls import Used, mean_exchanges

ROWS: tuple[State, ...] = ("accepted", "surplus")


def expected(project: Project, so_far: Used, size: Size, provider: str = "") -> Estimate:
    """Calls of a run of this size. provider: asked for every role. Raises ActNeeded if there is no finished pilot to go by."""
    plan = scale_plan(project, size)
    take = to_make(project, plan)
    candidates = take.conversations
    rubric = project.value(Documents.rubric)
    replies = ceil(candidates * mean_exchanges(project)) if plan.way == "turns" else candidates
    calls: dict[RoleName, int] = {role: replies for role in ROLES[plan.way] if role != "judge"}
    calls["judge"] = ceil(candidates * _judged_share(project)) if rubric.judged else 0
    if plan.read_by_both:
        calls[SECOND] = ceil(calls["judge"] * plan.read_by_both)
    known = _known(project, so_far, plan)
    left = {role: max(0, count - known.get(role, 0)) for role, count in calls.items()}
    found = estimate_of_pilot(project, so_far, left, candidates, provider)
    return msgspec.structs.replace(found, about=in_words(plan.wanted, take))


def in_words(rows: int, take: Foreseen) -> str:
    """What an estimate counts."""
    surplus = f"; about {take.surplus:,} will be surplus (good, but their cell is full)" if take.surplus else ""
    return f"{rows:,} rows take about {take.conversations:,} conversations, by what was accepted in each cell so far{surplus}."


def to_make(project: Project, plan: RunPlan) -> Foreseen:
    """Conversations that the rows of a run take, those that are there included. Raises ActNeeded if none was accepted so far."""
    pilot, account = finished_pilot(project)
    rate = account.states["accepted"] / account.planned if account.planned else 0.0
    if not rate:
        raise ActNeeded("nothing in the pilot was accepted", next="finetune-prep show")
    known = _made(project, pilot, plan)
    tried, good = Counter(cell for cell, _ in known), Counter(cell for (cell, _), is_good in known.items() if is_good)
    if known:
        rate = good.total() / tried.total()
    most = plan.most if isinstance(plan.most, int) else CANDIDATES * plan.wanted
    seen = {cell: Seen(tried[cell], good[cell]) for cell in tried}
    return foreseen(wanted(project.value(Documents.space), plan), plan.seed, most, rate=rate, seen=seen, known=known)


def _made(project: Project, pilot: Run, plan: RunPlan) -> dict[Candidate, bool]:
    """Which candidates of a run could be rows, of those that the pilot or a smaller size of the run has made."""
    scaled = same_but_for_size(project.layout, plan)
    return {
        (sample.scenario.cell, sample.scenario.index): sample.state in ROWS
        for run in (pilot, scaled)
        if run is not None
        for sample in run.each_sample()
        if sample.state not in UNSETTLED
    }


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
