"""The gates over a project as it is now: documents, facts, what judges said, overrides, and the ten success criteria."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import msgspec

from finetune_prep import gates
from finetune_prep.core.finding import NOT_CHECKED, Finding, Outcome
from finetune_prep.documents.kinds import KINDS, Documents
from finetune_prep.errors import GateError
from finetune_prep.gates import Criterion, Facts
from finetune_prep.method.gates import GATES, NEVER_OVERRIDDEN
from finetune_prep.models.roles import Roles
from finetune_prep.phases import examining
from finetune_prep.phases.requests import Requests
from finetune_prep.project.decisions import Decision
from finetune_prep.project.project import Project
from finetune_prep.project.runs import SCALE, Run, runs
from finetune_prep.workflow.auditing.standing import audited
from finetune_prep.workflow.looking import looked
from finetune_prep.workflow.probing.standing import bite_of
from finetune_prep.workflow.remembered.answers import Checked
from finetune_prep.workflow.remembered.shelf import shelf
from finetune_prep.workflow.remembered.store import recalled
from finetune_prep.workflow.remembered.texts import said_before
from finetune_prep.workflow.retrying.offering import after_check
from finetune_prep.workflow.reviewing.counting import reviewed
from finetune_prep.workflow.status.sources_now import sources_now
from finetune_prep.workflow.status.standing import latest_scaled, run_view
from finetune_prep.workflow.texts.history import how_to_restore, lost

GATE = {gate.id: gate for gate in GATES}
QUOTES = "research.quotes-found"
LEVELS = {gate.id: gate.level for gate in GATES}


def check_all(project: Project, first: Sequence[str] = ()) -> Checked:
    """The form of all documents and every gate. first: kinds that are read before the others.

    Raises DocumentError for a file that is not text.
    """
    with shelf(project):
        form = {kind: tuple(of_form(project, [kind])) for kind in dict.fromkeys([*first, *KINDS])}
        return Checked(form=form, outcomes=tuple(outcomes(project)))


def outcomes(project: Project, unasked: Mapping[str, str] = MappingProxyType({})) -> list[Outcome]:
    """Every gate's outcome, with what the ledger holds of judges' answers and the overrides that people decided on.

    Nothing is asked: a judged gate whose present text no judge has seen is unchecked. unasked: by gate, why it could not be put
    to a judge just now.
    """
    found = recalled(project, "gates", list[Outcome], lambda: _overridden(project, project.documents()))
    return explained(found, unasked)


def explained(found: Sequence[Outcome], unasked: Mapping[str, str]) -> list[Outcome]:
    """The outcomes, with why gates could not be put to a judge. unasked: as of `outcomes`."""
    return [_explained(outcome, unasked.get(outcome.gate, "")) for outcome in found]


def _explained(outcome: Outcome, reason: str) -> Outcome:
    if not reason or outcome.answer != "unchecked":
        return outcome
    return msgspec.structs.replace(outcome, note=f"{NOT_CHECKED}{reason}")


def _overridden(project: Project, documents: Documents) -> list[Outcome]:
    overrides = {(decision.gate, decision.text) for decision in project.overrides()}
    return gates.override(_plain(project, documents), documents, overrides)


def _plain(project: Project, documents: Documents) -> list[Outcome]:
    """Outcomes before overrides."""
    requests = Requests(project, Roles(project.config))
    judged = looked(project, lambda ledger: examining.recorded(requests, documents, ledger.answers), {})
    with said_before(project) as memory:
        computed = gates.check(documents, facts(project), memory=memory)
    found = [judged.get(outcome.gate, outcome) for outcome in computed]
    return [_compared(outcome, project) if outcome.gate == QUOTES else outcome for outcome in found]


def _compared(outcome: Outcome, project: Project) -> Outcome:
    """Quotations are looked up in copies, and a copy proves nothing if it does not say what its file says."""
    now = sources_now(project)
    if not (now.differing or now.gone):
        return outcome
    return msgspec.structs.replace(outcome, answer="fails", findings=(*outcome.findings, *now.differing, *now.gone))


def in_the_way(found: Sequence[Outcome]) -> list[Outcome]:
    """Gates that must hold and do not: they fail, or nobody knows. Silence is no yes."""
    return [outcome for outcome in found if LEVELS[outcome.gate] == "must" and outcome.answer in ("fails", "unchecked")]


def require_checked(project: Project, what: str, kinds: Collection[str] = ()) -> None:
    """Raise GateError while a gate about a document fails or is unchecked, and nobody has decided that it may.

    kinds: only gates that look at no other documents than these; none = all gates.
    """
    wanted = {gate.id for gate in GATES if gate.documents and set(gate.documents) <= set(kinds or KINDS)}
    open_gates = in_the_way([outcome for outcome in outcomes(project) if outcome.gate in wanted])
    if not open_gates:
        return
    details = (*told(open_gates), *_or_decide(open_gates))
    raise GateError(f"{what} must wait: {counted(open_gates)}", details=details, next=_next(project, open_gates))


def before_a_pilot(project: Project) -> str:
    """The command to begin with while `require_checked` would refuse, "" if it would not."""
    open_gates = in_the_way([outcome for outcome in outcomes(project) if GATE[outcome.gate].documents])
    if not open_gates:
        return ""
    step = None if _failing(open_gates) else after_check(project, unanswered(open_gates))
    return step.command if step else f"finetune-prep check {GATE[_first(open_gates).gate].documents[-1]}"


def _next(project: Project, open_gates: Sequence[Outcome]) -> str:
    step = None if _failing(open_gates) else after_check(project, unanswered(open_gates))
    if step:
        return step.words if step.exhausted else step.command
    kind = GATE[_first(open_gates).gate].documents[-1]
    concerned = [outcome for outcome in open_gates if GATE[outcome.gate].documents[-1] == kind]
    return how_to_close(project, open_gates, kind, concerned)


def _or_decide(open_gates: Sequence[Outcome]) -> Iterator[str]:
    """How a person who knows better goes on without an answer."""
    if free := [outcome.gate for outcome in open_gates if outcome.gate not in NEVER_OVERRIDDEN]:
        kind = GATE[free[0]].documents[-1]
        yield f'  if you know better: finetune-prep accept {kind} --override {free[0]} --because "…", and so for each'


def _failing(open_gates: Sequence[Outcome]) -> list[Outcome]:
    return [outcome for outcome in open_gates if outcome.answer == "fails"]


def _first(open_gates: Sequence[Outcome]) -> Outcome:
    """The one to begin with: what fails can be fixed at once."""
    return [*_failing(open_gates), *open_gates][0]


def unanswered(found: Sequence[Outcome]) -> list[str]:
    """The judged gates among these to which a judge has given no answer that can be used."""
    return [outcome.gate for outcome in found if outcome.answer == "unchecked" and GATE[outcome.gate].kind == "judged"]


def counted(open_gates: Sequence[Outcome]) -> str:
    """How many gates stand in the way, in words: "1 gate fails and 3 are unchecked"."""
    fails = sum(outcome.answer == "fails" for outcome in open_gates)
    unchecked = len(open_gates) - fails
    words = [f"{fails} gate{' fails' if fails == 1 else 's fail'}"] if fails else []
    if unchecked:
        subject = "" if fails else f" gate{'' if unchecked == 1 else 's'}"
        words.append(f"{unchecked}{subject} {'is' if unchecked == 1 else 'are'} unchecked")
    return " and ".join(words)


def told(open_gates: Sequence[Outcome]) -> Iterator[str]:
    """Each finding on its line, then why gates are unchecked, each reason once."""
    reasons: dict[str, list[str]] = {}
    for outcome in open_gates:
        yield from (f"  {finding}  [{outcome.gate}]" for finding in outcome.findings)
        if not outcome.findings:
            reasons.setdefault(outcome.note, []).append(outcome.gate)
    for reason, ids in reasons.items():
        yield f"  unchecked: {reason.removeprefix(NOT_CHECKED)}  [{', '.join(ids)}]"


def how_to_close(
    project: Project, open_gates: Sequence[Outcome], kind: str, concerned: Sequence[Outcome], given: Collection[str] = ()
) -> str:
    """What to do about the gates of a document, as commands: fix it, ask a judge, or decide.

    open_gates: all that stand in the way. concerned: those about `kind`. given: gates that are overridden with it already; a
    command that leaves them out would be refused again.
    """
    steps = ["fix what fails"] if any(outcome.answer == "fails" for outcome in concerned) else []
    if step := after_check(project, unanswered(concerned), f"finetune-prep check {kind} --judge"):
        steps.append(step.words)
    words = ", ".join(steps) or f"see finetune-prep check {kind}"
    words += f", then: finetune-prep accept {kind}" if len(concerned) == len(open_gates) else ", and go on with the next document"
    if all(outcome.gate not in NEVER_OVERRIDDEN for outcome in concerned):
        options = " ".join(f"--override {gate}" for gate in (*given, *(outcome.gate for outcome in concerned)))
        words += f'; or, if you know better: finetune-prep accept {kind} {options} --because "…"'
    return words


def of_form(project: Project, kinds: Sequence[str] = ()) -> list[Finding]:
    """What is wrong with documents before any gate looks at them, of all kinds or these: their form, or that they are gone."""
    found: list[Finding] = []
    for kind in kinds or KINDS:
        if document := project.document(KINDS[kind]):
            found += document.findings
        elif kept := lost(project, kind):
            what = f"the file is gone, and was accepted by {kept.accepted}"
            found.append(Finding(path=KINDS[kind].path, line=0, what=what, fix=how_to_restore(kept, kind)))
    return found


def concerning(project: Project, kind: str) -> list[Outcome]:
    """Outcomes of the gates that decide about this document (it stands last among those they look at)."""
    wanted = {gate.id for gate in GATES if gate.documents and gate.documents[-1] == kind}
    return [outcome for outcome in outcomes(project) if outcome.gate in wanted]


def overrides_in_force(project: Project) -> tuple[Decision, ...]:
    """The decisions that hold an outcome up at this moment; those whose subject has changed since, or holds by now, do not."""
    documents = project.documents()
    bound = {
        (outcome.gate, bound)
        for outcome in outcomes(project)
        if outcome.answer == "overridden"
        for bound in gates.bindings(outcome, documents)
    }
    latest = {(decision.gate, decision.text): decision for decision in project.overrides()}
    return tuple(decision for key, decision in latest.items() if key in bound)


def facts(project: Project) -> Facts:
    """What happened in the project, as far as gates look at it."""
    present = frozenset(kind for kind in KINDS if project.layout.document(kind).is_file())
    decisions = {kind: decision for kind in KINDS if kind in present and (decision := project.acceptance(kind))}
    accepted = {kind: f"{found.by}{'' if found.interactive else ' (not interactive)'}" for kind, found in decisions.items()}
    pilots, scaled = runs(project.layout, "pilot"), latest_scaled(project)
    bite = bite_of(project)
    if not pilots:
        return Facts(present=present, accepted=accepted, bite=bite, **_of_scaled(project, scaled))
    latest = pilots[-1]
    labels, view = reviewed(project, latest), run_view(project, latest)
    return Facts(
        present=present,
        accepted=accepted,
        pilot=latest.account(),
        pilot_path=project.layout.relative(latest.folder),
        way=project.config.pilot.way,
        changed=tuple(change.document for change in view.changes),
        pilot_stale=view.stale,
        reviewed=labels.read,
        settled=labels.settled,
        missed=labels.missed,
        bite=bite,
        **_of_scaled(project, scaled),
    )


def _of_scaled(project: Project, run: Run | None) -> dict[str, Any]:
    """What gates look at of a scaled run; nothing of one that has not got as far as writing anything."""
    account = run.account() if run else None
    if run is None or account is None:
        made = [before for before in runs(project.layout, SCALE) if before.account() is not None]
        return {"scaled_stale": project.layout.relative(made[-1].folder)} if made and run is None else {}
    found = audited(project, run)
    return {
        "scaled": account,
        "scaled_path": project.layout.relative(run.folder),
        "scaled_reviewed": reviewed(project, run).read,
        "audited": None if found is None else tuple(flag.what for flag in found.red),
    }


def criteria(project: Project) -> tuple[Criterion, ...]:
    """The ten success criteria with their evidence."""
    return gates.success_criteria(outcomes(project))
