"""Facts and severities to confirm one by one."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from finetune_prep.core.knowledge import SEVERITIES, Severity
from finetune_prep.documents.kinds import Documents
from finetune_prep.errors import FinetunePrepError
from finetune_prep.web.documents.deciding import deciding
from finetune_prep.web.forms import Form, field, read_form
from finetune_prep.web.pages import desk_of
from finetune_prep.web.rendering import page
from finetune_prep.workflow.reading.confirming import confirm as record
from finetune_prep.workflow.reading.confirming import to_confirm

SEVERITY: dict[str, Severity] = {severity: severity for severity in SEVERITIES}


def confirming(request: Request) -> Response:
    """All of them, those that wait for somebody first."""
    return _shown(request)


async def confirm(request: Request) -> Response:
    """Confirm one, and go to the next that waits."""
    form = await read_form(request)
    return await run_in_threadpool(_confirm, request, form)


def _confirm(request: Request, form: Form) -> Response:
    desk, id = desk_of(request), request.path_params["item"]
    try:
        with deciding(desk, f"{id} is not confirmed"):
            record(desk.project, id, field(form, "of"), by=desk.labeller.name, severity=SEVERITY.get(field(form, "severity")))
        rows = [row for rows in to_confirm(desk.project) for row in rows]
    except FinetunePrepError as problem:
        return _shown(request, problem)
    at = next((number for number, row in enumerate(rows) if row.item.id == id), 0)
    following = next((row.item.id for row in (*rows[at:], *rows) if row.waits), id)
    return RedirectResponse(f"/confirm#{following}", status_code=303)


def _shown(request: Request, problem: FinetunePrepError | None = None) -> Response:
    project = desk_of(request).project
    facts, failures = to_confirm(project)
    return page(
        request,
        "confirm.html",
        status=409 if problem else 200,
        facts=facts,
        failures=failures,
        waiting=sum(row.waits for row in (*facts, *failures)),
        titles={source.id: source.title for source in project.value(Documents.knowledge).sources},
        severities=SEVERITIES,
        problem=problem,
    )
