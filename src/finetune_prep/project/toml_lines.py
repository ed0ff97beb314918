"""Where a key stands in a TOML file: the parser of the standard library gives values without lines."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence

_KEY = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*')"""
_DOTTED = rf"{_KEY}(?:\s*\.\s*{_KEY})*"
_HEADER = re.compile(rf"\s*\[\[?\s*({_DOTTED})\s*\]")
_ASSIGNMENT = re.compile(rf"\s*({_DOTTED})\s*=")


def line_of(text: str, path: Sequence[str]) -> int:
    """1-based line of a key by its path of tables; of the nearest table around it if the key has no line of its own, else 1."""
    table: list[str] = []
    best, depth = 1, 0
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            table = here = _parts(header[1])
        elif assignment := _ASSIGNMENT.match(line):
            here = table + _parts(assignment[1])
        else:
            continue
        if here == list(path):
            return number
        if len(here) > depth and here == list(path[: len(here)]):
            best, depth = number, len(here)
    return best


def _parts(dotted: str) -> list[str]:
    return [tomllib.loads(f"key = {part}")["key"] if part[0] in "\"'" else part for part in re.findall(_KEY, dotted)]
