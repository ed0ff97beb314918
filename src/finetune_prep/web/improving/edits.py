"""Proposed edits, each below what fails and why this clause; whoever opened the page takes one, leaves it, or goes back.

A passage is what a judge quotes: of a talk that this reader is to label blind, it is shown once the label is saved.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from finetune_prep.core.improving.edit import Proposal
from finetune_prep.documents.kinds import KINDS
from finetune_prep.documents.readings.readings import text_hash
from finetune_prep.errors import ActNeeded, FinetunePrepError
from finetune_prep.project.improving.runs import ImproveRun
from finetune_prep.project.runs import runs
from finetune_prep.web.desk import Desk
from finetune_prep.web.forms import Form, field, read_form
from finetune_prep.web.pages import desk_of
from finetune_prep.web.rendering import page
from finetune_prep.workflow.improving import taking
from finetune_prep.workflow.improving.edits import EditView, latest, taken, views
from finetune_prep.workflow.improving.versions import versions
from finetune_prep.workflow.texts.changed_words import Change, changed_words

ACTS = ("take", "leave", "back")


def edits(request: Request) -> Response:
    """The latest list."""
    return _shown(request)


async def decide(request: Request) -> Response:
    """Take an edit, leave it, or put back what stood there before it."""
    form = await read_form(request)
    return await run_in_threadpool(_decide, request, form)


def _decide(request: Request, form: Form) -> Response:
    desk, number, act = desk_of(request), request.path_params["number"], field(form, "act")
    if act not in ACTS:
        raise HTTPException(422)
    try:
        _act(desk, f"{request.path_params['run']}/{number}", act, field(form, "of"))
    except FinetunePrepError as problem:
        return _shown(request, problem)
    return RedirectResponse(f"/improve#edit-{number}", status_code=303)


def _act(desk: Desk, edit: str, act: str, shown: str) -> None:
    """Raises ActNeeded where no person sits before the page, or the document is not the one that was shown, and as `take`."""
    if desk.labeller.kind != "person":
        raise ActNeeded(
            "a person has to decide whether an edit is taken, and nobody is at a terminal",
            next="finetune-prep serve --by NAME, by who has read it",
        )
    by = desk.labeller.name
    with desk.saving:
        if act == "leave":
            taking.leave(desk.project, edit, by=by, interactive=True)
        elif act == "back":
            asyncio.run(taking.back(desk.project, edit, by=by, interactive=True))
        else:
            asyncio.run(taking.take(desk.project, edit, by=by, interactive=True, shown=shown))


def _shown(request: Request, problem: FinetunePrepError | None = None) -> Response:
    desk = desk_of(request)
    run = latest(desk.project)
    found = views(desk.project, run) if run else ()
    waits = taken(desk.project)
    return page(
        request,
        "edits.html",
        status=409 if problem else 200,
        run=run,
        cards=[_card(desk, run, view, open=waits is None) for view in found] if run else [],
        waits=waits,
        versions=versions(desk.project),
        paths={kind: KINDS[kind].path for kind in KINDS},
        problem=problem,
    )


def _card(desk: Desk, run: ImproveRun, view: EditView, *, open: bool) -> dict[str, Any]:
    """A proposal as it is shown. open: whether an edit may be taken now."""
    changes, of = _changes(desk, run, view.proposal) if view.state == "proposed" else ((), "")
    hidden = _hidden(desk, run.plan.source)
    return {
        "view": view,
        "proposal": view.proposal,
        "diagnosis": view.proposal.diagnosis,
        "path": KINDS[view.proposal.diagnosis.clause.document].path,
        "passages": [one for one in view.proposal.diagnosis.passages if one.scenario not in hidden],
        "withheld": sum(one.scenario in hidden for one in view.proposal.diagnosis.passages),
        "changes": changes,
        "of": of,
        "may_take": open and bool(changes),
    }


def _changes(desk: Desk, run: ImproveRun, proposal: Proposal) -> tuple[Sequence[Change], str]:
    """What the edit changes, and the hash of the text that it leads to; nothing where it does not fit any more."""
    try:
        before, after = taking.text_with(desk.project, run, proposal)
    except ActNeeded:
        return (), ""
    return changed_words(before, after), text_hash(after)


def _hidden(desk: Desk, source: str) -> frozenset[str]:
    """Scenarios of the pilot whose talks this reader is still to label blind."""
    waiting = desk.hidden()
    pilot = next((found for found in runs(desk.project.layout) if found.name == source), None)
    samples = desk.samples(pilot) if pilot and waiting else ()
    return frozenset(one.scenario.id for one in samples if one.conversation and one.conversation.id in waiting)
