"""The runs: what became of each, and how far the one has come that is being made."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from finetune_prep.project.runs import runs
from finetune_prep.web.pages import desk_of
from finetune_prep.web.rendering import page
from finetune_prep.workflow.reading.under_way import under_way
from finetune_prep.workflow.status.standing import run_view

EVERY = 4  # seconds between two looks at a run that is being made


def running(request: Request) -> Response:
    """All runs, the latest first; the page looks again by itself while one is being made."""
    project = desk_of(request).project
    now = under_way(project)
    still = "still" in request.query_params
    views = [run_view(project, run) for run in reversed(runs(project.layout))]
    refresh = EVERY if now is not None and not still else 0
    return page(request, "runs.html", runs=views, now=now, refresh=refresh, still=still)
