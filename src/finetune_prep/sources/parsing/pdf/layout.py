"""What the places of words on a PDF page say: raised figures, cells of one row, columns that are drawn across."""

from __future__ import annotations

import re
from itertools import groupby
from statistics import median
from typing import Any

import msgspec

from finetune_prep.sources.parsing.figures import lowered, raised

SMALL = 0.85  # of the size before it: a figure that is written smaller is raised or lowered
LEAST_ROWS = 5  # in two columns, to take a page for a page of columns
COLUMN_SHARE = 0.6  # of its rows
COLUMN_WIDTH = 20  # characters, the middle one of its lines; cells of tables are shorter
FLOWING = 1 / 3  # of the lines of a column begin in the middle of a sentence
_FIGURE = re.compile(r"[-+−]?\d{1,3}|[a-z]{1,2}|[*†‡]")


class Piece(msgspec.Struct):
    """Text that was drawn at once. x, y: of its beginning, in points, y upwards; None for the later lines of such text."""

    text: str
    x: float
    y: float | None
    size: float


class Row(msgspec.Struct, frozen=True):
    """A line of the page as it is read, with its size; 0.0 = not known."""

    text: str
    size: float


Line = list[Piece]


class Page:
    """Takes what pypdf's `visitor_text` is told while it reads a page."""

    def __init__(self) -> None:
        self._lines: list[Line] = [[]]
        self._drawn: list[str] = []

    @property
    def drawn(self) -> str:
        """All that was told, in the order of the telling."""
        return "".join(self._drawn)

    def visit(self, text: str, cm: list[float], tm: list[float], font: Any, size: float) -> None:
        """cm, tm: the matrices of the page and of the text, as six numbers."""
        self._drawn.append(text)
        x = tm[4] * cm[0] + tm[5] * cm[2] + cm[4]
        y: float | None = tm[4] * cm[1] + tm[5] * cm[3] + cm[5]
        height = abs(size * (tm[3] or tm[1]) * (cm[3] or cm[1]))
        for number, part in enumerate(text.split("\n")):
            if number:
                self._lines.append([])
                y = None
            if part:
                self._lines[-1].append(Piece(part, x, y, height))

    def rows(self) -> list[Row]:
        """The lines of the page in the order in which a person reads them, without empty ones."""
        rows = _rows([line for line in self._lines if line])
        found = _in_columns(rows) or [Row(" | ".join(map(_written, row)), row[0][0].size) for row in rows]
        return [row for row in found if row.text.strip()]


def _rows(lines: list[Line]) -> list[list[Line]]:
    """Lines that stand beside each other, one to the right of the other, are the cells of one row."""
    rows: list[list[Line]] = []
    for line in lines:
        first, last = line[0], rows[-1][-1][0] if rows else None
        beside = (
            last is not None
            and first.y is not None
            and last.y is not None
            and abs(first.y - last.y) < 0.3 * max(first.size, last.size)
            and first.x > last.x
        )
        if beside:
            rows[-1].append(line)
        else:
            rows.append([line])
    return rows


def _in_columns(rows: list[list[Line]]) -> list[Row]:
    """The lines of a page of two columns, one column after the other; nothing if it is none."""
    pairs = [row for row in rows if len(row) == 2]
    if len(pairs) < LEAST_ROWS or len(pairs) < COLUMN_SHARE * len(rows):
        return []
    edges = [median(row[side][0].x for row in pairs) for side in (0, 1)]
    texts = [[_written(row[side]) for row in pairs] for side in (0, 1)]
    flowing = sum(text[:1].islower() for side in texts for text in side)
    straight = all(abs(row[side][0].x - edges[side]) < row[side][0].size for row in pairs for side in (0, 1))
    wide = min(median(map(len, side)) for side in texts) >= COLUMN_WIDTH
    if not straight or not wide or flowing < FLOWING * 2 * len(pairs):
        return []
    found: list[Row] = []
    for paired, group in groupby(rows, key=lambda row: len(row) == 2):
        block = list(group)
        sides = (0, 1) if paired else (0,)
        found += [Row(_written(row[side]), row[side][0].size) for side in sides for row in block]
    return found


def _written(line: Line) -> str:
    text = ""
    before: Piece | None = None
    for piece in line:
        text += _figure(piece, before, text) if before is not None and _may_be_figure(piece, before) else piece.text
        if piece.text.strip() and (before is None or piece.size >= SMALL * before.size):
            before = piece
    return re.sub(r" {2,}", " ", text).strip()


def _may_be_figure(piece: Piece, before: Piece) -> bool:
    return piece.size <= SMALL * before.size and _FIGURE.fullmatch(piece.text.rstrip()) is not None


def _figure(piece: Piece, before: Piece, text: str) -> str:
    """A small figure as it stands to its line; where that is not told, digits after digits or words are taken for raised."""
    figure = piece.text.rstrip()
    gap = piece.text[len(figure) :]
    rise = piece.y - before.y if piece.y is not None and before.y is not None else 0.0
    if text[-1:].isspace() or (not rise and not figure[-1].isdigit()):
        return piece.text
    if rise < 0:
        return lowered(figure) + gap
    plain = not rise and not text[-1:].isdigit() and raised(figure, text)[0] == "^"
    return piece.text if plain else raised(figure, text) + gap
