"""Where something stands in a TOML file: the parser of the standard library gives values without lines, and some errors, too."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence

_KEY = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*')"""
_DOTTED = rf"{_KEY}(?:\s*\.\s*{_KEY})*"
_HEADER = re.compile(rf"\s*\[\[?\s*({_DOTTED})\s*\]")
_ASSIGNMENT = re.compile(rf"\s*({_DOTTED})\s*=")
_QUOTED = re.compile(r""" "(?:[^"\\]|\\.)*" | '[^']*' | \#.* """, re.VERBOSE)
DEEP = 100  # brackets that are open at once; nobody's settings need them
DIGITS = re.compile(r"[0-9_]{1000,}")


def line_of(text: str, path: Sequence[str]) -> int:
    """1-based line of a key by its path of tables; of what stands below it (`a.b = 1` for `a`), or of the nearest table around it
    if the key has no line of its own, else 1."""
    table: list[str] = []
    best, depth = 1, 0
    below = 0
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            table = here = _parts(header[1])
        elif assignment := _ASSIGNMENT.match(line):
            here = table + _parts(assignment[1])
        else:
            continue
        if here == list(path):
            return number
        below = below or (number if here[: len(path)] == list(path) else 0)
        if len(here) > depth and here == list(path[: len(here)]):
            best, depth = number, len(here)
    return below or best


def _parts(dotted: str) -> list[str]:
    return [tomllib.loads(f"key = {part}")["key"] if part[0] in "\"'" else part for part in re.findall(_KEY, dotted)]


def nested_line(text: str) -> int:
    """1-based line on which more brackets are open than any value needs, 1 if there is none."""
    depth = 0
    for number, line in enumerate(text.splitlines(), start=1):
        for sign in _QUOTED.sub("", line):
            depth += (sign in "[{") - (sign in "]}")
            if depth > DEEP:
                return number
    return 1


def digits_line(text: str) -> int:
    """1-based line of the first number with thousands of digits, 1 if there is none."""
    found = DIGITS.search(text)
    return text.count("\n", 0, found.start()) + 1 if found else 1
