"""Sound documents as people leave them: the specimens cut down, with prose, code, comments, tables and notes in between.

Every line knows which items it stands in, so that a test can say which lines an edit may touch without asking the code that is
tested.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import msgspec

from finetune_prep import documents

PLAIN = ("brief", "user-prompt", "system-prompt")
_HEADING = re.compile(r"(?P<marks>#{1,6}) (?:(?P<id>[A-Z]+[0-9]+(?:\.[0-9]+)?)\. )?(?P<text>.*)")
_LISTED = re.compile(r"- (?P<id>[A-Z]+[0-9]+(?:\.[0-9]+)?): ")
WORDS = (
    "häufig", "再び", "🏺", "“quoted”", "and then", "50%", "(weight 2)", "https://a.example/x?y=1", "**bold**", "`code`", "e\u0301",
    "\u00a0", "\u200d", "CP1", "FM3,", "naïve", "{{ slot }}", "<b>", "a|b", "ß", "…", "\\", "x_y_z", "&amp;", "שלום",
)  # fmt: skip


class Row(NamedTuple):
    """One line (an underlined heading: two). owners: the items it stands in, outermost first. level: of a heading, else 0.

    heading: the text of a heading without an id.
    """

    text: str
    owners: tuple[str, ...] = ()
    level: int = 0
    heading: str = ""

    @property
    def blank(self) -> bool:
        return not self.text.strip()


class Style(NamedTuple):
    """How a person's editor saves a file."""

    newline: str
    mark: str
    ends: bool

    def text(self, rows: Sequence[Row]) -> str:
        whole = "\n".join(row.text for row in rows).rstrip("\n") + ("\n" if self.ends else "")
        return self.mark + whole.replace("\n", self.newline)


def any_style(stream: random.Random) -> Style:
    return Style(stream.choice(["\n", "\r\n"]), stream.choice(["", "", "\ufeff"]), stream.random() < 0.8)


def words(stream: random.Random, most: int = 6) -> str:
    """A few words that hold nothing a reader looks for at the start of a line."""
    return " ".join(["mine", *stream.choices(WORDS, k=stream.randint(0, most))])


@cache
def specimen(kind: str) -> tuple[Row, ...]:
    """The specimen's lines, each with the items it stands in."""
    rows: list[Row] = []
    open_items: list[tuple[int, str]] = []
    for line in documents.template(kind).rstrip("\n").split("\n"):
        if kind not in PLAIN and (heading := _HEADING.fullmatch(line)):
            level = len(heading["marks"])
            open_items = [item for item in open_items if item[0] < level]
            if heading["id"]:
                open_items.append((level, heading["id"]))
            owners = tuple(id for _, id in open_items)
            rows.append(Row(line, owners, level, heading="" if heading["id"] else heading["text"]))
            continue
        owners = tuple(id for _, id in open_items)
        listed = None if kind in PLAIN or (owners and owners[-1][0] in "EWC") else _LISTED.match(line)
        heading = _HEADING.fullmatch(line)
        level = len(heading["marks"]) if heading else 0
        rows.append(Row(line, (*owners, listed["id"]) if listed else owners, level, heading=heading["text"] if heading else ""))
    return tuple(rows)


def shortened(kind: str, stream: random.Random) -> list[Row]:
    """The specimen with a few of its items."""
    rows = specimen(kind)
    ids = {row.owners[-1] for row in rows if row.owners and not re.fullmatch(r"F[0-9]+", row.owners[-1])}
    dropped = {id for id in sorted(ids) if stream.random() < 0.75}
    return [row for row in rows if not dropped.intersection(row.owners)]


def scribbled(rows: Sequence[Row], kind: str, stream: random.Random) -> list[Row]:
    """The lines with a person's notes in between, and headings underlined here and there."""
    found: list[Row] = []
    section = ""
    fenced = front = False
    rows = [*rows, Row("", rows[-1].owners)]
    often = 0.9 if kind in PLAIN else 0.3
    for number, row in enumerate(rows):
        section = row.heading or section
        front ^= row.text == "---"
        fenced ^= row.text.startswith("```")
        found.append(_underlined(row, stream))
        following = rows[number + 1] if number + 1 < len(rows) else Row("", level=1)
        if front or fenced or not section:
            continue
        if row.blank and stream.random() < often:
            at_end = following.level > 0
            owners = _heading_owners(rows[:number])
            found += _notes(stream, kind, section, _before(found), at_end=at_end, owners=owners)
        elif row.text.startswith("- ") and stream.random() < 0.2:
            found.append(_note_in_list(row, stream, section))
    return found


