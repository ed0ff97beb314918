"""Whether a person stands behind a document as it is: what a phase requires, and in words why it is not so."""

from __future__ import annotations

from finetune_prep.documents.kinds import KINDS
from finetune_prep.errors import ActNeeded
from finetune_prep.project.project import Project, missing_document


def require(project: Project, what: str, inputs: tuple[str, ...], accepted: tuple[str, ...]) -> None:
    """Raise ActNeeded unless the inputs exist and the present texts of `accepted` were accepted. Publishes what was."""
    for kind in (*inputs, *accepted):
        if not project.layout.document(kind).is_file():
            raise missing_document(kind, what)
    for kind in accepted:
        project.sound(KINDS[kind])
        if project.acceptance(kind) is None:
            raise ActNeeded(f"{what} must wait: {why_not_accepted(project, kind)}", next=f"finetune-prep accept {kind}")
        project.publish(kind)


def why_not_accepted(project: Project, kind: str) -> str:
    """In words why a document that exists does not count as accepted."""
    path = KINDS[kind].path
    if not any(decision.decision == "accept" and decision.document == kind for decision in project.decisions()):
        return f"{path} has not been accepted by a person yet"
    change = project.change_since_accepted(kind)
    return f"{change} since it was accepted" if change else f"{path} has changed since it was accepted"
