"""What stands where items stand and is not read as one: each is a finding with the line to write.

Only what shows that it is meant as an item counts: a near-miss of an id, a bullet in a list of items, a heading that holds fields
of an item, a table with ids, anything at all in a section whose items are all missing. Notes between items stay prose.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from finetune_prep.documents.slips.near_ids import Meant, bare, counted, meant, near_category
from finetune_prep.markdown import inline
from finetune_prep.markdown.headings import ANY, may_stand
from finetune_prep.markdown.inline import folded
from finetune_prep.markdown.lines import TABLE_RULE
from finetune_prep.markdown.reader import Part, Reader
from finetune_prep.markdown.tree import Node

_FIELDS = {
    "idea": "F", "notwhen": "F",
    "does": "T", "inwords": "T",
    "instance": "FM", "counter": "FM",
    "publisher": "S", "published": "S", "where": "S", "read": "S",
    "soundslike": "ST", "means": "DF", "showsas": "FL", "situation": "ED", "expected": "ED",
    "who": "PE", "keepsback": "PE", "fromexchange": "FL", "notwith": "FL", "reads": "GP",
    "yes": "", "no": "", "catches": "", "measured": "", "why": "X", "tone": "X",
}  # fmt: skip
"""Fields by which an item is known, and the letters of its id where its section does not say them; "" = a question."""
_BESIDE = {"jobs", "writes", "serves", "source", "from", "counters", "techniques", "usewhen", "na", "topic", *_FIELDS}
_ANSWERED = ("E", "W", "C")
_TOLD = ("E", "C", "X")  # items that hold a conversation
_ATTRIBUTES = re.compile(r"\((?:weight\s*[:=]?\s*[0-9.]+.*|(?:AI|human|safety|ethics)(?:,\s*\w+)?)\)\s*\Z", re.IGNORECASE)
_IN_THE_LIST_OF = {"LIMIT": "JOB", "RISK": "JOB", "AF": "PR"}
_SHORT = 60
WITHOUT_ID = "an item stands here without an id, so it is lost"


class _Place(NamedTuple):
    """A title, section or category, and the headings from there to the next one."""

    around: Part
    inside: tuple[Part, ...]
    allowed: tuple[str, ...]

    @property
    def headings(self) -> tuple[Part, ...]:
        return (self.around, *self.inside)


def look(reader: Reader) -> None:
    """Add a finding for each of them. Called when the document has been read."""
    search = _Search(reader)
    for place in _places(reader):
        search.in_place(place)


def _places(reader: Reader) -> Iterator[_Place]:
    around = Part("title", reader.tree.preamble, "")
    inside: list[Part] = []
    for part in reader.headed:
        if part.kind in ("title", "section", "category"):
            yield _place(reader, around, inside)
            around, inside = part, []
        elif reader.ends(part, around):
            yield _place(reader, around, inside)
            around, inside = Part("title", reader.tree.preamble, ""), [part]
        else:
            inside.append(part)
    yield _place(reader, around, inside)


def _place(reader: Reader, around: Part, inside: list[Part]) -> _Place:
    return _Place(around, tuple(inside), reader.headings.allowed(around.section, around.kind))


class _Search:
    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._schema = reader.headings.schema
        self._last = Counter[str]()  # by letters, the highest number that is taken
        for id in reader.lines:
            if re.fullmatch(inline.ID, id):
                self._take(id)
        self._frameworks = [(0, "F1"), *((line, id) for id, line in reader.lines.items() if re.fullmatch("F[0-9]+", id))]
        self._items = reader.item_lines

    def in_place(self, place: _Place) -> None:
        is_prose = place.around.kind == "section" and self._schema.sections[place.around.section] is None
        if not is_prose:
            for part, following in zip(place.headings, [*place.inside, None], strict=True):
                if part.kind == "prose":
                    self._heading(place, part, following)
        if place.allowed:
            empty = not any(self._holds_items(part) for part in place.headings)
            for part in place.headings:
                self._entries(place, part, empty)
                self._lines(place, part)
                self._tables(place, part, empty)
        elif place.around.name == "Terms" and not place.around.node.entries:
            self._tables(place, place.around, empty=True)

    def _holds_items(self, part: Part) -> bool:
        return part.kind == "item" or any(entry.line in self._items for entry in part.node.walk())

    # ---- headings

    def _heading(self, place: _Place, part: Part, following: Part | None) -> None:
        text = part.node.text
        if text.startswith("\\") or self._nearly_category(part):
            return
        if not place.allowed or self._reader.is_reported(part.node.line):
            return
        near = meant(text, place.allowed)
        if near and ANY in place.allowed and not (near.text.endswith(("?", "？")) or len(near.id) <= 4):
            near = None
        if near or self._is_meant(place, part, following):
            id = self._free(near.id) if near else self._next(place, part)
            rest = near.text if near else counted(text) or bare(text)
            self._lost(part.node, near, f"{'#' * part.node.level} {id}. {_short(rest)}")

    def _is_meant(self, place: _Place, part: Part, following: Part | None) -> bool:
        """Whether a heading without an id is an item all the same: by its fields, or because it is counted or asks."""
        if place.around.section in self._schema.lists and (_is_below(place, part) or not self._known_by_fields(place, part)):
            return False
        if _keys(part.node) & set(_FIELDS) or _ATTRIBUTES.search(part.node.text):
            return True
        if following is not None and following.kind == "item" and following.node.level > part.node.level:
            return False  # it groups items
        if place.around.kind == "category":
            return part.node.text.rstrip("*_ ").endswith(("?", "？"))
        expected = self._schema.expects.get(place.around.section, "")
        if expected in _TOLD and self._holds_talk(part):
            return True
        return bool(expected) and bool(counted(part.node.text) or not any(map(self._holds_items, place.headings)))

    def _holds_talk(self, part: Part) -> bool:
        lines = self._reader.tree.scanned[part.node.body - 1 : part.node.end - 1]
        return any(line.kind == "quote" for line in lines)

    def _nearly_category(self, part: Part) -> bool:
        near = near_category(part.node.text) if self._schema.category is not None else None
        if near is None:
            return False
        name, weight = near
        fix = f"write {'#' * part.node.level} {name} (weight {inline.number(weight)})"
        self._reader.lose(part.node.line, f"“{_short(part.node.text)}” is not read as a category", fix)
        return True

    def _letters(self, place: _Place, part: Part) -> str:
        """The letters that the id of an item without one should have."""
        if ANY in place.allowed:
            return self._question_letters(place)
        expected = self._schema.expects.get(place.around.section)
        if expected and (part.kind != "prose" or _is_below(place, part)):
            return expected
        known = self._known_by_fields(place, part)
        return min(known) if known else expected or place.allowed[0]

    def _known_by_fields(self, place: _Place, part: Part) -> set[str]:
        """The letters that the fields below a heading speak for."""
        return {letters for key in _keys(part.node) if (letters := _FIELDS.get(key)) and letters in place.allowed}

    def _question_letters(self, place: _Place) -> str:
        used = Counter(inline.prefix(part.id) for part in place.inside if part.kind == "item")
        if used:
            return used.most_common(1)[0][0]
        plain = "".join(character for character in place.around.name.upper() if "A" <= character <= "Z")
        return plain[:2] or "Q"

    # ---- list items

    def _entries(self, place: _Place, part: Part, empty: bool) -> None:
        section = place.around.section
        is_list = section in self._schema.lists and part.kind != "item" and (part.kind != "prose" or empty)
        direct = {entry.line for entry in part.node.entries}
        for entry in part.node.walk():
            if entry.line in self._items or self._reader.is_reported(entry.line):
                continue
            if part.kind == "item" and inline.prefix(part.id) in _ANSWERED:
                self._answer(part, entry)
            elif near := self._near_entry(place, part, entry):
                self._lost(entry, near, f"- {self._free(near.id)}: {_short(near.text)}")
            elif entry.line in direct and self._is_lost(place, part, entry, is_list=is_list, empty=empty):
                self._no_id(place, part, entry, is_list=is_list)

    def _near_entry(self, place: _Place, part: Part, entry: Node) -> Meant | None:
        """An id in another spelling at the start of a list item; within a question any letters could be one."""
        if ANY in place.allowed:
            return None
        near = meant(entry.text, place.allowed)
        return near if near and near.id not in self._reader.lines else None

    def _is_lost(self, place: _Place, part: Part, entry: Node, *, is_list: bool, empty: bool) -> bool:
        pair = inline.key_and_value(entry.text)
        if not entry.text or entry.text.startswith("\\") or (pair and folded(pair[0]) in _BESIDE):
            return False
        if is_list:
            return True
        if part.kind == "category":
            return entry.text.rstrip("*_ ").endswith(("?", "？"))
        return empty and part.kind == "section" and bool(self._schema.expects.get(place.around.section))

    def _no_id(self, place: _Place, part: Part, entry: Node, *, is_list: bool) -> None:
        label = inline.entry_id(entry.text)
        text = _short(label.text if label else bare(entry.text))
        id = self._next(place, part)
        if not is_list:
            self._lost(entry, None, f"{'#' * (place.around.node.level + 1)} {id}. {text}")
            return
        under = " or ".join(f"“{name}”" for name in self._lists_of(place)) if part.kind == "prose" else ""
        self._lost(entry, None, f"- {id}: {text}{f', below the heading {under}' if under else ''}")

    def _lists_of(self, place: _Place) -> list[str]:
        """Headings under which the list items of a place belong whose own heading is not known."""
        names = [name for name in self._schema.lists if inline.prefix(self._schema.expects[name]) in place.allowed]
        return sorted(name for name in names if self._schema.expects[name] in ("DO", "DONT") and name != place.around.section)

    def _answer(self, part: Part, entry: Node) -> None:
        near = meant(entry.text, (ANY,))
        if near and near.id in self._reader.lines and inline.entry_id(entry.text) is None:
            self._lost(entry, near, f"- {near.id}: {_short(near.text)}", part.id)

    # ---- plain lines and tables

    def _lines(self, place: _Place, part: Part) -> None:
        """Lines of a paragraph that begin with an id which no item has."""
        for number in range(part.node.body, part.node.end):
            line = self._reader.tree.scanned[number - 1]
            if line.kind != "text" or (ANY in place.allowed and not line.text.endswith(("?", "？"))):
                continue
            label = inline.entry_id(bare(line.text))
            if label and may_stand(label.id, place.allowed) and label.id not in self._reader.lines:
                self._take(label.id)
                is_list = place.around.section in self._schema.lists
                mark = "- " if is_list else f"{'#' * (place.around.node.level + 1)} "
                fix = f"begin the line with “{mark}”: {mark}{label.id}{':' if is_list else '.'} {_short(label.text)}"
                self._reader.lose(number, f"{label.id} stands in a paragraph, so it is not read as an item", fix, label.id)

    def _tables(self, place: _Place, part: Part, empty: bool) -> None:
        for first, rows in _tables(self._reader, part.node):
            ids = [near.id for row in rows if (near := self._cell_id(place, part, row))]
            answers = part.kind == "item" and inline.prefix(part.id) in _ANSWERED
            if answers:
                lost = [id for id in ids if id in self._reader.lines and not part.node.entries]
            else:
                lost = [id for id in ids if id not in self._reader.lines]
            expected = place.around.kind == "category" or place.around.section in self._schema.expects or not place.allowed
            if not lost and not (empty and expected and part.kind != "item"):
                continue
            count = len(lost) or len(rows)
            rows_are = "1 row of this table is" if count == 1 else f"{count} rows of this table are"
            what = "answer" if answers else "item" if place.allowed else "term"
            self._reader.lose(first, f"{rows_are} not read: tables hold no {what}s", self._instead(place, part, lost, answers))

    def _instead(self, place: _Place, part: Part, ids: list[str], answers: bool) -> str:
        if answers:
            return f"write each row as a list item: - {ids[0]}: yes. Why"
        if not place.allowed:
            return "write each row as a list item: - Term: what it means here"
        id = ids[0] if ids else self._next(place, part)
        is_list = place.around.section in self._schema.lists
        item = f"- {id}: …" if is_list else f"{'#' * (place.around.node.level + 1)} {id}. …"
        return f"write each row as an item: {item}"

    def _cell_id(self, place: _Place, part: Part, row: str) -> Meant | None:
        cell = row.strip().strip("|").split("|")[0].strip()
        near = meant(f"{cell}:", (ANY,) if ANY in place.allowed or part.kind == "item" else place.allowed)
        return near if near and len(cell) <= len(near.written) + 4 else None

    # ---- ids

    def _take(self, id: str) -> None:
        letters = id.rstrip("0123456789")  # "DO" of DO4, "T1." of T1.2
        self._last[letters] = max(self._last[letters], int(id[len(letters) :]))

    def _free(self, id: str) -> str:
        """The id, or, if an item has it already, the next one of its letters."""
        if id in self._reader.lines:
            return self._count(id.rstrip("0123456789"))
        self._take(id)
        return id

    def _next(self, place: _Place, part: Part) -> str:
        """The id for an item without one."""
        letters = self._letters(place, part)
        if letters == "T":
            owner = max((line, id) for line, id in self._frameworks if line < part.node.line or id == "F1")[1]
            letters = f"T{owner[1:]}."
        return self._count(letters)

    def _count(self, letters: str) -> str:
        self._last[letters] += 1
        return f"{letters}{self._last[letters]}"

    def _lost(self, node: Node, near: Meant | None, line: str, item: str = "") -> None:
        what = f"“{near.written}” is not read as an id, so this item is lost" if near else WITHOUT_ID
        fix = f"write: {line}"
        if near and near.written == near.id and (heading := self._heading_of(near.id)):
            what = f"{near.id} does not stand below “{heading}”, so it is lost"
            fix = f"put it below the heading “{heading}”, or correct the heading above it: {line}"
        self._reader.lose(node.line, what, fix, item)

    def _heading_of(self, id: str) -> str:
        """The section of a list in which an item of these letters is read, "" if it is known by its own heading."""
        wanted = _IN_THE_LIST_OF.get(inline.prefix(id), inline.prefix(id))
        return next((name for name in self._schema.lists if inline.prefix(self._schema.expects[name]) == wanted), "")


def _is_below(place: _Place, part: Part) -> bool:
    """Whether a heading stands within the section it follows, and not beside it."""
    return part.node.level > place.around.node.level


def _keys(node: Node) -> set[str]:
    pairs = (inline.key_and_value(entry.text) for entry in node.entries if not inline.entry_id(entry.text))
    return {folded(pair[0]) for pair in pairs if pair}


def _tables(reader: Reader, node: Node) -> Iterator[tuple[int, list[str]]]:
    """Line of the first row and the rows of each table, without its head."""
    rows: list[str] = []
    first = 0
    for number in range(node.body, node.end + 1):
        line = reader.tree.scanned[number - 1] if number < node.end else None
        if line is not None and line.kind == "other" and "|" in line.text:
            first = first or number
            rows.append(line.text)
            continue
        if rows:
            body = [row for row in rows if not TABLE_RULE.match(row)]
            yield first, body[1:] if len(body) < len(rows) else body
        rows, first = [], 0


def _short(text: str) -> str:
    line = inline.one_line(text)
    return line if len(line) <= _SHORT else f"{line[: _SHORT - 1].rstrip()}…"
