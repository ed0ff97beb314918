"""An evaluation: held-out scenarios, talks of every arm with the same users, verdicts, and a table of what they say."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from finetune_prep.core.evaluating.talk import OPEN, Arm, ArmTalk
from finetune_prep.core.identity import digest
from finetune_prep.core.request import RoleName
from finetune_prep.core.scenarios.scenario import Scenario
from finetune_prep.documents.kinds import Documents
from finetune_prep.errors import ActNeeded, NotAgreed, UsageError
from finetune_prep.method import limits
from finetune_prep.phases.drafting import prompt_files
from finetune_prep.phases.evaluating import arms, reach
from finetune_prep.phases.evaluating.arms import Place, Stage
from finetune_prep.phases.evaluating.held_out import Trained, held_out, trained
from finetune_prep.phases.evaluating.needed import compared, prepared, with_prompts
from finetune_prep.phases.pilot.converse import Voices
from finetune_prep.phases.pilot.in_order import longest_first, windowed
from finetune_prep.phases.requests import Requests
from finetune_prep.phases.session import Session
from finetune_prep.project.config import RoleSettings
from finetune_prep.project.evaluating.runs import (
    EvaluationPlan,
    EvaluationRun,
    begin,
    evaluation_run_of,
    evaluation_runs,
    forget,
    write_talks,
)
from finetune_prep.project.project import Project
from finetune_prep.statistics.evaluation.table import Table, identical, table

KIND = "evaluation"
PROMPTS = ("converse-card", "converse-user", "judge")
BEFORE = ("evaluate-user", "evaluate-assistant")  # in the place of `SIDES`, while nobody has written these
ALIKE = 0.5  # share of identical replies beyond which it is one model that is asked twice


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for."""

    groups: int = limits.HELD_OUT
    runs: int = limits.EVALUATION_RUNS
    margin: float
    prompted: bool = False
    single: bool = False
    context: int = 0
    """Tokens of the base model's context; 0 = as its server says."""
    judged: bool = True
    """Whether a judge is asked; without one it ends with the replies, and goes on from there another day."""


class Evaluated(msgspec.Struct, frozen=True, kw_only=True):
    """What an evaluation came to, or how far it is."""

    run: EvaluationRun
    table: Table | None
    """None while answers are outstanding, and where no judge was to be asked."""
    talks: tuple[ArmTalk, ...] = ()
    scenarios: tuple[Scenario, ...] = ()
    waiting: int = 0
    why_waiting: str = ""


def named(project: Project, base: str, tuned: str, *, max_tokens: int = 0) -> Project:
    """The project with the models to be evaluated: those given, as provider/model, or those of its settings.

    Where nobody has set how long a reply may be, it is limited: a model that was not tuned may go on for ever. Both are
    sampled as the settings of either say. Raises UsageError, as `reach`, for models that are one or are sampled differently, and
    ConfigError where no base is named.
    """
    found: dict[RoleName, RoleSettings] = {}
    known = project.config.roles
    roles: tuple[tuple[RoleName, str], ...] = (("base", base), ("tuned", tuned))
    for role, model in roles:
        if not model and role not in known:
            continue
        usual = next((known[name] for name in (role, "base", "tuned") if name in known), RoleSettings(model=model))
        most = max_tokens or usual.max_tokens or limits.REPLY_TOKENS
        found[role] = msgspec.structs.replace(usual, model=model or usual.model, max_tokens=most)
    evaluating = project.evaluating(found)
    for role, settings in found.items():
        if not settings.provider or not settings.model_name:
            raise UsageError(
                f"“{settings.model}” is not provider/model",
                where=f"--{role}",
                next=f"finetune-prep evaluate --{role} ollama/llama3",
            )
        evaluating.config.provider(settings.provider)
    evaluating.config.role("base")
    reach.check_parameters(evaluating.config)
    reach.check_addresses(evaluating.config)
    return evaluating


def voices(requests: Requests) -> dict[Arm, Voices]:
    """What both sides are given, by arm: the same user for all."""
    project, brief = requests.project, requests.brief
    own = project.layout.phase_prompts
    if with_prompts(project):
        user, system = requests.text("user-prompt"), requests.text("system-prompt")
    else:
        user = prompt_files.message("evaluate-user", own, brief=brief.text)
        system = prompt_files.message("evaluate-assistant", own, brief=brief.text, language=brief.language)
    found: dict[Arm, Voices] = {arm: Voices(assistant=system, user=user, language=brief.language) for arm in ("base", "tuned")}
    if project.layout.document("generation-prompt").is_file():
        found["prompted"] = Voices(assistant=requests.text("generation-prompt"), user=user, language=brief.language)
    return found


def scenarios_of(project: Project, wanted: Wanted, known: Trained | None = None) -> tuple[Scenario, ...]:
    """The held-out scenarios. known: what rows were made from, if that is at hand already."""
    taken = (known or trained(project.layout)).scenarios
    return held_out(project.value(Documents.space), wanted.groups, project.config.seed, taken, single=wanted.single)


def plan_of(requests: Requests, wanted: Wanted, scenarios: Sequence[Scenario], left_out: str = "") -> EvaluationPlan:
    """What identifies an evaluation of the project's models as it is now."""
    project, said = requests.project, voices(requests)
    asked: tuple[Arm, ...] = ("base", "tuned") if compared(project) else ("base",)
    played: tuple[Arm, ...] = (*asked, "prompted") if wanted.prompted and not left_out else asked
    own = project.layout.phase_prompts
    roles: tuple[RoleName, ...] = (*_evaluated(project), "user", "judge")
    prompts = (*PROMPTS, *(() if with_prompts(project) else BEFORE))
    return EvaluationPlan(
        arms=played,
        groups=wanted.groups,
        runs=wanted.runs,
        margin=wanted.margin if len(played) > 1 else 0.0,
        single=wanted.single,
        seed=project.config.seed,
        scenarios=tuple(scenario.id for scenario in scenarios),
        language=requests.brief.language,
        models={role: _model(project.config.role(role)) for role in roles},
        rubric=project.value(Documents.rubric).version,
        evaluation_prompt=digest(requests.text("evaluation-prompt")),
        texts={"user": digest(said["base"].user), **{arm: digest(said[arm].assistant) for arm in played}},
        prompts={name: digest(prompt_files.source(name, own)) for name in prompts},
        left_out=left_out,
    )


