"""When `retry` is the next step that makes sense: once, for what nobody has opened yet. After that a person has to look."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from finetune_prep.ledger.protocols import Ledger
from finetune_prep.project.project import Project
from finetune_prep.project.runs import Run
from finetune_prep.workflow.looking import looked
from finetune_prep.workflow.retrying.settled import Kind, ended, waiting
from finetune_prep.workflow.retrying.stopped import read_stopped

CUT = "truncated"  # what a fault begins with that comes again as long as the limit is the same


def after_run(project: Project, run: Run) -> str:
    """The next step for the rows of a run that ended with unusable answers, "" if there is none for them."""
    ends = [
        (kind, sample.unusable)
        for sample in run.samples()
        if (kind := ended(sample)) and kind != "failed" and not sample.fault.startswith(CUT)
    ]
    return _step(project, ends, f"finetune-prep {run.plan.kind} -n {run.plan.n}")


def after_phase(project: Project, phase: str) -> str:
    """The next step where a phase ended with unusable answers, "" if it did not; what is open is asked by the phase itself."""
    stopped = read_stopped(project.layout.stopped)
    if stopped is None or stopped.phase != phase or not stopped.keys:
        return ""
    kind: Kind = "failed" if stopped.rejected else "unusable"
    step = _step(project, [(kind, key) for key in stopped.keys], "finetune-prep prepare")
    return step or f"finetune-prep show {stopped.keys[0][:12]}"


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
