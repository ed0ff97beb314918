"""The next step that makes sense: a command that does something for this project as it is now, and does not fail."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from finetune_prep.core.finding import Outcome
from finetune_prep.core.request import Request
from finetune_prep.core.sample import Account
from finetune_prep.ledger.recording import read_recording
from finetune_prep.method import limits
from finetune_prep.method.gates import GATES
from finetune_prep.method.phases import PHASES
from finetune_prep.phases.pilot.plan import KIND, PLAYED
from finetune_prep.project.config import FILE
from finetune_prep.project.evaluating.runs import evaluation_runs
from finetune_prep.project.improving.runs import improve_runs
from finetune_prep.project.project import Project
from finetune_prep.project.runs import Run, runs
from finetune_prep.project.scaling.result import read_result
from finetune_prep.workflow.accepting import in_its_way
from finetune_prep.workflow.auditing.standing import audited
from finetune_prep.workflow.checking import (
    before_a_pilot,
    concerning,
    in_the_way,
    outcomes,
    overrides_in_force,
    unanswered,
)
from finetune_prep.workflow.evaluating.standing import why_stale
from finetune_prep.workflow.improving.edits import taken, views
from finetune_prep.workflow.probing.standing import bite_of
from finetune_prep.workflow.retrying.offering import after_check, after_phase, after_run
from finetune_prep.workflow.reviewing.counting import reviewed
from finetune_prep.workflow.reviewing.due import due
from finetune_prep.workflow.status.standing import latest_scaled, pass_rate, run_view
from finetune_prep.workflow.status.views import PhaseView, RunView
from finetune_prep.workflow.status.written import is_written
from finetune_prep.workflow.texts.history import how_to_restore, lost

GATE_PROBED = "workflow.gate-probed"
# what is scaled goes by all of the workflow but the gates that look at what has been scaled
OF_SCALED = {"workflow.scale-checked", "workflow.scale-audited", "workflow.scale-size"}
BEFORE_SCALING = frozenset(gate.id for gate in GATES if gate.phase == "workflow") - OF_SCALED
ENOUGH = 10  # judged conversations before their failures are diagnosed; fewer are read one by one
FIRST_LOOK = 20  # conversations: enough to see what is wrong with the prompts, for a fifth of a pilot's price


def next_step(
    project: Project, phases: Sequence[PhaseView], compiled: Sequence[str], views: Sequence[RunView], in_files: str
) -> str:
    """compiled: documents with a part that only has to be put in anew. in_files: what to import if requests wait in batch files,
    "" if none do."""
    if not project.layout.document("brief").is_file():
        return "finetune-prep template brief > brief.md, and fill it in"
    if in_files and all(view.account is not None for view in views) and (waiting := _begun_evaluation(project)):
        return _import_first(in_files, waiting)
    if taken(project):  # what it changed is accepted once its trial has shown that it helps
        return _import_first(in_files, "finetune-prep improve --test")
    before = _before_the_pilot(project, phases, compiled, in_files)
    if before:
        return before
    if first := before_a_pilot(project):
        return _import_first(in_files, first)
    fresh = [view for view in views if not view.stale and view.kind == KIND]
    if scaled := latest_scaled(project):
        return _import_first(in_files, after_scaling(project, scaled))
    if not fresh:
        return _import_first(in_files, _first_pilot(project))
    latest = fresh[-1]
    if latest.account is None or not latest.account.settled:
        return _import_first(in_files, f"finetune-prep pilot -n {latest.planned}")
    return after_pilot(project, next(run for run in runs(project.layout) if run.name == latest.name), latest.account)


def _before_the_pilot(project: Project, phases: Sequence[PhaseView], compiled: Sequence[str], in_files: str) -> str:
    """What the documents need, "" if they are all there and accepted."""
    documents = {document.kind: document for phase in phases for document in phase.documents}
    if broken := [kind for kind, document in documents.items() if document.state == "broken"]:
        return f"finetune-prep check {broken[0]}"
    for kind in documents:
        if kept := lost(project, kind):
            return how_to_restore(kept, kind)
    for phase, view in zip(PHASES, phases, strict=True):
        if waiting := [kind for kind in phase.accepted if documents[kind].state == "to accept"]:
            return _accepting(project, waiting[0])
        if any(name in phase.outputs for name in compiled):
            return f"finetune-prep {phase.name}"
        if not view.done:
            return _import_first(in_files, after_phase(project, phase.name) or "finetune-prep prepare")
    waiting = [kind for kind, document in documents.items() if document.state == "to accept"]
    return _accepting(project, waiting[0]) if waiting else ""


def _accepting(project: Project, kind: str) -> str:
    """What leads to a document that is accepted: `accept`, or what comes before it while `accept` would refuse."""
    open_gates = in_its_way(concerning(project, kind), kind)
    if not open_gates:
        return f"finetune-prep accept {kind}"
    failing = any(outcome.answer == "fails" for outcome in open_gates)
    ask = None if failing else after_check(project, unanswered(open_gates), f"finetune-prep check {kind} --judge")
    return ask.command if ask else f"finetune-prep check {kind}"


def after_pilot(project: Project, run: Run, account: Account) -> str:
    """What to do with a pilot in which nothing is outstanding."""
    if not _replayed(project) and (again := after_run(project, run)):
        return again
    said = reviewed(project, run)
    if account.unjudged > said.settled and all(sample.steered for sample in run.each_sample() if sample.state == "unjudged"):
        return "finetune-prep review"
    if account.unjudged > said.settled or not account.judged:
        return _show(run, "unjudged", "faulty", "failed", "duplicate")
    rate = pass_rate(account)
    if rate.value is None or rate.value <= limits.PASS_RATE:
        if account.judged >= ENOUGH and not _replayed(project) and not _decided(project, run):
            return "finetune-prep improve"
        return _show(run, "rejected", "flawed", "faulty", "duplicate", "failed")
    if not account.states.get("accepted", 0):
        return _show(run, "flawed")
    largest = max(found.plan.n for found in runs(project.layout, run.plan.kind) if not run_view(project, found).stale)
    if largest < limits.PILOT and not _replayed(project):
        return msgspec.structs.replace(run.plan, n=limits.PILOT).command
    if not is_written(project, run):
        return "finetune-prep export --preview"
    if said.read < limits.SPOT_CHECK:
        return "finetune-prep review"
    if not _replayed(project) and unprobed(project):
        return "finetune-prep probe"
    if not _replayed(project) and not before_scaling(project):
        return f"finetune-prep scale {limits.SCALE.fewest}"
    return "finetune-prep show" if _replayed(project) else _evaluation(project)


def _decided(project: Project, run: Run) -> bool:
    """Whether every edit that was proposed for a pilot has been taken, left or tried."""
    found = [one for one in improve_runs(project.layout) if one.plan.source == run.name and one.proposals_path.exists()]
    return bool(found) and not any(view.state == "proposed" for view in views(project, found[-1]))


def _begun_evaluation(project: Project) -> str:
    """The command of the latest evaluation if it waits for answers, "" if it does not."""
    latest = evaluation_runs(project.layout)[-1:]
    return "".join(run.plan.command for run in latest if not run.finished and not why_stale(project, run))


def _evaluation(project: Project) -> str:
    """Evaluating what was tuned on the rows: going on with what is begun, or the plan while nobody has named models."""
    fresh = [run for run in evaluation_runs(project.layout) if "tuned" in run.plan.arms and not why_stale(project, run)]
    if fresh:
        return "finetune-prep show" if fresh[-1].finished else fresh[-1].plan.command
    there = {"base", "tuned"} <= {*project.config.roles}
    return "finetune-prep evaluate" if there else "finetune-prep evaluate --plan"


def before_scaling(project: Project) -> list[Outcome]:
    """Gates of the workflow that stand in the way of scaling."""
    return in_the_way([outcome for outcome in outcomes(project) if outcome.gate in BEFORE_SCALING])


def after_scaling(project: Project, run: Run) -> str:
    """What to do with a scaled run: go on, look why it stopped, read some of it, export it."""
    result, account = read_result(run), run.account()
    if result is None or account is None or account.outstanding:
        return run.plan.command
    if result.end in ("paused", "waiting") or (result.end == "reached" and result.wanted < run.plan.wanted):
        return run.plan.command
    if result.end == "alike":
        return after_run(project, run) or _show(run, "failed", "faulty", "unjudged")
    if result.end == "drift":
        return _show(run, "rejected", "flawed", "faulty")
    if result.end == "exhausted":
        return msgspec.structs.replace(run.plan, most=2 * result.most).command
    if (reading := due(project)) and reading.waited_for:
        return reading.command
    if audited(project, run) is None:
        return "finetune-prep audit"
    return _evaluation(project) if is_written(project, run) else "finetune-prep export --preview"


def unprobed(project: Project) -> bool:
    """Whether the present rubric and judge have no finished probes, and nobody has waived them."""
    bite = bite_of(project)
    waived = any(decision.gate == GATE_PROBED for decision in overrides_in_force(project))
    return bite is not None and bool(bite.words) and not bite.run and not waived


def _first_pilot(project: Project) -> str:
    if not _replayed(project):
        return f"finetune-prep pilot -n {FIRST_LOOK}"
    recorded = _recorded_pilot(project)
    if recorded:
        return f"finetune-prep pilot -n {recorded}"
    return f"name a model for the roles in {FILE}, then finetune-prep pilot -n {FIRST_LOOK}: the recording holds no conversations"


def _replayed(project: Project) -> bool:
    """Whether conversations come from a recording, which holds what it holds."""
    settings = (project.config.role(role) for role in PLAYED)
    return any(project.config.provider(role.provider).kind == "recording" for role in settings)


def _recorded_pilot(project: Project) -> int:
    """How many conversations of a pilot the recordings hold to their verdict."""
    judge = project.config.role("judge")
    path = project.folder / project.config.provider(judge.provider).path
    if not path.is_file():
        return 0
    requests = (entry.request for entry in read_recording(path))
    return len({request.origin.scenario for request in requests if _of_a_pilot(request) and request.role == "judge"})


def _of_a_pilot(request: Request) -> bool:
    """Whether it was asked for in a pilot, and not to scale one."""
    return request.phase == KIND and (request.origin.run or KIND).startswith(KIND)


def _show(run: Run, *states: str) -> str:
    """Look at a conversation in the first of these states that occurs: what is shown says why."""
    first: dict[str, str] = {}
    for sample in run.each_sample():
        first.setdefault(sample.state, sample.scenario.id)
    found = next((first[state] for state in states if state in first), "")
    return f"finetune-prep show {found}".rstrip()


def _import_first(in_files: str, command: str) -> str:
    """What a Batch API has done is taken in by the command itself."""
    return f"finetune-prep batch import {in_files}, then {command}" if in_files else command
