"""The application: its routes, and what a page says when something cannot be done."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Route

from finetune_prep.errors import FinetunePrepError
from finetune_prep.web import labelling, pages, running, spending
from finetune_prep.web.desk import Desk
from finetune_prep.web.documents import confirming, deciding
from finetune_prep.web.documents import pages as documents
from finetune_prep.web.guard import Guard
from finetune_prep.web.improving import edits
from finetune_prep.web.rendering import HERE, page

ASSETS = {"style.css": "text/css", "keys.js": "text/javascript", "icon.svg": "image/svg+xml"}


def asset(request: Request) -> Response:
    """Our own style and script; no other file."""
    name = request.path_params["name"]
    if name not in ASSETS:
        raise HTTPException(404)
    return FileResponse(HERE / "static" / name, media_type=ASSETS[name])


ROUTES: tuple[BaseRoute, ...] = (
    Route("/", pages.start, methods=["GET"]),
    Route("/documents", documents.documents, methods=["GET"]),
    Route("/documents/{kind}", documents.document, methods=["GET"]),
    Route("/documents/{kind}/accept", deciding.accept, methods=["POST"]),
    Route("/confirm", confirming.confirming, methods=["GET"]),
    Route("/confirm/{item}", confirming.confirm, methods=["POST"]),
    Route("/gates/{gate}/waive", deciding.waive, methods=["POST"]),
    Route("/runs", running.running, methods=["GET"]),
    Route("/improve", edits.edits, methods=["GET"]),
    Route("/improve/{run}/{number:int}", edits.decide, methods=["POST"]),
    Route("/runs/{run}", pages.talks, methods=["GET"]),
    Route("/runs/{run}/report.html", running.report, methods=["GET"]),
    Route("/runs/{run}/audit.html", running.audit, methods=["GET"]),
    Route("/runs/{run}/{scenario}", pages.talk, methods=["GET"]),
    Route("/runs/{run}/{scenario}/requests", pages.requests, methods=["GET"]),
    Route("/spent", spending.spending, methods=["GET"]),
    Route("/review", labelling.onwards, methods=["GET"]),
    Route("/review/end", labelling.end, methods=["GET"]),
    Route("/review/{place:int}", labelling.conversation, methods=["GET"]),
    Route("/review/{place:int}/label", labelling.label, methods=["POST"]),
    Route("/review/{place:int}/second", labelling.second, methods=["POST"]),
    Route("/static/{name}", asset, methods=["GET"]),
)


def application(desk: Desk, port: int, first: str = "/") -> Guard:
    """All routes behind the guard. first: where its link leads."""
    app = Starlette(routes=ROUTES, exception_handlers={HTTPException: _refused, FinetunePrepError: _problem, OSError: _broken})
    app.state.desk = desk
    return Guard(app, port, first)


def _refused(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    what = {404: "There is no such page", 405: "This page does not accept that", 413: "That is too long"}.get(
        status, "That cannot be read"
    )
    return page(request, "problem.html", status=status, what=what, where="", details=(), next="")


def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, FinetunePrepError)  # noqa: S101 - registered for these
    return page(request, "problem.html", status=409, what=error.what, where=error.where, details=error.details, next=error.next)


def _broken(request: Request, error: Exception) -> Response:
    what = (error.strerror if isinstance(error, OSError) else "") or str(error)
    return page(request, "problem.html", status=507, what=what, where="", details=(), next="check the disk; nothing is lost")
