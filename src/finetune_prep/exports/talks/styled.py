"""Pages in the style of reports: each needs nothing else, and every value in it is text and never markup."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import jinja2

STYLE = Path(__file__).parents[1] / "report.css"
PAGED = Path(__file__).with_name("pages.css")  # what pages that link to each other have beside it
SCALED = STYLE.with_name("overview") / "scaled.css"  # what the reports of scaled runs have beside it


def page(template: Path, **values: Any) -> str:
    """A page in the style of reports: one file that needs nothing else, in which every value is text and never markup."""
    return _compiled(template).render(style=_text(STYLE), paged=_text(PAGED), scaled=_text(SCALED), **values) + "\n"


def part(template: Path, **values: Any) -> str:
    """A part of such a page. It is markup, in which every value is text."""
    return _compiled(template).render(**values)


@lru_cache(maxsize=8)
def _compiled(template: Path) -> jinja2.Template:
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    compiled = environment.from_string(template.read_text("utf-8"))
    compiled.globals = {**compiled.globals}  # through the chain of them each filling would go twice, step by step
    return compiled


@lru_cache(maxsize=3)
def _text(path: Path) -> str:
    return path.read_text("utf-8")
