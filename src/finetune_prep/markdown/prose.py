"""Free text as the value of a section: in the normaliser's one form, and guarded where it looks like structure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from finetune_prep.markdown.inline import guard_comments, unguard_comments, without_controls
from finetune_prep.markdown.lines import Line, LineKind, lines_of, scan
from finetune_prep.markdown.normal import normal_lines

Change = Callable[[LineKind, str], str]  # from the kind of a line ("heading" or "item") and its text to its new text
_MARK = re.compile(r"\s*(?:#{1,6}|[-*+•]|[0-9]{1,9}[.)])[ \t]+")


def tidy(text: str) -> str:
    """The text as a section can hold it: without control characters, normalised, without blank lines at either end."""
    return "\n".join(_tidy(lines_of(without_controls(text))))


def write_prose(text: str, guard: Change) -> str:
    """A value as the lines of a section. guard: is given each heading and list item."""
    return "\n".join(_changed(_tidy(lines_of(without_controls(text))), guard, guard_comments))


def read_prose(lines: Sequence[str], unguard: Change) -> str:
    """The value of a section's lines; comments have been taken out before. unguard: undoes what `guard` did."""
    return "\n".join(_changed(_tidy(lines), unguard, unguard_comments))


def _tidy(lines: Sequence[str]) -> list[str]:
    tidied = normal_lines(lines, comments=False)
    return tidied[1:] if tidied and not tidied[0].strip() else tidied


def _changed(lines: Sequence[str], change: Change, comments: Callable[[str], str]) -> list[str]:
    """The lines outside of code fences and blockquotes with `change` and `comments` applied."""
    return [
        raw if line.literal else comments(_change(raw, line, change))
        for raw, line in zip(lines, scan(lines, comments=False), strict=True)
    ]


def _change(raw: str, line: Line, change: Change) -> str:
    if line.kind not in ("heading", "item") or not line.text:
        return raw
    start = _text_start(raw)
    return raw[:start] + change(line.kind, raw[start:])


def _text_start(raw: str) -> int:
    """Where the text of a heading or list item begins. A heading that is underlined has no mark."""
    mark = _MARK.match(raw)
    return mark.end() if mark else len(raw) - len(raw.lstrip())