def _model(role: RoleSettings) -> dict[str, Any]:
    given = {key: value for key, value in msgspec.to_builtins(role.parameters).items() if value is not None}
    return {"model": role.model_name, "provider": role.model, **given}


async def evaluate(session: Session, wanted: Wanted, *, asks_servers: bool = True, window: int | None = None) -> Evaluated:
    """Have every arm talk, have the talks judged, write what came of it.

    asks_servers: whether addresses are asked what they serve; nobody needs to where answers come from files. Raises ActNeeded as
    `prepared`, and where replies of both models are the same or other models answered; UsageError as `reach`. Answers that are
    outstanding leave the evaluation unfinished.
    """
    project = session.project
    prepared(project, prompted=wanted.prompted)
    known = trained(project.layout)
    scenarios = scenarios_of(project, wanted, known)
    lists = await _lists(session, asks=asks_servers)
    left_out = _left_out(session, wanted, scenarios, lists)
    run = evaluation_run_of(project.layout, plan_of(session, wanted, scenarios, left_out))
    stage = Stage(
        session=session,
        run=run.name,
        rubric=project.value(Documents.rubric),
        evaluation_prompt=session.text("evaluation-prompt"),
        voices=voices(session),
        known=(session.brief.text, *project.value(Documents.knowledge).stated),
        openings=known.openings,
    )
    fresh = not run.folder.exists()
    begin(run)
    try:
        return await _carried_out(stage, run, scenarios, window or session.window, judges=wanted.judged)
    except NotAgreed:
        if fresh:
            forget(run)
        raise


def _evaluated(project: Project) -> tuple[RoleName, ...]:
    return ("base", "tuned") if compared(project) else ("base",)


async def _lists(session: Session, *, asks: bool) -> reach.Asked:
    config = session.project.config
    lists = await reach.ask_lists(config, _evaluated(session.project)) if asks else reach.Asked(endpoints={})
    reach.check_names(config, lists)
    reach.check_addresses(config, lists)
    return lists


def _left_out(session: Session, wanted: Wanted, scenarios: tuple[Scenario, ...], lists: reach.Asked) -> str:
    """Why the arm with the long prompt is left out, "" where it was not asked for or fits."""
    if not wanted.prompted:
        return ""
    config = session.project.config
    most = config.role("base").max_tokens or limits.REPLY_TOKENS
    context = wanted.context or reach.context_of(config, lists)
    if not context:  # the server may be off by now: an evaluation that was begun goes on as it was
        for run in reversed(evaluation_runs(session.project.layout)):
            if run.plan == plan_of(session, wanted, scenarios, run.plan.left_out):
                return run.plan.left_out
    return reach.too_long(voices(session)["prompted"].assistant, scenarios, most, context)


async def _carried_out(
    stage: Stage, run: EvaluationRun, scenarios: tuple[Scenario, ...], window: int, *, judges: bool
) -> Evaluated:
    places = [
        Place(arm, scenario, number) for scenario in scenarios for number in range(1, run.plan.runs + 1) for arm in run.plan.arms
    ]
    in_places = longest_first(places, lambda place: arms.speak(stage, place), window, lambda place: place.scenario.exchanges)
    spoken = [talk async for talk in in_places]
    if waiting := [talk for talk in spoken if talk.state == "waiting"]:
        return Evaluated(run=run, table=None, waiting=len(waiting), why_waiting=waiting[0].fault)
    check_replies(run.plan, spoken)
    if not judges:
        return Evaluated(run=run, table=None, talks=tuple(spoken), scenarios=scenarios)

    async def judged(pair: tuple[Place, ArmTalk]) -> ArmTalk:
        return await arms.judge(stage, *pair)

    talks = [talk async for talk in windowed(zip(places, spoken, strict=True), judged, window)]
    if waiting := [talk for talk in talks if talk.state in OPEN]:
        return Evaluated(run=run, table=None, waiting=len(waiting), why_waiting=waiting[0].fault)
    found = table(stage.rubric, talks, run.plan.margin)
    write_talks(run, scenarios, talks, found)
    return Evaluated(run=run, table=found, talks=tuple(talks), scenarios=scenarios)


def check_replies(plan: EvaluationPlan, talks: Iterable[ArmTalk]) -> None:
    """Raise ActNeeded where the replies cannot be those of two models: before a judge is paid for them."""
    talks = [*talks]
    names: dict[Arm, str] = {arm: plan.models["base" if arm == "prompted" else arm]["model"] for arm in plan.arms}
    served = {arm: tuple(dict.fromkeys(talk.served for talk in talks if talk.arm == arm and talk.served)) for arm in plan.arms}
    reach.check_served(served, names)
    if "tuned" not in plan.arms:
        return
    same = identical(talks, "base", "tuned")
    if same.n and same.k > ALIKE * same.n:
        raise ActNeeded(
            f"{same.k} of {same.n} replies of base and tuned are the same to the letter: either one model is asked twice, or "
            "tuning changed next to nothing; nothing was judged",
            where=plan.command,
            next="see that the tuned weights are loaded (an adapter merged, or switched on), and serve them under another name: "
            "these replies are kept under this one",
        )
