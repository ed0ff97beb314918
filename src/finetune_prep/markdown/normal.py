"""The one normaliser: what differs only in white space and in how its paragraphs are wrapped is the same text.

Hashing and sending both go through here, so that an editor that re-wraps lines changes neither a key nor a stamp.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from finetune_prep.markdown.lines import front_matter_length, lines_of, scan_to_end

_UNSPACED = r"[\u2e80-\u312f\u31a0-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uff60]"  # Han, Kana and their punctuation
_UNSPACED_END = re.compile(rf"{_UNSPACED}\Z")
_UNSPACED_START = re.compile(_UNSPACED)


def normal(text: str) -> str:
    """The text in its one form: LF line ends, no byte order mark, no white space at line ends, each paragraph and list item
    on one line, single blank lines, one newline at the end ("" stays "").

    Nothing inside code fences and blockquotes is touched (except line ends), and front matter keeps its lines. A fence that
    is never closed is closed at the end. Idempotent.
    """
    lines = lines_of(text)
    front = front_matter_length(lines)
    head = [line.rstrip() for line in lines[:front]]
    body = normal_lines(lines[front:])
    if head and body and lines[front].strip() == "":
        head.append("")
    return "".join(f"{line}\n" for line in [*head, *body])


def normal_lines(lines: Sequence[str], *, comments: bool = True) -> list[str]:
    """`normal` for lines that hold no front matter; no blank lines at the end. comments: as in `blocks.scan`."""
    scanned, closing = scan_to_end(lines, comments=comments)
    result: list[list[str]] = []  # the pieces of each line
    for raw, line in zip(lines, scanned, strict=True):
        if line.kind == "blank":
            if result and result[-1] != [""]:
                result.append([""])
        elif line.joins:
            _continue(result[-1], raw.strip())
        else:
            result.append([raw if line.kind in ("fence", "quote") else raw.rstrip()])
    while result and not "".join(result[-1]).strip():
        result.pop()
    if closing:
        result.append([closing])
    return ["".join(pieces) for pieces in result]


def paragraph(texts: Sequence[str]) -> str:
    """The lines of one paragraph as one line."""
    pieces: list[str] = []
    for text in texts:
        _continue(pieces, text)
    return "".join(pieces)


def _continue(pieces: list[str], text: str) -> None:
    """Add a line of a paragraph to what came before. Chinese and Japanese are written without spaces."""
    before = pieces[-1] if pieces else ""
    if before and text and not (_UNSPACED_END.search(before) and _UNSPACED_START.match(text)):
        pieces.append(" ")
    pieces.append(text)
