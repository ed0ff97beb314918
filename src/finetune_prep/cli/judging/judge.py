"""Asking the judge what only a judge can answer about the documents, for `check`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from finetune_prep.cli import screen
from finetune_prep.cli.job import work
from finetune_prep.core.finding import Outcome
from finetune_prep.phases import examining
from finetune_prep.phases.session import Session
from finetune_prep.project.config import FILE
from finetune_prep.project.project import Project
from finetune_prep.workflow import checking
from finetune_prep.workflow.estimate import Estimate, estimate_of
from finetune_prep.workflow.planned_calls import used
from finetune_prep.workflow.retrying.offering import JudgeStep, after_check
from finetune_prep.workflow.retrying.settled import judged


class Judge:
    """A judge that has been asked by a command. Raises Waiting if answers come by batch file, and as `work`.

    gates: the judged gates that are put to it. command: what asks it so.
    """

    def __init__(self, folder: str, gates: Sequence[str], command: str, provider: str | None, *, yes: bool, quiet: bool) -> None:
        self._command = command

        async def job(session: Session) -> dict[str, str]:
            return await examining.ask(session, gates)

        async def expect(session: Session) -> Estimate:
            requests = await examining.unasked(session, gates)
            return estimate_of(session.project, await used(session.door.ledger), requests, provider or "")

        run = command.removeprefix("finetune-prep ")
        self.reasons: dict[str, str] = work(folder, run, provider, job, quiet=quiet, yes=yes, expect=expect)
        """By gate, why it could not be put to the judge."""

    def explained(self, outcomes: Sequence[Outcome]) -> list[Outcome]:
        """The outcomes, with why gates could not be put to the judge."""
        return checking.explained(outcomes, self.reasons)

    def unusable(self, project: Project, gates: Sequence[str]) -> dict[str, str]:
        """By question, why its answer cannot be used."""
        return {about: error.what for about, error in judged(project, gates).unusable.items()}

    def next(self, project: Project, gates: Sequence[str]) -> JudgeStep | None:
        """What closes these gates, to which there are answers that cannot be used."""
        return after_check(project, gates, self._command)

    def tell(self, step: JudgeStep | None, count: int, tell: Callable[[str], None]) -> None:
        """Say how many answers cannot be used, and what to do about it. step: as of `next`."""
        said = f"{screen.counted(count, 'answer')} from the judge could not be used"
        other = f"name another judge in {FILE}, under [roles.judge]"
        if step and step.exhausted:
            again = "although they were asked for again"
            tell(f"{said}, {again}. You can {other}, or try the same one again: finetune-prep retry.")
        else:
            tell(f"{said}. You can have them asked for once more with finetune-prep retry unusable, or {other}.")
        if step:
            tell(f"next: {screen.from_here(step.command)}")
