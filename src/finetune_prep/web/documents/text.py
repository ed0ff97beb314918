"""A document's text in blocks: each begins at a line that something is said about, which stands in the margin beside it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from finetune_prep.core.finding import Finding

_HEADING = re.compile(r"#{1,6}(?= )")


class Line(NamedTuple):
    number: int
    """1-based."""
    text: str
    level: int
    """Of a heading; 0 for any other line."""
    look: str
    """"h1" for a heading of the first level, "blank", "matter" for what stands before the text, "" for what people read."""


class Note(NamedTuple):
    """What is said about a line."""

    finding: Finding
    gate: str
    """"" for what cannot be read."""
    weight: str
    """"stands" in the way, "advice", or "waived"."""


class Block(NamedTuple):
    lines: list[Line]
    notes: Sequence[Note]


def blocks(text: str, notes: Mapping[int, Sequence[Note]]) -> list[Block]:
    """notes: by the line they belong to. Those of lines that are not there are left out."""
    lines = text.removesuffix("\n").split("\n")
    matter = lines.index("---", 1) + 1 if lines[0] == "---" and "---" in lines[1:] else 0
    found: list[Block] = []
    for number, line in enumerate(lines, start=1):
        if number in notes or not found:
            found.append(Block([], notes.get(number, ())))
        heading = _HEADING.match(line)
        level = len(heading[0]) if heading else 0
        look = "matter" if number <= matter else f"h{level}" if level else "" if line.strip() else "blank"
        found[-1].lines.append(Line(number, line, level, look))
    return found
