"""Tables of HTML, made plain: a cell that spans rows stands in each of them, and what only arranges a page is no table."""

from __future__ import annotations

import copy
import re
from collections import Counter, deque

from bs4 import BeautifulSoup, Tag
from bs4.element import PageElement, PreformattedString

from finetune_prep.sources.parsing.html.tree import HEADINGS, Tree, tags_in, within

MOST_SPAN = 20  # rows or columns
MOST_COPIES = 5_000  # cells of one document that are repeated because they span rows
LONGEST_COPY = 200  # characters; what is longer is no label, and stands once
LONGEST_CELL = 2_000  # characters; what is longer is a page and no cell
WIDEST = 200  # columns for which a head row is filled up
_CELLS = ("td", "th")
_GROUPS = ("thead", "tbody", "tfoot")
_PARTS = ("caption", *_GROUPS, "tr", *_CELLS)
_HOLD = {"table": ("caption", *_GROUPS, "tr"), **dict.fromkeys(_GROUPS, ("tr",)), "tr": _CELLS}

Cell = Tag | None  # None: nothing, as to the right of a wide cell


def level_tables(tree: Tree) -> None:
    """Every table of the tree, in place: a head row and rows below it, or blocks where it only arranges the page."""
    tables = {id(table): (table, tags_in(table)) for table in tree.named("table")}
    arranging = {number for number, (table, inside) in tables.items() if _arranges(table, inside)}
    for part in list(tree.named(*_PARTS)):
        if id(within(part, ["table"])) in arranging:
            part.name = "div"
    copies = MOST_COPIES
    for number, (table, inside) in tables.items():
        if number in arranging:
            table.name = "div"
        else:
            rows, copies = _rows(inside, copies)
            _rebuild(tree.soup, table, rows)


def _arranges(table: Tag, inside: list[Tag]) -> bool:
    """Whether it holds the page itself: other tables, headings, text of a page's length, one column, text beside its cells."""
    if table.get("role") in ("presentation", "none") or any(tag.name in ("table", "pre", *HEADINGS) for tag in inside):
        return True
    if not all(_in_place(child, tag) for tag in (table, *inside) if tag.name in _HOLD for child in tag.contents):
        return True
    rows = Counter(id(tag.parent) for tag in inside if tag.name in _CELLS)
    return max(rows.values(), default=0) < 2 or any(len(tag.get_text()) > LONGEST_CELL for tag in inside if tag.name in _CELLS)


def _in_place(child: PageElement, parent: Tag) -> bool:
    """Whether something may stand in a part of a table: another part that belongs there, or nothing that is seen."""
    if isinstance(child, Tag):
        return child.name in _HOLD[parent.name] or not child.get_text(strip=True)
    return isinstance(child, PreformattedString) or not str(child).strip()


def _rows(inside: list[Tag], copies: int) -> tuple[list[list[Cell]], int]:
    """The rows that hold anything, with cells that span rows in each of them; and how many more of these may be repeated."""
    rows = []
    above: dict[int, tuple[Tag, int]] = {}  # column → cell of an earlier row, and how many more rows it spans
    for tr in inside:
        if tr.name != "tr":
            continue
        row: list[Cell] = []
        cells = deque(cell for cell in tr.contents if isinstance(cell, Tag) and cell.name in _CELLS)
        while cells or len(row) in above:
            if len(row) in above:
                cell, more = above.pop(column := len(row))
                again = copies > 0 and len(cell.get_text()) <= LONGEST_COPY
                copies -= again
                row.append(copy.copy(cell) if again else None)
            else:
                cell, more = (first := cells.popleft()), _span(first, "rowspan")
                column = len(row)
                row += [cell, *[None] * (_span(cell, "colspan") - 1)]
            if more > 1:
                above[column] = (cell, more - 1)
        if any(cell is not None and cell.get_text(strip=True) for cell in row):
            rows.append(row)
    return rows, copies


def _span(cell: Tag, name: str) -> int:
    value = str(cell.get(name) or "1").strip()
    return max(1, min(int(value), MOST_SPAN)) if re.fullmatch(r"[0-9]{1,9}", value) else 1


def _rebuild(soup: BeautifulSoup, table: Tag, rows: list[list[Cell]]) -> None:
    captions = [tag.extract() for tag in table.contents[:] if isinstance(tag, Tag) and tag.name == "caption"]
    if rows:
        width = min(max(map(len, rows)), WIDEST)
        rows[0] += [None] * (width - len(rows[0]))
    cells = [[cell.extract() if cell is not None else soup.new_tag("td") for cell in row] for row in rows]
    table.clear()
    for number, row in enumerate(cells):
        tr = soup.new_tag("tr")
        for cell in row:
            cell.name = "td" if number else "th"
            cell.attrs = {}
            tr.append(cell)
        table.append(tr)
    for caption in captions:
        caption.name = "p"
        table.insert_before(caption)
