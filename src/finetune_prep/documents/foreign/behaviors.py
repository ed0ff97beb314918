"""A list of behaviours of somebody else's as the section "Behavioral anchors"."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from finetune_prep.core.knowledge import Anchor
from finetune_prep.documents.foreign.drafting import Drawn, Placed, Unplaced, columns_by_role
from finetune_prep.documents.foreign.rows import TEXT, Row, Rows
from finetune_prep.documents.foreign.sides import forbids, is_neutral, is_told, sentence, side_of
from finetune_prep.documents.knowledge.anchors import ALWAYS, LISTS, NEVER, render_anchors
from finetune_prep.documents.slips.near_ids import counted, meant
from finetune_prep.markdown import inline
from finetune_prep.markdown.inline import folded
from finetune_prep.markdown.page import page

LONGEST = 500  # characters
LONGEST_NAME = 12  # characters of the name of a list: “verboten”
KINDS = ("kind", "type", "list", "polarity", "category", "group", "section")
ROLES = {
    "text": ("anchor", "behavior", "behaviour", "rule", TEXT, "description", "statement", "requirement", "name", "title"),
    "kind": KINDS,
    "from": ("from", "drawnfrom", "source", "sources"),
    "id": ("id", "key", "code", "nr", "no", ""),
}
_BECAME = {
    "text": "the anchor",
    "kind": "Always do or Never do",
    "from": "From, where it holds ids",
    "id": "nothing: anchors are numbered anew",
}
_TITLES = ("name", "title", "description", TEXT)  # columns that hold a topic where others hold what to do and what not
_MARKED = {"yes", "true", "1", "x", "y", "ja", "j", "si", "sí", "oui", "✓", "✔", "✅", "☑"}
_UNMARKED = {"no", "false", "0", "n", "nein", "non", "-", "–", "—", "✗", "✘", "❌", "☐"}
_PERMITTING = re.compile(r"allowed|permitted|acceptable|ok(?:ay)?|erlaubt|zulässig|permitid[oa]|autorisée?|consentito|toegestaan")
_LIST_NAMES = {letters: name for name, letters in LISTS.items()}


class _Found(NamedTuple):
    """One behavior: its list ("" = nothing tells), and what told that: a heading, a cell, its own words ("")."""

    text: str
    letters: str
    told_by: str
    doubtful: str
    """What it stands under that may mean a list, but is not understood; "" for nothing."""


def draw_anchors(rows: Rows, name: str = "", unmarked: str = "") -> Drawn:
    """The section with both lists, as Markdown.

    name: of the file, which may say that it holds what never to do. unmarked: the list (ALWAYS or NEVER) of rows that stand under
    something that names neither; "" = nobody has said, and what they stand under is in `Drawn.doubtful`.
    """
    return _Drawing(rows, name, unmarked).drawn()


class _Drawing:
    def __init__(self, rows: Rows, name: str, unmarked: str) -> None:
        self._rows = rows
        self._unmarked = unmarked
        self._outermost = tuple(filter(None, (rows.head.get("title"), rows.head.get("name"))))
        self._file = name if side_of(name) else ""
        self._columns_of_marks = [column for column in rows.columns if self._is_of_marks(column)]
        others = [column for column in rows.columns if column not in self._columns_of_marks]
        self._columns_of_texts = [column for column in others if self._is_side(column)]
        others = [column for column in others if column not in self._columns_of_texts]
        self._roles = columns_by_role(others, ROLES)
        text = self._roles.get("text", "")
        if self._columns_of_texts and folded(text) in _TITLES:
            del self._roles["text"]
        self._columns_of_kinds = [column for column in others if folded(column) in KINDS and column != text]
        left = [column for column in others if column not in self._roles.values()]
        self._columns_of_kinds += [column for column in left if self._names_lists(column)]

    # what the columns are

    def _cells(self, column: str) -> list[str]:
        return [row.cells[column] for row in self._rows.rows if column in row.cells]

    def _is_of_marks(self, column: str) -> bool:
        """A column that says yes or no about each row: “never”, “allowed”."""
        cells = {cell.casefold() for cell in self._cells(column)}
        return bool(side_of(column) or _PERMITTING.fullmatch(column.casefold())) and cells <= _MARKED | _UNMARKED

    def _is_side(self, column: str) -> bool:
        """A column that is called like a list. One whose cells are called so is the first row of a file without a header."""
        bare_names = all(side_of(cell) and len(cell) <= LONGEST_NAME for cell in self._cells(column))
        return bool(side_of(column)) and folded(column) not in ROLES["text"] + KINDS and not bare_names

    def _names_lists(self, column: str) -> bool:
        cells = self._cells(column)
        return folded(column) not in ROLES["text"] and all(side_of(cell) and len(cell) <= 2 * LONGEST_NAME for cell in cells)

    # rows

    def drawn(self) -> Drawn:
        lists: dict[str, list[Anchor]] = {ALWAYS: [], NEVER: []}
        unplaced: list[Unplaced] = []
        told: Counter[tuple[str, str]] = Counter()
        doubtful: Counter[str] = Counter()
        reworded = 0
        for row in self._rows.rows:
            for found in self._found(row):
                if why := _unusable(found.text):
                    unplaced.append(Unplaced(row.place, (found.text or "; ".join(row.cells.values()))[:200], why))
                    continue
                said = sentence(found.text, found.letters)
                if not said.letters and found.doubtful and not self._unmarked:
                    doubtful[found.doubtful] += 1
                letters = said.letters or self._unmarked or ALWAYS
                told[(found.told_by if found.letters == letters else "", letters)] += 1
                reworded += said.text != found.text
                drawn_from = tuple(re.findall(rf"\b{inline.ID}\b", row.cells.get(self._roles.get("from", ""), "")))
                lists[letters].append(Anchor(id=f"{letters}{len(lists[letters]) + 1}", text=said.text, drawn_from=drawn_from))
            unplaced += self._left(row)
        unplaced += [
            Unplaced(row.place, text[:200], "a paragraph; what it forbids belongs in a list below a heading")
            for row in self._rows.passed_over
            if forbids(text := row.cells[TEXT])
        ]
        text = page(render_anchors(tuple(lists[ALWAYS]), tuple(lists[NEVER]), origins=True))
        placed = tuple(self._placed(told, reworded))
        return Drawn(text, sum(map(len, lists.values())), placed, tuple(unplaced), tuple(doubtful.items()))

    def _found(self, row: Row) -> Iterator[_Found]:
        """The behaviors of a row: its text, and one for each cell in a column that is called like a list."""
        written = row.cells.get(self._roles.get("text", ""), "") or row.cells.get(TEXT, "")
        sides = [column for column in self._columns_of_texts if column in row.cells]
        if written or not sides:
            yield self._told(row, written)
        for column in sides:
            yield _Found(_stripped(row.cells[column]), side_of(column), column, "")

    def _told(self, row: Row, written: str) -> _Found:
        """A row's text, and what tells its list: its id, its cells, or what it stands under, the innermost first."""
        text, doubtful = _stripped(written), ""
        id = row.cells.get(self._roles.get("id", ""), "")
        for beginning in (written, f"{id}:"):
            if near := meant(beginning, (ALWAYS, NEVER), marked=True):
                return _Found(text, near.id.rstrip("0123456789."), "an id such as DO1 or DONT1", "")
        for column in self._columns_of_marks:
            mark = row.cells.get(column, "").casefold()
            if mark in _MARKED and (letters := side_of(column)):
                return _Found(text, letters, column, "")
            if mark in _UNMARKED and side_of(column) == ALWAYS:  # “do: no” forbids, or says nothing
                doubtful = doubtful or f"{column}: {mark}"
            if _PERMITTING.fullmatch(column.casefold()) and mark:
                if mark in _UNMARKED:
                    return _Found(text, NEVER, f"{column}: {mark}", "")
                doubtful = doubtful or f"{column}: {mark}"
        kinds = [row.cells[column] for column in self._columns_of_kinds if column in row.cells]
        for label in (id, *kinds, *reversed(row.above), *reversed(self._outermost), self._file):
            if (letters := side_of(label)) and is_told(label):
                return _Found(text, letters, label, "")
            if label not in ("", id) and not is_neutral(label):
                doubtful = doubtful or label
        return _Found(text, "", "", doubtful)

    # what is told of it

    def _left(self, row: Row) -> Iterator[Unplaced]:
        known = (*self._roles.values(), *self._columns_of_kinds, *self._columns_of_marks, *self._columns_of_texts, TEXT)
        for column, cell in row.cells.items():
            if column not in known:
                yield Unplaced(row.place, f"{column}: {cell}"[:200], "there is no place for this column")

    def _placed(self, told: Counter[tuple[str, str]], reworded: int) -> Iterator[Placed]:
        yield from (Placed(column, _BECAME[role]) for role, column in self._roles.items())
        for (label, letters), count in told.items():
            if label:
                yield Placed(f"“{label}” ({count})", _LIST_NAMES[letters])
        if count := sum(count for (label, _), count in told.items() if not label):
            by_words = "Never do if they begin with never, do not, avoid and the like, else Always do"
            became = _LIST_NAMES[NEVER] if self._unmarked == NEVER else by_words
            yield Placed(f"{count} row{'' if count == 1 else 's'} under no list", became)
        if reworded:
            rows = f"{reworded} row{'' if reworded == 1 else 's'}"
            yield Placed(f"“Never …”, “Do not …” in {rows}", "left out: under Never do it would say the opposite")


def _unusable(text: str) -> str:
    """Why a text is no anchor, "" if it is one."""
    if not text:
        return "there is no behavior in it"
    return f"{len(text)} characters; an anchor has at most {LONGEST}" if len(text) > LONGEST else ""


def _stripped(written: str) -> str:
    """A text without the id or number that it begins with."""
    near = meant(written, (ALWAYS, NEVER), marked=True)
    return near.text if near and near.text else counted(written) or written
