"""What an evaluation rests on, and what has to be accepted before it."""

from __future__ import annotations

from finetune_prep.documents.kinds import KINDS
from finetune_prep.errors import ActNeeded
from finetune_prep.project.acceptance import require
from finetune_prep.project.project import Project

FIRST = ("domain-frameworks", "scenario-space", "evaluation-rubric", "evaluation-prompt")
SIDES = ("user-prompt", "system-prompt")


def compared(project: Project) -> bool:
    """Whether there is a tuned model to compare the base with."""
    return "tuned" in project.config.roles


def prepared(project: Project, *, prompted: bool = False) -> None:
    """Raise ActNeeded unless what the judge is given is accepted as it stands; for more than the base alone, what rows carry."""
    what = "the evaluation"
    require(project, what, (), FIRST)
    drifted = [part for part in project.stale() if part.compiled and part.name == "evaluation-prompt"]
    if drifted:
        made_by = KINDS["evaluation-prompt"].made_by
        raise ActNeeded(f"{what} must wait: {drifted[0]} it was put in", next=f"finetune-prep {made_by} (needs no model)")
    if compared(project) or prompted:
        require(project, what, (), (*SIDES, *(("generation-prompt",) if prompted else ())))


def rests_on(project: Project, *, prompted: bool = False) -> tuple[str, ...]:
    """The documents that an evaluation rests on, whose gates have to hold; none of them = all there are."""
    return () if compared(project) or prompted else ("brief", *FIRST)


def with_prompts(project: Project) -> bool:
    """Whether user and assistant have the prompts of the project; before these are accepted, the brief stands in for them."""
    return all(project.layout.document(kind).is_file() and project.acceptance(kind) is not None for kind in SIDES)
