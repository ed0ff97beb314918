"""A ledger that holds nothing although answers were given here: what it looks like, before anything is bought a second time."""

from __future__ import annotations

from finetune_prep.documents.kinds import KINDS
from finetune_prep.ledger.protocols import Ledger
from finetune_prep.project.layout import RECORDING
from finetune_prep.project.project import Project
from finetune_prep.project.runs import runs
from finetune_prep.workflow.looking import looked


def emptied(project: Project, provider: str = "") -> str:
    """What is told of such a ledger, "" where there is nothing to tell. provider: asked instead of those of the settings.

    Where answers come from a recording, they are there without a ledger.
    """
    names = {provider} if provider else {project.config.role(role).provider for role in project.config.played}
    if any(project.config.provider(name).kind == "recording" for name in names):
        return ""
    evidence = _evidence(project)
    if not evidence or looked(project, _count, 0):
        return ""
    return (
        f"The ledger holds no answers, although {evidence}: it seems to have been lost, by a failed "
        "restore, a sync tool or a copy without it"
    )


def way_back(project: Project) -> str:
    """What to do about it."""
    copy = f"put back a copy of {project.layout.relative(project.layout.ledger)}"
    recording = project.folder / RECORDING
    return f"{copy}, or finetune-prep ledger import {RECORDING}" if recording.is_file() else copy


def _evidence(project: Project) -> str:
    """What shows that models have answered here, in words, "" if nothing does."""
    for run in reversed(runs(project.layout)):
        if spoken := sum(sample.conversation is not None for sample in run.each_sample()):
            return f"{project.layout.relative(run.folder)} holds {spoken} conversation{'' if spoken == 1 else 's'}"
    written = [
        kind for kind in KINDS if (stamp := project.stamp(kind)) and any(not part.compiled for part in stamp.parts.values())
    ]
    return f"models have written {KINDS[written[0]].path}" if written else ""


async def _count(ledger: Ledger) -> int:
    return await ledger.reports.count()
