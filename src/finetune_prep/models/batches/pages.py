"""Requests as pages that a person can read and answer: one Markdown file each, with the answer below its last line. Pure."""

from __future__ import annotations

import json
import re
from itertools import zip_longest
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
    line: int
    """Of the page, on which the answer begins."""
    above: str
    """What stands above the answer's place: the request, and whatever was written into it."""


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
    below = text[marks[-1].end() :]
    answer = below.strip()
    line = text.count("\n", 0, marks[-1].end() + len(below) - len(below.lstrip())) + 1
    above = text[: marks[-1].start()]
    if fenced := _FENCED.match(answer):
        inner = fenced[2].strip()
        return Page(marks[-1][1], inner, line + answer.count("\n", 0, answer.find(inner, fenced.start(2))), above)
    return Page(marks[-1][1], answer, line, above)


def changed_at(above: str, request: Request) -> int:
    """The first line at which what stands above the answer's place is not the request any more; 0 = it is."""
    there = above.replace("\r\n", "\n").splitlines()
    asked = page(request).rpartition(BELOW.format(key=request.key))[0].splitlines()
    pairs = enumerate(zip_longest(there, asked, fillvalue=""), start=1)
    return next((number for number, (one, other) in pairs if one.rstrip() != other.rstrip()), 0)
