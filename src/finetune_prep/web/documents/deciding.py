"""Accepting a document and waiving a gate: the functions of `accept`, with its refusals, for whoever opened the page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from finetune_prep.documents.kinds import KINDS
from finetune_prep.errors import ActNeeded, FinetunePrepError, UsageError
from finetune_prep.method.gates import GATES
from finetune_prep.project.decisions import Decision
from finetune_prep.project.lock import locked
from finetune_prep.web.desk import Desk
from finetune_prep.web.documents.pages import kind_of, listed, read
from finetune_prep.web.forms import Form, field, read_form
from finetune_prep.web.pages import desk_of
from finetune_prep.workflow import accepting

BECAUSE, BOUND = "because:", "bound:"  # before the id of a gate


async def accept(request: Request) -> Response:
    """Accept the text that was shown, with the waivers that were written."""
    form = await read_form(request)
    return await run_in_threadpool(_accept, request, form)


def _accept(request: Request, form: Form) -> Response:
    desk, kind = desk_of(request), kind_of(request)
    if kind not in accepting.ORDER:
        raise HTTPException(404)
    given = {gate.id: reason for gate in GATES if (reason := field(form, f"{BECAUSE}{gate.id}").strip())}
    try:
        with deciding(desk, f"{KINDS[kind].path} is not accepted"):
            waived = [_waiver(desk, gate, kind, reason, field(form, f"{BOUND}{gate}")) for gate, reason in given.items()]
            proposal = accepting.propose(desk.project, kind, waived)
            shown = msgspec.structs.replace(proposal, hash=field(form, "of"))
            accepting.accept(desk.project, shown, by=desk.labeller.name, interactive=True)
    except FinetunePrepError as problem:
        return read(request, kind, problem, given)
    return RedirectResponse(f"/documents/{kind}", status_code=303)


async def waive(request: Request) -> Response:
    """Waive one gate, with a reason, apart from any acceptance."""
    form = await read_form(request)
    return await run_in_threadpool(_waive, request, form)


def _waive(request: Request, form: Form) -> Response:
    desk, gate = desk_of(request), request.path_params["gate"]
    if gate not in {known.id for known in GATES}:
        raise HTTPException(404)
    kind, reason = accepting.document_of(gate), field(form, f"{BECAUSE}{gate}").strip()
    try:
        with deciding(desk, f"{gate} is not waived"):
            if kind and desk.project.acceptance(kind) is None:
                raise ActNeeded(
                    f"{gate} is waived with the acceptance of {KINDS[kind].path}", next=f"finetune-prep accept {kind}"
                )
            desk.project.decide(_waiver(desk, gate, kind, reason, field(form, f"{BOUND}{gate}")))
    except FinetunePrepError as problem:
        return read(request, kind, problem, {gate: reason}) if kind else listed(request, problem, {gate: reason})
    return RedirectResponse(f"/documents/{kind}" if kind else "/documents", status_code=303)


def _waiver(desk: Desk, gate: str, kind: str | None, reason: str, bound: str) -> Decision:
    """Raises as `accepting.override`, UsageError without a reason, ActNeeded if the gate finds other things than were shown."""
    if not reason:
        raise UsageError(f"{gate} is not waived: a reason is missing", next="write a reason; it is kept, and printed in the card")
    decision = accepting.override(desk.project, gate, kind, by=desk.labeller.name, because=reason)
    if decision.text != bound:
        raise ActNeeded(f"what {gate} finds changed while you were reading", next="read it again, and decide then")
    return decision


@contextmanager
def deciding(desk: Desk, refused: str) -> Iterator[None]:
    """Nothing else of the project is written meanwhile. refused: what is said where no person sits before the page.

    Raises ActNeeded for a model, ProjectLocked while a command works on the project.
    """
    if desk.labeller.kind != "person":
        raise ActNeeded(
            f"{refused}: nobody is at a terminal to read it", next="finetune-prep serve --by NAME, by who has read it"
        )
    with desk.saving, locked(desk.project.layout.lock, "serve"):
        yield
