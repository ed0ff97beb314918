"""The documents in a list, and one of them: its text with findings in the margin, what changed, what readers said."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from types import MappingProxyType

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from finetune_prep.documents.kinds import KINDS
from finetune_prep.errors import DocumentError, FinetunePrepError
from finetune_prep.method.phases import PHASES
from finetune_prep.web.documents.text import Note, blocks
from finetune_prep.web.pages import desk_of
from finetune_prep.web.rendering import page
from finetune_prep.workflow.accepting import ORDER
from finetune_prep.workflow.reading.document import ReadDocument, line_of, of_the_workflow, read_document
from finetune_prep.workflow.status.standing import document_view, phase_view

NOTHING: Mapping[str, str] = MappingProxyType({})


def documents(request: Request) -> Response:
    """Every document with its state, and the gates that belong to none."""
    return listed(request)


def listed(request: Request, problem: FinetunePrepError | None = None, reasons: Mapping[str, str] = NOTHING) -> Response:
    """The list. problem: why a decision was not taken; reasons: what was written for it."""
    project = desk_of(request).project
    stale = project.stale()
    try:
        gates = of_the_workflow(project)
    except DocumentError as error:
        gates, problem = (), problem or error
    return page(
        request,
        "documents.html",
        status=409 if problem else 200,
        brief=document_view(project, "brief"),
        phases=[phase_view(project, phase, stale) for phase in PHASES],
        gates=gates,
        problem=problem,
        reasons=reasons,
    )


def document(request: Request) -> Response:
    """One document."""
    return read(request, kind_of(request))


def read(request: Request, kind: str, problem: FinetunePrepError | None = None, reasons: Mapping[str, str] = NOTHING) -> Response:
    """A document's page. problem: why a decision was not taken; reasons: what was written for it, by gate."""
    found = read_document(desk_of(request).project, kind)
    notes = _notes(found)
    whole = {gate.gate: [one for one in gate.findings if not line_of(found, one)] for gate in found.open}
    return page(
        request,
        "document.html",
        status=409 if problem else 200,
        document=found,
        title=kind.replace("-", " ").capitalize(),
        blocks=blocks(found.text, notes),
        places={gate.gate: sorted({line_of(found, one) for one in gate.findings} - {0}) for gate in found.open},
        whole=whole,
        decidable=kind in ORDER,
        problem=problem,
        reasons=reasons,
    )


def kind_of(request: Request) -> str:
    """The document that an address names. Raises HTTPException if there is no such kind."""
    kind: str = request.path_params["kind"]
    if kind not in KINDS:
        raise HTTPException(404)
    return kind


def _notes(document: ReadDocument) -> dict[int, list[Note]]:
    """What stands in the margin, by line; what concerns the whole document stands with its gate instead."""
    stands = {gate.gate: gate.stands for gate in document.open}
    found: dict[int, list[Note]] = defaultdict(list)
    for finding, gate in document.findings():
        weight = "waived" if gate and gate not in stands else "stands" if stands.get(gate, True) else "advice"
        if line := line_of(document, finding):
            found[line].append(Note(finding, gate, weight))
    return found
