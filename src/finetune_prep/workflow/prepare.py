"""Phases 1 to 5 in order. The order is structural: a phase does not begin before its inputs exist and are accepted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from finetune_prep.conversations.language import language_of
from finetune_prep.documents.kinds import KINDS, Documents
from finetune_prep.errors import ActNeeded, Unanswered, Unusable, Waiting
from finetune_prep.method.phases import PHASES, Phase
from finetune_prep.phases.prompts.evaluation_prompt import evaluation_prompt
from finetune_prep.phases.prompts.generation_prompt import generation_prompt
from finetune_prep.phases.research.research import research
from finetune_prep.phases.rubric.anchors import anchors
from finetune_prep.phases.rubric.rubric import rubric
from finetune_prep.phases.session import Session
from finetune_prep.project.acceptance import require
from finetune_prep.project.project import Project
from finetune_prep.workflow.retrying.stopped import Stopped, write_stopped
from finetune_prep.workflow.status.to_read import to_read
from finetune_prep.workflow.texts.first_brief import states_language


class Maker(Protocol):
    def __call__(self, session: Session, *, overwrite: bool = False) -> Awaitable[None]: ...


MAKERS: dict[str, Maker] = {
    "research": research,
    "anchors": anchors,
    "rubric": rubric,
    "evaluation-prompt": evaluation_prompt,
    "generation-prompt": generation_prompt,
}


async def prepare(session: Session, begun: Callable[[Phase], None]) -> None:
    """All phases, each of which does only what is not there yet. begun: called as each phase starts.

    Raises ActNeeded where a person must accept first.
    """
    for phase in PHASES:
        _ready(session.project, phase)
        begun(phase)
        await _made(session, phase)


async def one_phase(session: Session, name: str, *, overwrite: bool = False) -> None:
    """A single phase. overwrite: write its documents anew; the texts they replace are kept in the history."""
    phase = next(phase for phase in PHASES if phase.name == name)
    _ready(session.project, phase)
    await _made(session, phase, overwrite=overwrite)


async def _made(session: Session, phase: Phase, *, overwrite: bool = False) -> None:
    """Make a phase's documents; which answers it ended with, if they cannot be used, is kept for `retry`."""
    path = session.project.layout.stopped
    try:
        await MAKERS[phase.name](session, overwrite=overwrite)
    except Unusable as error:
        stopped = Stopped(phase=phase.name, keys=error.keys, came=error.came, why=error.what, rejected=error.rejected)
        write_stopped(path, stopped)
        raise
    except (Unanswered, Waiting):  # what it stopped at before was opened and asked again: the next run tells what it comes to
        path.unlink(missing_ok=True)
        raise
    path.unlink(missing_ok=True)


def _ready(project: Project, phase: Phase) -> None:
    """Raise ActNeeded unless a phase may begin, with what a person has to read now and where to look first."""
    if phase is PHASES[0]:
        require_language(project)
    try:
        require(project, phase.name, phase.inputs, phase.accepted)
    except ActNeeded as error:
        raise ActNeeded(error.what, where=error.where, details=tuple(to_read(project, phase.accepted)), next=error.next) from None


def require_language(project: Project) -> None:
    """Raise ActNeeded if nobody said a language, the brief is plainly not in English, and nothing has been written yet."""
    text = project.sound(Documents.brief).text
    if states_language(text) or project.layout.document(PHASES[0].outputs[0]).is_file():
        return
    guess = language_of(text)
    if guess.sure and guess.tag != "en":
        raise ActNeeded(
            f"the brief names no language but is written in {guess.tag}, and everything would be made in English",
            where=KINDS["brief"].path,
            next=f"write at the top of brief.md, in lines of their own: --- and language: {guess.tag} and ---",
        )
