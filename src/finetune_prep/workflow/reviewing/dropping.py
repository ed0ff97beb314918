"""Keeping one conversation out of the rows: a person's decision, with a reason."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from finetune_prep.core.sample import Sample
from finetune_prep.errors import UsageError
from finetune_prep.project.decisions import Decision
from finetune_prep.project.project import Project
from finetune_prep.project.runs import SCALE, Run
from finetune_prep.workflow.lookup import sample_of

LONGEST = 500  # characters of a reason


class Dropped(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation that goes into no further export."""

    conversation: str
    scenario: str
    run: str
    state: str
    """What the run made of it."""
    because: str
    before: bool
    """Whether it had been dropped already: the new reason stands."""
    next: str


def drop(project: Project, id: str, *, by: str, because: str) -> Dropped:
    """Record that the conversation of this id, or of this scenario, is dropped; the beginning of an id will do.

    Raises UsageError if no conversation has it, several do, or there is no reason.
    """
    reason = " ".join(because.split())
    if not reason or len(reason) > LONGEST:
        what = "a reason is missing" if not reason else f"this reason has {len(reason):,} characters"
        raise UsageError(what, next=f'finetune-prep drop {id} --because "…", in at most {LONGEST} characters')
    run, sample = sample_of(project, id)
    if sample.conversation is None:
        raise UsageError(f"{sample.scenario.id} has no conversation: it is {sample.state}", next=f"finetune-prep show {id}")
    conversation = sample.conversation.id
    before = conversation in project.dropped()
    at = datetime.now(UTC).isoformat(timespec="seconds")
    project.decide(Decision(decision="drop", by=by, at=at, text=conversation, because=reason))
    return Dropped(
        conversation=conversation,
        scenario=sample.scenario.id,
        run=run.name,
        state=sample.state,
        because=reason,
        before=before,
        next=_next(run, sample),
    )


def _next(run: Run, sample: Sample) -> str:
    """A scaled run makes another one in its place; otherwise the files of the last export still hold it."""
    return run.plan.command if run.plan.kind == SCALE and sample.state == "accepted" else "finetune-prep export --preview"
