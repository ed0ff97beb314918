"""Requests as pages that a person can read and answer: one Markdown file each, with the answer below its last line. Pure."""

from __future__ import annotations

import json
import re
from typing import NamedTuple

from finetune_prep.core.request import Request

BELOW = "<!-- answer below this line: {key} -->"
_MARK = re.compile(r"^<!-- answer below this line: ([0-9a-f]{8,64}) -->[ \t]*$", re.MULTILINE)
_FENCED = re.compile(r"\A(`{3,}|~{3,})[\w-]*\n(.*?)\n?\1\Z", re.DOTALL)


class Page(NamedTuple):
    """A request's page, and its answer."""

    key: str
    answer: str
    """What somebody wrote under the request; "" = nobody has answered yet."""


def page(request: Request) -> str:
    """What is asked, and in which form the answer is wanted. No text can hold its own key, so the last line is the last."""
    parts = [f"# {request.place}", f"Asked of: {request.model}, as {request.role}."]
    parts += [f"## {message.role}\n\n{message.content}" for message in request.messages]
    if request.schema is not None:
        form = json.dumps(request.schema.schema, ensure_ascii=False, indent=2)
        parts.append(
            f"## Form of the answer\n\nOne JSON object that follows this schema, and nothing else:\n\n```json\n{form}\n```"
        )
    else:
        parts.append("## Form of the answer\n\nThe next message, just as it is said; nothing else.")
    return "\n\n".join([*parts, BELOW.format(key=request.key)]) + "\n"


def read(text: str) -> Page | None:
    """The answer on a page, without white space or a fence around all of it; None if the text is no page."""
    marks = list(_MARK.finditer(text))
    if not marks:
        return None
    answer = text[marks[-1].end() :].strip()
    fenced = _FENCED.match(answer)
    return Page(marks[-1][1], fenced[2].strip() if fenced else answer)
