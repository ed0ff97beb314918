"""JSON, CSV or Markdown as rows with named cells, whatever the rows are about."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import PurePath
from typing import Any, Literal, NamedTuple

import msgspec

from finetune_prep.documents.slips.near_ids import bare, near_category
from finetune_prep.errors import UsageError
from finetune_prep.markdown import inline
from finetune_prep.markdown.inline import folded
from finetune_prep.markdown.lines import TABLE_RULE, Line, front_matter_length, lines_of, scan
from finetune_prep.markdown.tree import Node, Tree, grow

MOST_BYTES = 1024 * 1024
MOST_ROWS = 500
DEEPEST = 8  # levels of lists and objects in JSON
TEXT = "text"  # the column of what stands alone: a string in a list, a list item, a heading
WITHIN = "the list within it"  # the column of what stands below a list item, and is no field
_LISTS = {
    *("questions", "criteria", "items", "rubric", "rubrics", "checks", "checklist", "categories", "dimensions", "sections"),
    *("groups", "anchors", "behaviors", "behaviours", "rules", "data", "examples", "requirements"),
}
_NAMES = ("name", "title", "category", "label", "dimension", "section", "id")


Place = Literal["above a list", "paragraph", "item", "item with items"]
IsLabel = Callable[[str, Place], bool]  # of a paragraph or item, whether it is like a heading


class Row(NamedTuple):
    """One row of a file."""

    place: str
    """Where it stands: "row 3", "line 12"."""
    cells: Mapping[str, str]
    """By column."""
    above: tuple[str, ...] = ()
    """The headings or keys that it stands under, the outermost first."""

    @property
    def group(self) -> str:
        """The heading or key right above it, "" for none."""
        return self.above[-1] if self.above else ""


class Rows(NamedTuple):
    """head: what the file says about the whole. weights: of groups, as written."""

    rows: tuple[Row, ...]
    head: Mapping[str, str]
    weights: Mapping[str, float]
    passed_over: tuple[Row, ...] = ()
    """Paragraphs of Markdown that are no heading: nothing in them is a row."""

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(column for row in self.rows for column in row.cells))


def read_rows(data: bytes, name: str, is_label: IsLabel | None = None) -> Rows:
    """The rows of a file. name: tells its form by its ending (.json, .jsonl, .csv, .tsv, .md).

    is_label: tells which paragraphs and items of Markdown count as headings of what follows; None for none. With it, a heading
    that asks something is a heading, and not an item of its own, and in JSON all lists are read.

    Raises UsageError with a sentence for a file that holds no rows.
    """
    if len(data) > MOST_BYTES:
        raise UsageError(f"the file has {-(-len(data) // 1024)} KB", where=name, next=f"keep it below {MOST_BYTES // 1024} KB")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise UsageError("this is not UTF-8 text", where=f"{name}:{line}", next="save it as UTF-8") from error
    if "\0" in text:
        raise UsageError("this is not text: it holds NUL characters", where=name, next="save it as UTF-8 text")
    if not text.strip():
        raise UsageError("the file is empty", where=name, next="name a file with a list of questions or behaviors")
    markdown, json = partial(_markdown, is_label=is_label), partial(_json, whole=is_label is not None)
    readers: dict[str, Callable[[str, str], Rows]] = {
        ".json": json,
        ".jsonl": json,
        ".csv": _csv,
        ".tsv": _csv,
        ".md": markdown,
        ".markdown": markdown,
        ".txt": markdown,
    }
    ending = PurePath(name).suffix.lower()
    if ending not in readers:
        raise UsageError(f"“{ending or 'no ending'}” is no form that is read", where=name, next="save it as .json, .csv or .md")
    found = readers[ending](text, name)
    if not found.rows:
        raise UsageError("no list of questions or behaviors was found", where=name, next=_how(ending))
    if len(found.rows) > MOST_ROWS:
        raise UsageError(
            f"the file holds {len(found.rows)} rows", where=name, next=f"keep it to {MOST_ROWS}: a rubric has 15 to 20"
        )
    return found


def _how(ending: str) -> str:
    if ending.startswith(".json"):
        return 'write a list of objects: [{"question": "…", "category": "…"}]'
    return "write a header and one row each" if ending in (".csv", ".tsv") else "write a table, or a list under a heading"


# ---- JSON


def _json(text: str, name: str, *, whole: bool) -> Rows:
    value = _decoded(text, name)
    walk = _Walk(whole)
    try:
        walk.into(value, (), 0)
    except RecursionError as error:
        raise UsageError("lists and objects are nested too deeply", where=name, next=_how(".json")) from error
    return Rows(tuple(walk.rows), walk.head, walk.weights)


def _decoded(text: str, name: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except RecursionError as error:
        raise UsageError("lists and objects are nested too deeply", where=name, next=_how(".json")) from error
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        lines = [line for line in text.splitlines() if line.strip()]
        try:
            return [msgspec.json.decode(line) for line in lines] if len(lines) > 1 else _refuse(error, name)
        except (msgspec.DecodeError, RecursionError):
            return _refuse(error, name)


def _refuse(error: Exception, name: str) -> Any:
    raise UsageError(
        f"this is not JSON: {str(error).rstrip('.')}", where=name, next="check it with: python -m json.tool FILE"
    ) from error


Above = tuple[str, ...]  # keys and names around a value, the outermost first


class _Walk:
    """Collects rows from nested lists and objects. whole: from every list, and not only from those that are named like one."""

    def __init__(self, whole: bool) -> None:
        self._whole = whole
        self.rows: list[Row] = []
        self.head: dict[str, str] = {}
        self.weights: dict[str, float] = {}

    def into(self, value: Any, above: Above, depth: int) -> None:
        if depth > DEEPEST:
            raise RecursionError
        if isinstance(value, list):
            for one in value:
                self._one(one, above, depth)
        elif isinstance(value, dict):
            self._object(value, above, depth)

    def _one(self, value: Any, above: Above, depth: int) -> None:
        if isinstance(value, dict):
            if inner := self._inner(value):
                self._group(value, inner, above, depth)
            else:
                self._row({str(key): _cell(cell) for key, cell in value.items()}, above)
        elif isinstance(value, list):
            self.into(value, above, depth + 1)
        elif _cell(value):
            self._row({TEXT: _cell(value)}, above)

    def _object(self, value: dict[str, Any], above: Above, depth: int) -> None:
        if inner := self._inner(value):
            self.head |= {
                str(key): _cell(cell) for key, cell in value.items() if key not in inner and not isinstance(cell, list | dict)
            }
            for key in inner:
                self.into(value[key], above, depth + 1)
            self._others(value, inner, above, depth)
        elif value and all(isinstance(cell, list | dict) for cell in value.values()):
            for key, cell in value.items():
                if (
                    isinstance(cell, dict)
                    and not self._inner(cell)
                    and not any(isinstance(one, list | dict) for one in cell.values())
                ):
                    self._row({"id": str(key), **{str(name): _cell(one) for name, one in cell.items()}}, above)
                elif isinstance(cell, dict) and self._whole:
                    self._object(cell, (*above, str(key)), depth + 1)
                elif isinstance(cell, dict):
                    self._group({"name": key, **cell}, self._inner(cell) or [*cell], (*above, str(key)), depth)
                else:
                    self.into(cell, (*above, str(key)), depth + 1)
        elif value and all(isinstance(cell, str) for cell in value.values()):
            for key, cell in value.items():
                self._row({"id": str(key), TEXT: cell}, above)
        elif self._whole:
            self.head |= {str(key): _cell(cell) for key, cell in value.items() if not isinstance(cell, list | dict)}
            self._others(value, (), above, depth)

    def _others(self, value: dict[str, Any], inner: Sequence[str], above: Above, depth: int) -> None:
        """Lists beside those that are named like one: a list of rules may stand beside one that is called “never”."""
        for key, cell in value.items():
            if self._whole and key not in inner and isinstance(cell, list | dict) and cell:
                self.into(cell, (*above, str(key)), depth + 1)

    def _inner(self, value: dict[str, Any]) -> list[str]:
        """Keys whose values are lists of items rather than lists of words."""
        return [key for key, cell in value.items() if folded(str(key)) in _LISTS and isinstance(cell, list | dict) and cell]

    def _group(self, value: dict[str, Any], inner: Sequence[str], above: Above, depth: int) -> None:
        names = {folded(str(key)): cell for key, cell in value.items() if isinstance(cell, str)}
        name = next((names[key] for key in _NAMES if names.get(key)), "") or (above[-1] if above else "")
        weight = next((cell for key, cell in value.items() if folded(str(key)) == "weight"), None)
        if isinstance(weight, int | float) and not isinstance(weight, bool):
            self.weights[name] = float(weight)
        for key in inner:
            self.into(value[key], (*above, name) if name else above, depth + 1)
        self._others(value, inner, (*above, name), depth)

    def _row(self, cells: dict[str, str], above: Above) -> None:
        self.rows.append(Row(f"row {len(self.rows) + 1}", {key: cell for key, cell in cells.items() if cell}, above))


def _cell(value: Any) -> str:
    """A JSON value as the text of a cell: lists of words are joined, objects are written as `key: value`."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, list):
        return "; ".join(filter(None, map(_cell, value[:50])))
    if isinstance(value, dict):
        return "; ".join(f"{key}: {cell}" for key, inner in [*value.items()][:50] if (cell := _cell(inner)))
    return "" if value is None else inline.one_line(str(value))


