"""What a pilot is made from: its scenarios, the roles and prompts that it asks, and the plan by which it is known."""

from __future__ import annotations

from functools import lru_cache

from msgspec import UNSET

from finetune_prep.core.identity import digest
from finetune_prep.core.request import RoleName
from finetune_prep.core.sample import Way
from finetune_prep.core.scenarios.drawing import plan
from finetune_prep.core.scenarios.scenario import Scenario
from finetune_prep.core.scenarios.space import ScenarioSpace
from finetune_prep.documents.kinds import KINDS, Documents
from finetune_prep.documents.readings.readings import other_hash
from finetune_prep.errors import ActNeeded, DocumentError
from finetune_prep.models.roles import model_of
from finetune_prep.phases.drafting import prompt_files
from finetune_prep.phases.pilot.second_judge import ROLE as SECOND
from finetune_prep.project.acceptance import require
from finetune_prep.project.project import Project
from finetune_prep.project.runs import RunPlan
from finetune_prep.project.stamps import Items

KIND = "pilot"
PLAYED: tuple[RoleName, ...] = ("user", "assistant", "judge")
ROLES: dict[Way, tuple[RoleName, ...]] = {"turns": PLAYED, "one-call": ("assistant", "judge")}
MADE_FROM = ("scenario-space", "evaluation-rubric", "evaluation-prompt", "generation-prompt", "user-prompt", "system-prompt")
PROMPTS: dict[Way, tuple[str, ...]] = {
    "turns": ("converse-card", "converse-user", "judge"),
    "one-call": ("converse-card", "converse-whole", "judge"),
}


@lru_cache(maxsize=2)  # what a run will cost is counted over the scenarios that it then makes
def drawn(space: ScenarioSpace, n: int, seed: int | str) -> tuple[Scenario, ...]:
    """The scenarios of a run, drawn once. Raises ValueError as `plan`."""
    return plan(space, n, seed)


def planned(space: ScenarioSpace, n: int, seed: int | str) -> tuple[Scenario, ...]:
    """The scenarios of a run. Raises DocumentError if the space, whose gates were overridden then, gives none."""
    try:
        return drawn(space, n, seed)
    except ValueError as error:
        path = KINDS["scenario-space"].path
        raise DocumentError(f"nothing can be planned: {error}", where=path, next="finetune-prep check scenario-space") from error


def prepared(project: Project, what: str) -> None:
    """Raise ActNeeded unless every document is there, accepted as it stands, and holds the present text of its inputs."""
    rubric_first = ("domain-frameworks", "scenario-space", "evaluation-rubric")
    require(project, what, (), rubric_first)
    drifted = [part for part in project.stale() if part.compiled]
    if drifted:
        raise ActNeeded(
            f"{what} must wait: {drifted[0]} it was put in",
            next=f"finetune-prep {KINDS[drifted[0].name].made_by} (needs no model)",
        )
    require(project, what, (), tuple(kind for kind in KINDS if kind not in ("brief", *rubric_first)))


def current_plan(project: Project, n: int) -> RunPlan:
    """What identifies a pilot of n conversations with the project as it is now."""
    way, second = project.config.pilot.way, project.config.pilot.second_judge
    roles = (*ROLES[way], *((SECOND,) if second else ()))
    return RunPlan(
        kind=KIND,
        n=n,
        seed=project.config.seed,
        models={name: model_of(project.config, name) for name in roles},
        made_from={kind: _items(project, kind) for kind in MADE_FROM},
        language=project.value(Documents.brief).language,
        prompts={name: digest(prompt_files.source(name, project.layout.phase_prompts)) for name in PROMPTS[way]},
        grave=grave_if_readable(project) or (),
        way=way,
        repeat=project.config.pilot.repeat or UNSET,
        second=second or UNSET,
    )


def grave_if_readable(project: Project) -> tuple[str, ...] | None:
    """`grave` in order; None while a document cannot be read, when `prepared` lets no run begin and old ones are still shown."""
    rubric, knowledge = project.document(Documents.rubric), project.document(Documents.knowledge)
    if rubric is None or rubric.value is None or rubric.findings:
        return None
    if knowledge is None or knowledge.value is None or knowledge.findings:
        return None
    return tuple(sorted(rubric.value.grave(knowledge.value)))


def grave(project: Project) -> frozenset[str]:
    """Ids of the questions of which a NO keeps a conversation that passed out of the training rows."""
    return project.value(Documents.rubric).grave(project.value(Documents.knowledge))


def _items(project: Project, kind: str) -> Items:
    """The items of a document, and of a prompt also what stands outside of them: it is sent like the rest."""
    document = project.document(KINDS[kind])
    if document is None or kind not in ("evaluation-prompt", "generation-prompt"):
        return project.items(kind)
    return project.items(kind) | {"other text": other_hash(kind, document.text)}
