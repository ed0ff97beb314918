"""When `retry` is the next step that makes sense: once, for what nobody has opened yet. After that a person has to look."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial
from typing import NamedTuple

from finetune_prep.ledger.protocols import Ledger
from finetune_prep.models.askings import SHOWN
from finetune_prep.project.config import FILE
from finetune_prep.project.project import Project
from finetune_prep.project.runs import Run
from finetune_prep.workflow.looking import looked
from finetune_prep.workflow.retrying.settled import Kind, ended, judged, kind_of, waiting
from finetune_prep.workflow.retrying.stopped import read_stopped

CHECK = "finetune-prep check --judge"
CUT = "truncated"  # what a fault begins with that comes again as long as the limit is the same


def after_run(project: Project, run: Run) -> str:
    """The next step for the rows of a run that ended with unusable answers, "" if there is none for them."""
    ends = [
        (kind, sample.unusable)
        for sample in run.each_sample()
        if (kind := ended(sample)) and kind != "failed" and not sample.fault.startswith(CUT)
    ]
    return _step(project, ends, run.plan.command)


def after_phase(project: Project, phase: str) -> str:
    """The next step where a phase ended with unusable answers, "" if it did not; what is open is asked by the phase itself."""
    stopped = read_stopped(project.layout.stopped)
    if stopped is None or stopped.phase != phase or not stopped.keys:
        return ""
    kind: Kind = "failed" if stopped.rejected else "unusable"
    step = _step(project, [(kind, key) for key in stopped.keys], "finetune-prep prepare")
    return step or f"finetune-prep show {(stopped.came or stopped.keys[0])[:SHOWN]}"


class JudgeStep(NamedTuple):
    """What closes judged gates to which there is no answer."""

    command: str
    """One that does something and does not fail."""
    words: str
    """The same, and what comes after it, within a sentence that goes on with commands."""
    exhausted: bool = False
    """Whether the answers were asked for once more already, and a person has to look."""


def after_check(project: Project, gates: Collection[str], check: str = CHECK) -> JudgeStep | None:
    """The next step for these judged gates, None where they have nothing to ask or all is answered.

    check: the command that asks the judge about them.
    """
    found = judged(project, gates)
    if found.unasked:
        return JudgeStep(check, f"ask the judge: {check}")
    ends = [(kind_of(error), key) for error in found.unusable.values() for key in error.keys]
    if not ends:
        return None
    if again := _step(project, ends, check):
        return JudgeStep(again, f"have the judge's unusable answers asked for once more: {again}, and {check}")
    look = f"finetune-prep show {next(error.came or key for error in found.unusable.values() for key in error.keys)[:SHOWN]}"
    return JudgeStep(look, f"name another judge in {FILE} and ask it: {check} (what came: {look})", exhausted=True)


def _step(project: Project, ends: Sequence[tuple[Kind, str]], again: str) -> str:
    opened = dict(project.opened())
    kinds = sorted({kind for kind, key in ends if key not in opened})
    if kinds:
        return f"finetune-prep retry {kinds[0]}" if len(kinds) == 1 else "finetune-prep retry"
    keys = [str(key) for _, key in ends]
    still_open = looked(project, partial(_waiting, keys, opened), set[str]()) if keys else set()
    return again if still_open else ""


async def _waiting(keys: list[str], opened: dict[str, int], ledger: Ledger) -> set[str]:
    return await waiting(ledger, keys, opened)
