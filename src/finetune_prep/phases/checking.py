"""The gates over a project as it is now: dossier, facts, overrides, and the ten success criteria."""

from __future__ import annotations

from finetune_prep import gates
from finetune_prep.core.finding import Outcome
from finetune_prep.gates import Criterion, Facts
from finetune_prep.method import DOCUMENTS, GATES
from finetune_prep.phases.overview import run_view
from finetune_prep.project.project import Project
from finetune_prep.project.runs import runs

LEVELS = {gate.id: gate.level for gate in GATES}


def outcomes(project: Project) -> list[Outcome]:
    """Every gate's outcome, with the overrides that people decided on."""
    dossier = project.dossier()
    overrides = {(decision.gate, decision.text) for decision in project.overrides()}
    return gates.override(gates.check(dossier, facts(project)), dossier, overrides)


def concerning(project: Project, kind: str) -> list[Outcome]:
    """Outcomes of the gates that decide about this document (it stands last among those they look at)."""
    wanted = {gate.id for gate in GATES if gate.documents and gate.documents[-1] == kind}
    return [outcome for outcome in outcomes(project) if outcome.gate in wanted]


def facts(project: Project) -> Facts:
    """What happened in the project, as far as gates look at it."""
    present = frozenset(kind for kind in DOCUMENTS if project.layout.document(kind).is_file())
    accepted = frozenset(kind for kind in present if project.acceptance(kind) is not None)
    pilots = runs(project.layout, "pilot")
    if not pilots:
        return Facts(present=present, accepted=accepted)
    latest = pilots[-1]
    return Facts(
        present=present,
        accepted=accepted,
        pilot=latest.account(),
        pilot_path=project.layout.relative(latest.folder),
        changed=tuple(change.document for change in run_view(project, latest).changes),
    )


def criteria(project: Project) -> tuple[Criterion, ...]:
    """The ten success criteria with their evidence."""
    return gates.success_criteria(outcomes(project))
