"""Which conversations are due to be read by a person: those of the run that the success criteria and the export wait for."""

from __future__ import annotations

import msgspec

from finetune_prep.errors import DocumentError
from finetune_prep.phases.pilot.plan import KIND
from finetune_prep.project.project import Project
from finetune_prep.project.runs import Run, runs
from finetune_prep.workflow.checking import outcomes
from finetune_prep.workflow.reviewing.counting import Due, reviewed, to_be_read
from finetune_prep.workflow.status.standing import latest_scaled

UNREAD = {
    "workflow.spot-check": ("fails", "unchecked"),
    "workflow.missed-failures": ("unchecked",),  # it fails over what was noted, which no more reading puts right
}
"""Gates that wait for a pilot to be read, and the answers that say so."""


def due(project: Project) -> Due | None:
    """The run that a gate wants to be read, the pilot first; where none does, the one that would be exported. None without a run.

    Raises as `outcomes`, except where a document cannot be read.
    """
    pilots, scaled = runs(project.layout, KIND), latest_scaled(project)
    if pilots and _waits(project, pilots[-1]):
        return _due(project, pilots[-1], waited_for=True)
    if scaled is not None and (account := scaled.account()) is not None and account.states.get("accepted"):
        found = _due(project, scaled, waited_for=False)
        open_gate = _answers(project).get("workflow.scale-checked") == "fails"
        return msgspec.structs.replace(found, waited_for=open_gate and found.read < found.wanted)
    return _due(project, pilots[-1], waited_for=False) if pilots else None


def _waits(project: Project, pilot: Run) -> bool:
    """Whether a gate wants this pilot to be read."""
    account = pilot.account()
    if account is None or not (account.judged or account.unjudged):
        return False  # there is nothing in it to read
    answers = _answers(project)
    if any(answers.get(gate) in said for gate, said in UNREAD.items()):
        return True
    unsettled = account.unjudged > reviewed(project, pilot).settled
    return unsettled and any(sample.steered for sample in pilot.each_sample())


def _answers(project: Project) -> dict[str, str]:
    """The answer of each gate; of none while a document cannot be read."""
    try:
        return {outcome.gate: outcome.answer for outcome in outcomes(project)}
    except DocumentError:
        return {}


def _due(project: Project, run: Run, *, waited_for: bool) -> Due:
    wanted = to_be_read(run)
    command = "finetune-prep review" if run.plan.kind == KIND else f"finetune-prep review --run {run.name} -n {wanted}"
    return Due(run=run.name, read=reviewed(project, run).read, wanted=wanted, waited_for=waited_for, command=command)
