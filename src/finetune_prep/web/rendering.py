"""From a template and values to a page. Every value is escaped; no value is ever taken for a template."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from finetune_prep.documents.kinds import Documents
from finetune_prep.errors import ActNeeded, DocumentError
from finetune_prep.project.project import Project
from finetune_prep.web.text import commands, pieces

HERE = Path(__file__).parent


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["pieces"] = pieces
    environment.filters["commands"] = commands
    return environment


def rendered(template: str, **values: Any) -> bytes:
    """A template with these values. Halves of characters, which no page can hold, are shown as what they are by `pieces`."""
    return _environment().get_template(template).render(**values).encode("utf-8", "replace")


def language(project: Project) -> str:
    """BCP 47 tag of the conversations, for whoever has them read aloud; "" while no readable brief says it."""
    try:
        return project.value(Documents.brief).language
    except (ActNeeded, DocumentError):
        return ""


def page(request: Request, template: str, *, status: int = 200, **values: Any) -> Response:
    """A page of a template for whoever opened it."""
    desk = request.app.state.desk
    return HTMLResponse(
        rendered(
            template,
            project=desk.project.config.name,
            labeller=desk.labeller,
            language=language(desk.project),
            **values,
        ),
        status_code=status,
    )