# ---- CSV


def _csv(text: str, name: str) -> Rows:
    first = text.lstrip("\r\n").split("\n", 1)[0]
    delimiter = max(",;\t|", key=first.count)
    try:
        table = [row for row in csv.reader(io.StringIO(text), delimiter=delimiter) if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise UsageError(f"this is not CSV: {error}", where=name, next=_how(".csv")) from error
    header = [inline.one_line(cell) or f"column {number}" for number, cell in enumerate(table[0], start=1)]
    rows = []
    for number, row in enumerate(table[1:], start=1):
        if len(row) > len(header):
            raise UsageError(
                f"row {number} has {len(row)} cells, the header {len(header)}", where=name, next="quote cells with a comma"
            )
        cells = {column: inline.one_line(cell) for column, cell in zip(header, row, strict=False) if cell.strip()}
        rows.append(Row(f"row {number}", cells))
    return Rows(tuple(rows), {}, {})


# ---- Markdown


def _markdown(text: str, name: str, is_label: IsLabel | None) -> Rows:
    passed_over: list[Row] = []
    tree = grow(_with_labels_as_headings(text, is_label, passed_over) if is_label else text)
    rows: list[Row] = []
    weights: dict[str, float] = {}
    title = ""
    open_headings: dict[int, str] = {}  # by level
    for number, node in enumerate(tree.nodes):
        if node.level:
            if number == 1 and node.level == 1:
                title = bare(node.text)
            elif not is_label and (asked := _asks(node)):
                rows.append(Row(f"line {node.line}", {TEXT: asked, **_fields(node)}, (*open_headings.values(),)))
                continue
            else:
                open_headings = {level: heading for level, heading in open_headings.items() if level < node.level}
                group, weight = near_category(node.text) or (bare(node.text), None)
                open_headings[node.level] = group
                weights |= {group: weight} if weight is not None else {}
        above = (*open_headings.values(),)
        rows += _item_rows(node.entries, above, is_label)
        rows += _table_rows(tree, node, above)
    head = {"title": title, **tree.front.values}
    return Rows(tuple(rows), {key: value for key, value in head.items() if value}, weights, (*passed_over,))


def _item_rows(entries: Sequence[Node], above: Above, is_label: IsLabel | None) -> Iterator[Row]:
    """A row for each item; instead of one that is a heading, the rows of what stands within it or, if nothing does, after it."""
    label: Above = ()
    for entry in entries:
        text = bare(entry.text)
        heads = is_label is not None and is_label(text, "item with items" if entry.entries else "item")
        if heads and entry.entries:
            yield from _item_rows(entry.entries, (*above, text), is_label)
        elif heads:
            label = (text,)
        elif is_label and entry.entries and text.endswith((":", "：")):
            whole = bare(entry.nested_text) if len(entry.entries) == 1 else f"{text} {_listed(entry)}"
            yield Row(f"line {entry.line}", {TEXT: whole}, (*above, *label))
        elif text:
            yield Row(f"line {entry.line}", {TEXT: text, **_fields(entry), **_notes(entry)}, (*above, *label))


def _with_labels_as_headings(text: str, is_label: IsLabel, passed_over: list[Row]) -> str:
    """The same lines, in which a paragraph that is a label stands as a heading of the lowest level; others go to `passed_over`.

    “Never:” right below an item goes on in the item, as Markdown has it; nobody who writes it there means that.
    """
    lines = lines_of(text)
    front = front_matter_length(lines)
    scanned = [Line("blank", "")] * front + scan(lines[front:])
    begins = 0  # the first line of the present paragraph
    content = 0  # the column in which the text of the last item begins, 0 outside a list
    followed = _followed_by_lists(scanned)
    for number, line in enumerate(scanned):
        if line.kind == "text" and number and scanned[number - 1].kind != "text":
            begins = number
        if line.kind == "item":
            content = line.content
        elif line.kind == "heading":
            content = 0
        within = content and line.indent >= content
        if line.kind == "quote" and followed[number]:
            quoted = line.text.lstrip("> ")
            lines[number] = f"###### {quoted}" if is_label(quoted, "above a list") else lines[number]
        if line.kind != "text" or within or (number + 1 < len(scanned) and scanned[number + 1].kind == "text"):
            continue
        lazy = begins and scanned[begins - 1].kind == "item"  # nobody knows where the item ends and the label begins
        paragraph = " ".join(one.text for one in scanned[number if lazy else begins : number + 1])
        if is_label(paragraph, "above a list" if followed[number] else "paragraph"):
            lines[number] = f"###### {paragraph}"
        elif not lazy:
            passed_over.append(Row(f"line {begins + 1}", {TEXT: bare(paragraph)}))
    return "\n".join(lines)


def _followed_by_lists(scanned: Sequence[Line]) -> list[bool]:
    """For each line, whether the next one that is not blank begins a list item or a row of a table."""
    found = [False] * len(scanned)
    following = False
    for number in range(len(scanned) - 1, -1, -1):
        found[number] = following
        line = scanned[number]
        if line.kind != "blank":
            following = line.kind == "item" or (line.kind == "other" and "|" in line.text)
    return found


def _asks(node: Node) -> str:
    """The text of a heading that is an item of its own: it asks something, or fields stand below it."""
    text = bare(node.text)
    keys = {folded(pair[0]) for entry in node.entries if (pair := inline.key_and_value(entry.text))}
    return text if text.endswith(("?", "？")) or keys & {"yes", "no", "pass", "fail"} else ""


def _fields(node: Node) -> dict[str, str]:
    pairs = (inline.key_and_value(entry.nested_text) for entry in node.entries)
    return {bare(key): bare(value) for pair in pairs if pair for key, value in [pair]}


def _listed(node: Node) -> str:
    return bare("; ".join(entry.nested_text for entry in node.entries))


def _notes(node: Node) -> dict[str, str]:
    """What stands in the list within an item and is no field of it."""
    notes = [text for entry in node.entries if not inline.key_and_value(text := entry.nested_text)]
    return {WITHIN: bare("; ".join(notes))} if notes else {}


def _table_rows(tree: Tree, node: Node, above: Above) -> Iterator[Row]:
    """The rows of the tables in a section; the first line of each is its header."""
    header: list[str] | None = None
    for number in range(node.body, node.end):
        line = tree.scanned[number - 1]
        if line.kind != "other" or "|" not in line.text:
            header = None
        elif not TABLE_RULE.match(line.text):
            cells = [
                bare(cell.replace("\\|", "|"))
                for cell in re.split(r"(?<!\\)\|", line.text.strip().removeprefix("|").removesuffix("|"))
            ]
            if header is None:
                header = [cell or f"column {place}" for place, cell in enumerate(cells, start=1)]
            else:
                yield Row(f"line {number}", {name: cell for name, cell in zip(header, cells, strict=False) if cell}, above)
