"""What `improve` will ask, before it does."""

from __future__ import annotations

from collections import Counter
from math import ceil

import msgspec

from finetune_prep.core.request import RoleName
from finetune_prep.core.scenarios.scenario import Scenario
from finetune_prep.documents.kinds import Documents
from finetune_prep.phases.drafting.prompt_facts import IMPROVE, facts
from finetune_prep.phases.improving.diagnose import Evidence, diagnose
from finetune_prep.phases.improving.propose import PHASE, PROMPT, current_plan
from finetune_prep.phases.improving.trial import Edited, Wanted, prepared, run_of
from finetune_prep.phases.improving.trying import OTHER
from finetune_prep.phases.requests import Requests
from finetune_prep.project.improving.runs import EditPlan, improve_run_of
from finetune_prep.project.runs import Run
from finetune_prep.workflow.estimate import Estimate, estimate_of_calls, estimate_of_pilot
from finetune_prep.workflow.planned_calls import Planned, Used

SECOND_READINGS = 0.1  # share of the talks that the gate fails, so that a judge reads them again; convention, untested


def expected_edits(requests: Requests, used: Used, pilot: Run, found: Evidence, provider: str = "") -> Estimate:
    """The edits that are still to be worded."""
    project = requests.project
    run = improve_run_of(project.layout, current_plan(project, pilot, found))
    times = 0 if run.proposals_path.exists() else len(diagnose(found))
    known = sum(line.answers for line in used.tokens if line.run == run.name and line.phase == PHASE)
    return estimate_of_calls(project, used, [_planned(requests, PROMPT, times, min(times, known))] if times else (), provider)


def expected_trial(requests: Requests, used: Used, edited: Edited, wanted: Wanted, provider: str = "") -> Estimate:
    """Both arms on both parts; an edit that does not help where the failure was seen ends before the second part.

    Raises as `try_edit`.
    """
    project = requests.project
    prepared(project, edited)
    run = run_of(requests, edited, wanted)
    if run.finished:
        return estimate_of_calls(project, used, (), provider)
    scenarios = (*run.plan.seen, *run.plan.audit)
    known = Counter[str]()
    for line in used.tokens:
        if line.run == run.name:
            known[line.role] += line.answers
    calls = {role: max(0, count - known[role]) for role, count in calls_of(run.plan, scenarios).items()}
    judged = bool(project.value(Documents.rubric).judged)
    talks = estimate_of_pilot(project, used, calls if judged else calls | {"judge": 0}, len(scenarios), provider)
    rounds = _rounds(requests, run.plan, scenarios, provider)
    if not run.plan.second:
        return msgspec.structs.replace(talks, rounds=rounds)
    times = 2 * len(scenarios)
    other = estimate_of_calls(project, used, [_planned(requests, OTHER, times, min(times, known["verifier"]))], provider)
    return _both(talks, other, rounds)


def calls_of(plan: EditPlan, scenarios: tuple[Scenario, ...]) -> dict[RoleName, int]:
    """How often each role is asked: two talks about each scenario, whose opening is the same."""
    n, exchanges = len(scenarios), sum(scenario.exchanges for scenario in scenarios)
    judge: dict[RoleName, int] = {"judge": 2 * n + ceil(SECOND_READINGS * 2 * n)}
    if plan.way == "one-call":
        return {"assistant": 2 * n, **judge}
    return {"user": n + 2 * (exchanges - n), "assistant": 2 * exchanges, **judge}


def _planned(requests: Requests, prompt: str, times: int, known: int) -> Planned:
    about = facts(prompt, requests.project.layout.phase_prompts)
    use = next(use for use in about.uses if use.phase == IMPROVE)
    return Planned(
        prompt=prompt, role=about.role, form=about.form, phase=PHASE, times=times, known=known, input=use.input, output=use.output
    )


def _rounds(requests: Requests, plan: EditPlan, scenarios: tuple[Scenario, ...], provider: str) -> dict[str, int]:
    """Rounds of batch files, for each part: the turns of the longest talk, its verdict, and a second reading."""
    config = requests.project.config

    def by_batch(role: RoleName) -> bool:
        return config.by_batch(role, provider)

    def of(part: tuple[Scenario, ...]) -> int:
        longest = 1 if plan.way == "one-call" else max((scenario.exchanges for scenario in part), default=0)
        spoken = longest * (by_batch("assistant") + (plan.way == "turns" and by_batch("user")))
        return spoken + by_batch("judge") * 2 if part else 0

    found = of(plan.seen) + of(plan.audit)
    return {"pilot": found} if found else {}


def _both(one: Estimate, other: Estimate, rounds: dict[str, int]) -> Estimate:
    calls = one.calls + other.calls
    return Estimate(
        calls=calls,
        input_tokens=one.input_tokens + other.input_tokens,
        cached_tokens=one.cached_tokens + other.cached_tokens,
        output_tokens=one.output_tokens + other.output_tokens,
        cost=None if one.cost is None or other.cost is None else one.cost + other.cost,
        measured=(one.measured * one.calls + other.measured * other.calls) / calls if calls else 0.0,
        rows=(*one.rows, *other.rows),
        rounds=rounds,
    )
