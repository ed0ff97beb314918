"""The runs: what became of each, how far the one has come that is being made, and the reports that lie with them."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from finetune_prep.errors import ActNeeded
from finetune_prep.project.layout import read_plain
from finetune_prep.project.runs import runs
from finetune_prep.web.desk import FILES, Desk
from finetune_prep.web.pages import desk_of
from finetune_prep.web.rendering import page
from finetune_prep.workflow.evaluating.standing import evaluation_views
from finetune_prep.workflow.reading.under_way import under_way
from finetune_prep.workflow.status.standing import run_view

EVERY = 4  # seconds between two looks at a run that is being made
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""Pages that lie with a run carry their style, and may run nothing."""


def running(request: Request) -> Response:
    """All runs, the latest first; the page looks again by itself while one is being made."""
    desk = desk_of(request)
    project = desk.project
    now = under_way(project)
    still = "still" in request.query_params
    views = [run_view(project, run) for run in reversed(runs(project.layout))]
    return page(
        request,
        "runs.html",
        runs=views,
        evaluations=[*reversed(evaluation_views(project))],
        files=desk.files(),
        now=now,
        refresh=EVERY if now is not None and not still else 0,
        still=still,
    )


def report(request: Request) -> Response:
    """The report of a run."""
    return _filed(request, FILES["report"])


def audit(request: Request) -> Response:
    """What an audit of its rows found."""
    return _filed(request, FILES["audit"])


def _filed(request: Request, name: str) -> Response:
    """Raises ActNeeded while this labeller has conversations of the run to label blind: the page says what the judge said."""
    desk = desk_of(request)
    run = next((run for run in desk.every_run() if run.name == request.path_params["run"]), None)
    if run is None or not (run.folder / name).is_file():
        raise HTTPException(404)
    if waiting := _to_label(desk, run.name):
        raise ActNeeded(
            f"You have {waiting} conversation{'' if waiting == 1 else 's'} of {run.name} to label first",
            details=(f"runs/{run.name}/{name} names the judge's verdicts, which nobody is to see before labelling.",),
            next=f"finetune-prep review --run {run.name}",
        )
    return HTMLResponse(read_plain(run.folder / name), headers={"content-security-policy": POLICY})


def _to_label(desk: Desk, name: str) -> int:
    hidden = desk.hidden()
    return len(hidden) if hidden and desk.sitting().run.name == name else 0
