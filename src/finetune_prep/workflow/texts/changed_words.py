"""Which words differ between two texts, with a few words around them: what a person reads before accepting."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from typing import Literal

import msgspec

AROUND = 8  # words that are shown before and after a change
MOST_TAKEN_AWAY = 60  # words of one deletion that are shown in full; of longer ones, beginning and end
COSTLY = 4_000_000  # pairs of words; beyond that, passages are shown as wholes
_UNSPACED = "\u0e00-\u0eff\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"  # scripts that set no spaces between words
# a figure, one of their characters, a word of any other script, a line end, other white space, a sign
_TOKEN = re.compile(rf"\d+(?:[.,:]\d+)*|[{_UNSPACED}]|[^\W{_UNSPACED}]+|\n|[^\S\n]+|[^\w\s]")

Role = Literal["same", "away", "new"]
MARKS: dict[Role, tuple[str, str]] = {"same": ("", ""), "away": ("[-", "-]"), "new": ("{+", "+}")}


class Piece(msgspec.Struct, frozen=True):
    """Words that stayed, were taken away, or are new. Line ends within are "\\n"."""

    role: Role
    text: str

    @property
    def marked(self) -> str:
        """With the marks that version control uses for words."""
        before, after = MARKS[self.role]
        return f"{before}{self.text}{after}"


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A place where words differ."""

    line: int
    """1-based, in the new text."""
    pieces: tuple[Piece, ...]
    """In reading order, with what stands around them."""

    @property
    def marked(self) -> str:
        """The whole with its marks."""
        return "".join(piece.marked for piece in self.pieces)


def changed_words(before: str, after: str) -> tuple[Change, ...]:
    """Every difference, in the order of the new text. White space at line ends and blank lines are none."""
    old, new = _lines(before), _lines(after)
    numbers = [number for number, _ in new]
    matcher = difflib.SequenceMatcher(None, [text for _, text in old], [text for _, text in new], autojunk=False)
    changes: list[Change] = []
    for kind, start, end, first, last in matcher.get_opcodes():
        if kind != "equal":
            away = "\n".join(text for _, text in old[start:end])
            come = "\n".join(text for _, text in new[first:last])
            line = numbers[first] if first < len(numbers) else (numbers[-1] if numbers else 1)
            changes += _within(away, come, line, numbers[first:last])
    return tuple(changes)


def _lines(text: str) -> list[tuple[int, str]]:
    return [(number, line.rstrip()) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]


def _within(before: str, after: str, line: int, numbers: list[int]) -> Iterator[Change]:
    """The changes of a passage. numbers: of its lines in the new text."""
    old, new = _TOKEN.findall(before), _TOKEN.findall(after)
    if not old or not new or len(old) * len(new) > COSTLY:
        yield Change(line=line, pieces=tuple(_pieces([("away", before), ("new", after)])))
        return
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for group in matcher.get_grouped_opcodes(2 * AROUND):  # a word and a space are two tokens
        pieces: list[tuple[Role, str]] = []
        if group[0][1] or group[0][3]:
            pieces.append(("same", "…"))
        for kind, start, end, first, last in group:
            if kind == "equal":
                pieces.append(("same", "".join(new[first:last])))
            else:
                pieces += [("away", "".join(old[start:end])), ("new", "".join(new[first:last]))]
        if group[-1][2] < len(old) or group[-1][4] < len(new):
            pieces.append(("same", "…"))
        at = "".join(new[: _first_difference(group)]).count("\n")
        yield Change(line=numbers[min(at, len(numbers) - 1)], pieces=tuple(_pieces(pieces)))


def _first_difference(group: list[tuple[str, int, int, int, int]]) -> int:
    return next(first for kind, _, _, first, _ in group if kind != "equal")


def _pieces(found: list[tuple[Role, str]]) -> Iterator[Piece]:
    for role, text in found:
        if text:
            yield Piece(role, _shortened(text) if role == "away" else text)


def _shortened(text: str) -> str:
    words = text.split()
    if len(words) <= MOST_TAKEN_AWAY:
        return text
    return f"{' '.join(words[:AROUND])} … {len(words) - 2 * AROUND} words … {' '.join(words[-AROUND:])}"