def _heading_owners(rows: Sequence[Row]) -> tuple[str, ...]:
    """The items that a paragraph below these lines stands in: those of the last heading."""
    return next((row.owners for row in reversed(rows) if row.level), ())


def _before(rows: Sequence[Row]) -> Row:
    return next((row for row in reversed(rows) if not row.blank), Row(""))


def _underlined(row: Row, stream: random.Random) -> Row:
    if row.level not in (1, 2) or not row.heading or stream.random() < 0.8:
        return row
    return row._replace(text=f"{row.heading}\n{'=-'[row.level - 1] * stream.randint(3, 9)}")


def _note_in_list(row: Row, stream: random.Random, section: str) -> Row:
    listed = row.owners and row.text.startswith(f"- {row.owners[-1]}: ")
    if listed and stream.random() < 0.5:
        return Row(f"  - a note, {words(stream)}", row.owners)
    owners = row.owners[:-1] if listed else row.owners
    return Row(f"<!-- {words(stream)} -->", owners)


def _notes(stream: random.Random, kind: str, section: str, before: Row, *, at_end: bool, owners: tuple[str, ...]) -> list[Row]:
    items = _items_stand(kind, section) and not owners  # a list or table there would be items without ids
    makers = [_paragraph, _fence, _comment, _quotation, *([] if items else [_table])]
    if section != "Terms" and not items:
        makers.append(_list)
    lines = stream.choice([*makers, _indented_code] if before.level else makers)(stream)
    if stream.random() < 0.5:
        lines = [*lines, "", *stream.choice(makers)(stream)]
    rows = [Row(line, owners) for line in [*lines, ""]]
    if at_end and not items and stream.random() < 0.5:
        name = f"{words(stream, 2)} {stream.randrange(10**6)}"
        level = stream.randint(2, 4) if kind in PLAIN else 6
        note = [Row("#" * level + f" {name}", owners, level, heading=name), Row("", owners)]
        rows += [*note, *(Row(line, owners) for line in [*_paragraph(stream), "", *_list(stream), ""])]
    return rows


def _items_stand(kind: str, section: str) -> bool:
    """Whether a section is there for items: a list of them, or a category with its questions."""
    schema = documents.KINDS[kind].form.schema
    return section in schema.expects or (schema.category is not None and section not in schema.sections)


def _paragraph(stream: random.Random) -> list[str]:
    return [f"{words(stream)}" for _ in range(stream.randint(1, 3))]


def _fence(stream: random.Random) -> list[str]:
    mark = stream.choice(["```", "~~~~"])
    inside = stream.choices(
        ["## Goals", "- CP1: yes. x", "> **User:** hi", "", "### T1.1. y", "<!--", "    deep", "- Yes: a"], k=4
    )
    return [f"{mark}{stream.choice(['', 'text'])}", *inside, mark]


def _comment(stream: random.Random) -> list[str]:
    inside = stream.choice([[], ["", "### CP1. hidden", "- Yes: hidden"], ["> **User:** hidden", "## Goals"]])
    return ["<!-- " + words(stream), *inside, "-->"] if inside else [f"<!-- {words(stream)} -->"]


def _table(stream: random.Random) -> list[str]:
    return ["| a | b |", "|---|---|", f"| {words(stream, 2).replace('|', '')} | DO1: x |"]


def _quotation(stream: random.Random) -> list[str]:
    return [f"> {words(stream)}", ">", "> - CP1: yes"]


def _list(stream: random.Random) -> list[str]:
    mark = stream.choice("-*+")
    return [f"{mark} {words(stream)}", f"  {mark} {words(stream)}", f"    {mark} {words(stream)}", f"{mark} {words(stream)}"]


def _indented_code(stream: random.Random) -> list[str]:
    return ["    ## Goals", f"    {words(stream)}"]


def items_of(value: Any) -> dict[str, Any]:
    """Every item within a value, by id."""
    found: dict[str, Any] = {}
    stack = [value]
    while stack:
        part = stack.pop()
        if isinstance(part, tuple):
            stack.extend(part)
        elif isinstance(part, msgspec.Struct):
            if "id" in part.__struct_fields__:
                found[part.id] = part
            stack.extend(getattr(part, name) for name in part.__struct_fields__)
    return found
