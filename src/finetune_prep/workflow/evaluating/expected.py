"""What an evaluation will ask, before it does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import msgspec

from finetune_prep.core.request import RoleName
from finetune_prep.core.scenarios.scenario import Scenario
from finetune_prep.documents.kinds import Documents
from finetune_prep.method import limits
from finetune_prep.phases.drafting.prompt_facts import EVALUATE, PILOT, facts
from finetune_prep.phases.evaluating.arms import PHASE, PLAYED_BY
from finetune_prep.phases.evaluating.evaluate import Wanted, plan_of, scenarios_of, voices
from finetune_prep.phases.evaluating.needed import prepared
from finetune_prep.phases.requests import Requests
from finetune_prep.project.config import BATCH_APIS
from finetune_prep.project.evaluating.runs import EvaluationPlan, evaluation_runs
from finetune_prep.workflow.estimate import Estimate, estimate_of_calls
from finetune_prep.workflow.planned_calls import CHARACTERS, Planned, Used

USUAL_REPLY = 150  # tokens, where none of the model's has been counted


def expected(requests: Requests, used: Used, wanted: Wanted, provider: str = "") -> Estimate:
    """What is still to ask; nothing for an evaluation that has come to its end. Raises ActNeeded as `prepared`.

    Where the arm `prompted` is asked for it is counted in, although it may turn out not to fit.
    """
    project = requests.project
    prepared(project, prompted=wanted.prompted)
    scenarios = scenarios_of(project, wanted)
    plan = plan_of(requests, wanted, scenarios)
    if any(run.finished and _same(run.plan, plan) for run in evaluation_runs(project.layout)):
        return estimate_of_calls(project, used, (), provider)
    calls = _calls(requests, used, plan, scenarios, judges=wanted.judged)
    found = estimate_of_calls(project, _as_in_a_pilot(used), calls, provider)
    return msgspec.structs.replace(found, rounds=_rounds(requests, plan, scenarios, provider, judges=wanted.judged))


def _same(one: EvaluationPlan, other: EvaluationPlan) -> bool:
    """Whether an evaluation is this one, with or without the arm that may be left out."""
    if one.left_out:
        texts = {name: text for name, text in other.texts.items() if name != "prompted"}
        arms = tuple(arm for arm in other.arms if arm != "prompted")
        margin = other.margin if len(arms) > 1 else 0.0
        other = msgspec.structs.replace(other, arms=arms, texts=texts, left_out=one.left_out, margin=margin)
    return one == other


def _as_in_a_pilot(used: Used) -> Used:
    """What user and judge took in pilots stands for what they take here, until they have been asked here."""
    known = {(found.role, found.form) for found in used.measured if found.phase == PHASE}
    lent = [
        msgspec.structs.replace(found, phase=PHASE)
        for found in used.measured
        if found.phase == PILOT and found.role in ("user", "judge") and (found.role, found.form) not in known
    ]
    return msgspec.structs.replace(used, measured=(*used.measured, *lent))


def _calls(
    requests: Requests, used: Used, plan: EvaluationPlan, scenarios: tuple[Scenario, ...], *, judges: bool
) -> Iterator[Planned]:
    project, own = requests.project, requests.project.layout.phase_prompts
    known = _known(requests, used, plan)
    talks, exchanges = len(plan.arms) * plan.runs, sum(scenario.exchanges for scenario in scenarios)
    times = {
        "converse-user": len(scenarios) + talks * (exchanges - len(scenarios)),  # the opening is the same for all
        "judge": talks * len(scenarios) if judges and project.value(Documents.rubric).judged else 0,
    }
    for prompt, count in times.items():
        about = facts(prompt, own)
        use = next(use for use in about.uses if use.phase == EVALUATE)
        yield Planned(
            prompt=prompt, role=about.role, form=about.form, phase=PHASE, times=count, known=min(count, known[about.role]),
            input=use.input, output=use.output,
        )  # fmt: skip
    said = voices(requests)
    for arm in plan.arms:
        role, count = PLAYED_BY[arm], plan.runs * exchanges
        there = min(count, known[role])
        known[role] -= there
        most = project.config.role(role).max_tokens or limits.REPLY_TOKENS
        yield Planned(
            prompt=arm, role=role, form=role, phase=PHASE, times=count, known=there,
            input=len(said[arm].assistant) / CHARACTERS + USUAL_REPLY, output=min(USUAL_REPLY, most),
            measurable=arm != "prompted",
        )  # fmt: skip


def _known(requests: Requests, used: Used, plan: EvaluationPlan) -> Counter[str]:
    """Answers by role that earlier evaluations brought and that serve this one, at most."""
    names: dict[str, set[str]] = {"user": set(), "judge": set(), "base": set(), "tuned": set()}
    for run in evaluation_runs(requests.project.layout):
        before = run.plan
        talked = before.texts.get("base") == plan.texts["base"] and before.texts["user"] == plan.texts["user"]
        if not talked or before.models["user"] != plan.models["user"] or before.single != plan.single:
            continue
        judged = (before.rubric, before.evaluation_prompt, before.models["judge"])
        for role in names:
            if role == "judge" and judged != (plan.rubric, plan.evaluation_prompt, plan.models["judge"]):
                continue
            if before.models.get(role) == plan.models.get(role):
                names[role].add(run.name)
    known: Counter[str] = Counter()
    for line in used.tokens:
        if line.phase == PHASE and line.run in names.get(line.role, ()):
            known[line.role] += line.answers
    return known


def _rounds(
    requests: Requests, plan: EvaluationPlan, scenarios: tuple[Scenario, ...], provider: str, *, judges: bool
) -> dict[str, int]:
    """Rounds of batch files: for each exchange the users' and the models', one of verdicts; none where nothing comes by batch."""
    config = requests.project.config

    def by_batch(role: RoleName) -> bool:
        kind = config.provider(provider or config.role(role).provider).kind
        return kind == "batch" or kind in BATCH_APIS

    models = {config.role(PLAYED_BY[arm]).model_name for arm in plan.arms if by_batch(PLAYED_BY[arm])}
    longest = max((scenario.exchanges for scenario in scenarios), default=0)
    found = longest * (by_batch("user") + len(models)) + (judges and by_batch("judge"))
    return {PHASE: found} if found else {}
