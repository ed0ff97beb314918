"""Text of models and people in a page: as it is, with what cannot be seen made visible, and quotes marked.

Nothing is rendered: what a reader judges are the same characters that the judge read and a model is trained on. The template
escapes each piece.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Literal, NamedTuple

from finetune_prep.core.verdict import ELLIPSIS, NO_EVIDENCE, QUOTATION_MARKS

# Control characters but tab and newline, marks that reorder or hide text, fillers that look like nothing, tags, and variation
# selectors beyond the two that choose between text and emoji.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0d\ufeff\uffa0\ufff9-\ufffc\ud800-\udfff\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_COMMAND = re.compile(r"`(finetune-prep [^`]+)`")
SHORTEST = 4  # characters of a quote that is worth marking


class Piece(NamedTuple):
    """A piece of a text: plain, quoted by the judge, or the name of a character that cannot be seen."""

    kind: Literal["plain", "quote", "unseen"]
    text: str


def pieces(text: str, quotes: Sequence[str] = ()) -> list[Piece]:
    """A text as pieces in order. quotes: evidence of a judge; each part that stands in the text word for word is marked."""
    found: list[Piece] = []
    marked = _marked(text, quotes)
    start = 0
    for at in range(1, len(text) + 1):
        if at == len(text) or marked[at] != marked[start]:
            found += _visible(text[start:at], quoted=marked[start])
            start = at
    return found


def commands(text: str) -> list[tuple[str, str]]:
    """A text of ours as words, each with the command that stands behind them in backticks, "" behind the last."""
    parts = _COMMAND.split(text)
    return [(parts[at], parts[at + 1] if at + 1 < len(parts) else "") for at in range(0, len(parts), 2)]


def _marked(text: str, quotes: Sequence[str]) -> list[bool]:
    marks = [False] * len(text)
    for evidence in quotes:
        for part in ELLIPSIS.split(evidence):
            quote = part.strip().strip(QUOTATION_MARKS).strip()
            if len(quote) < SHORTEST or quote.casefold() in NO_EVIDENCE:
                continue
            for found in re.finditer(re.escape(quote), text):
                marks[found.start() : found.end()] = [True] * len(quote)
    return marks


def _visible(text: str, *, quoted: bool) -> list[Piece]:
    found: list[Piece] = []
    end = 0
    for unseen in _UNSEEN.finditer(text):
        found.append(Piece("quote" if quoted else "plain", text[end : unseen.start()]))
        found.append(Piece("unseen", name_of(unseen[0])))
        end = unseen.end()
    found.append(Piece("quote" if quoted else "plain", text[end:]))
    return [piece for piece in found if piece.text]


def name_of(character: str) -> str:
    """“U+200B zero width space”."""
    code = f"U+{ord(character):04X}"
    return f"{code} {unicodedata.name(character, '').lower()}".rstrip()
