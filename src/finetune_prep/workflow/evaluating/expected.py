"""What an evaluation will ask, before it does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial

import msgspec

from finetune_prep.core.evaluating.talk import Arm
from finetune_prep.core.request import Request, RoleName
from finetune_prep.core.scenarios.scenario import Scenario
from finetune_prep.documents.kinds import Documents
from finetune_prep.ledger.protocols import Ledger
from finetune_prep.method import limits
from finetune_prep.phases.drafting.prompt_facts import EVALUATE, PILOT, facts
from finetune_prep.phases.evaluating.arms import PHASE, PLAYED_BY
from finetune_prep.phases.evaluating.evaluate import Wanted, plan_of, scenarios_of, voices
from finetune_prep.phases.evaluating.needed import prepared
from finetune_prep.phases.requests import Requests
from finetune_prep.project.evaluating.runs import EvaluationPlan, EvaluationRun, evaluation_runs
from finetune_prep.project.project import Project
from finetune_prep.workflow.estimate import Estimate, estimate_of, estimate_of_calls
from finetune_prep.workflow.looking import looked
from finetune_prep.workflow.planned_calls import CHARACTERS, Planned, Used
from finetune_prep.workflow.retrying.settled import waiting

USUAL_REPLY = 150  # tokens, where none of the model's has been counted


def expected(requests: Requests, used: Used, wanted: Wanted, provider: str = "") -> Estimate:
    """What is still to ask; for an evaluation that has come to its end, what was opened again. Raises ActNeeded as `prepared`.

    Where the arm `prompted` is asked for it is counted in, although it may turn out not to fit.
    """
    project = requests.project
    prepared(project, prompted=wanted.prompted)
    scenarios = scenarios_of(project, wanted)
    plan = plan_of(requests, wanted, scenarios)
    begun = [run for run in evaluation_runs(project.layout) if _same(run.plan, plan)]
    if ended := [run for run in begun if run.finished]:
        return estimate_of(project, used, _opened(project, ended), provider)
    calls = _calls(requests, used, plan, scenarios, judges=wanted.judged, unfinished=bool(begun))
    found = estimate_of_calls(project, _as_in_a_pilot(used), calls, provider)
    return msgspec.structs.replace(found, rounds=_rounds(requests, plan, scenarios, provider, judges=wanted.judged))


def _opened(project: Project, runs: Sequence[EvaluationRun]) -> tuple[Request, ...]:
    """Questions of these evaluations that a person has opened again and that nobody has been asked since."""
    opened = dict(project.opened())
    keys = [talk.unusable for run in runs for talk in run.talks() if talk.unusable in opened] if opened else []
    return looked(project, partial(_waiting, keys, opened), ()) if keys else ()


async def _waiting(keys: list[str], opened: dict[str, int], ledger: Ledger) -> tuple[Request, ...]:
    found = [await ledger.answers.get(key) for key in sorted(await waiting(ledger, keys, opened))]
    return tuple(entry.request for entry in found if entry is not None)


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
    requests: Requests, used: Used, plan: EvaluationPlan, scenarios: tuple[Scenario, ...], *, judges: bool, unfinished: bool
) -> Iterator[Planned]:
    """unfinished: whether it was begun, so that there is a verdict to come even if every question was asked once."""
    project, own = requests.project, requests.project.layout.phase_prompts
    known = _known(requests, used, plan, scenarios)
    talks, exchanges = len(plan.arms) * plan.runs, sum(scenario.exchanges for scenario in scenarios)
    times = {
        "converse-user": len(scenarios) + talks * (exchanges - len(scenarios)),  # the opening is the same for all
        "judge": talks * len(scenarios) if judges and project.value(Documents.rubric).judged else 0,
    }
    if unfinished and times["judge"]:
        known["judge"] = min(known["judge"], times["judge"] - 1)
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


def _known(requests: Requests, used: Used, plan: EvaluationPlan, scenarios: tuple[Scenario, ...]) -> Counter[str]:
    """Questions by role that earlier evaluations asked and that serve this one, at most.

    Of each no more than the two can have in common: its other answers are about other models' replies, or other scenarios.
    """
    known: Counter[str] = Counter()
    for run in evaluation_runs(requests.project.layout):
        shared = _shared(run.plan, plan, scenarios)
        for line in used.tokens:
            if line.phase == PHASE and line.run == run.name:
                served = min(line.answers - line.again, shared[line.role])
                shared[line.role] -= served
                known[line.role] += served
    return known


def _shared(before: EvaluationPlan, plan: EvaluationPlan, scenarios: tuple[Scenario, ...]) -> Counter[str]:
    """Questions by role that both evaluations ask."""
    same_user = before.texts["user"] == plan.texts["user"] and before.models["user"] == plan.models["user"]
    if not same_user or before.texts.get("base") != plan.texts["base"] or before.single != plan.single:
        return Counter()
    arms = [arm for arm in plan.arms if arm in before.arms and _spoken(before, arm) == _spoken(plan, arm)]
    common = [scenario for scenario in scenarios if scenario.id in before.scenarios]
    exchanges, runs = sum(scenario.exchanges for scenario in common), min(before.runs, plan.runs)
    shared = Counter(user=len(common) + len(arms) * runs * (exchanges - len(common)))
    for arm in arms:
        shared[PLAYED_BY[arm]] += runs * exchanges
    if (before.rubric, before.evaluation_prompt, before.models["judge"]) == (
        plan.rubric,
        plan.evaluation_prompt,
        plan.models["judge"],
    ):
        shared["judge"] = len(arms) * runs * len(common)
    return shared


def _spoken(plan: EvaluationPlan, arm: Arm) -> tuple[object, ...]:
    """What the replies of an arm come from."""
    return plan.models.get(PLAYED_BY[arm]), plan.texts.get(arm)


def _rounds(
    requests: Requests, plan: EvaluationPlan, scenarios: tuple[Scenario, ...], provider: str, *, judges: bool
) -> dict[str, int]:
    """Rounds of batch files: for each exchange the users' and the models', one of verdicts; none where nothing comes by batch."""
    config = requests.project.config

    def by_batch(role: RoleName) -> bool:
        return config.by_batch(role, provider)

    models = {config.role(PLAYED_BY[arm]).model_name for arm in plan.arms if by_batch(PLAYED_BY[arm])}
    longest = max((scenario.exchanges for scenario in scenarios), default=0)
    found = longest * (by_batch("user") + len(models)) + (judges and by_batch("judge"))
    return {PHASE: found} if found else {}
