"""Phases 1 to 5 in order. The order is structural: a phase does not begin before its inputs exist and are accepted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from finetune_prep.errors import ActNeeded
from finetune_prep.method import DOCUMENTS, PHASES, Phase
from finetune_prep.phases.anchors import anchors
from finetune_prep.phases.evaluation_prompt import evaluation_prompt
from finetune_prep.phases.generation_prompt import generation_prompt
from finetune_prep.phases.research import research
from finetune_prep.phases.rubric import rubric
from finetune_prep.phases.workshop import Workshop
from finetune_prep.project.project import Project, missing_document


class Maker(Protocol):
    def __call__(self, shop: Workshop, *, overwrite: bool = False) -> Awaitable[None]: ...


MAKERS: dict[str, Maker] = {
    "research": research,
    "anchors": anchors,
    "rubric": rubric,
    "evaluation-prompt": evaluation_prompt,
    "generation-prompt": generation_prompt,
}


async def prepare(shop: Workshop, begun: Callable[[Phase], None]) -> None:
    """All phases, each of which does only what is not there yet. begun: called as each phase starts.

    Raises ActNeeded where a person must accept first.
    """
    for phase in PHASES:
        require(shop.project, phase.name, phase.inputs, phase.accepted)
        begun(phase)
        await MAKERS[phase.name](shop)


async def one_phase(shop: Workshop, name: str, *, overwrite: bool = False) -> None:
    """A single phase. overwrite: write its documents anew; the texts they replace are kept in the history."""
    phase = next(phase for phase in PHASES if phase.name == name)
    require(shop.project, phase.name, phase.inputs, phase.accepted)
    await MAKERS[name](shop, overwrite=overwrite)


def require(project: Project, what: str, inputs: tuple[str, ...], accepted: tuple[str, ...]) -> None:
    """Raise ActNeeded unless the inputs exist and the present texts of `accepted` were accepted. Publishes what was."""
    for kind in (*inputs, *accepted):
        if not project.layout.document(kind).is_file():
            raise missing_document(kind, what)
    for kind in accepted:
        project.sound(kind)
        if project.acceptance(kind) is None:
            raise ActNeeded(f"{what} must wait: {why_not_accepted(project, kind)}", next=f"finetune-prep accept {kind}")
        project.publish(kind)


def why_not_accepted(project: Project, kind: str) -> str:
    """In words why a document that exists does not count as accepted."""
    path = DOCUMENTS[kind].path
    if not any(decision.decision == "accept" and decision.document == kind for decision in project.decisions()):
        return f"{path} has not been accepted by a person yet"
    change = project.change_since_accepted(kind)
    return f"{change} since it was accepted" if change else f"{path} has changed since it was accepted"
