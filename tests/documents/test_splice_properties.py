"""An edit changes its own lines: a thousand random edits per kind, on documents full of what people write in between.

The number of edits per kind is 1,000 with `make soak`, less in the everyday suite.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

import pytest

from finetune_prep import documents
from tests.documents.handwritten import PLAIN, Row, Style, any_style, items_of, scribbled, shortened, words
from tests.soak import SOAK

EDITS = 1000 if SOAK else 150  # per kind


class Sheet(NamedTuple):
    """A person's document and the same without the person's notes."""

    kind: str
    clean: list[Row]
    rows: list[Row]
    style: Style

    @property
    def text(self) -> str:
        return self.style.text(self.rows)


def sheet(kind: str, stream: random.Random) -> Sheet:
    clean = shortened(kind, stream)
    return Sheet(kind, clean, scribbled(clean, kind, stream), any_style(stream))


def raw(sheet: Sheet, rows: Sequence[Row]) -> list[str]:
    return [f"{line}{sheet.style.newline}" for row in rows for line in row.text.split("\n")]


def real(given: Sequence[str]) -> list[str]:
    return [line for line in given if line.strip("\ufeff \r\n")]


def assert_only_these(sheet: Sheet, after: str, first: int, last: int, wanted: Sequence[str]) -> list[str]:
    """Rows before `first` and from `last` on stand byte for byte; in between stand, blank lines apart, the wanted lines."""
    while not wanted and last < len(sheet.rows) and sheet.rows[last].blank:
        last += 1  # what is taken out may take the blank lines below it along
    head, tail = raw(sheet, sheet.rows[:first]), _without_last_blanks(raw(sheet, sheet.rows[last:]))
    if sheet.style.mark:
        head = [sheet.style.mark + head[0], *head[1:]] if head else head
    found = _without_last_blanks(_split(after))
    if sheet.style.mark and not head and found:
        assert found[0].startswith(sheet.style.mark)
        found = [found[0].removeprefix(sheet.style.mark), *found[1:]]
    if not tail and not wanted:
        head = _without_last_blanks(head)
    assert found[: len(head)] == head
    assert not tail or found[-len(tail) :] == tail
    middle = found[len(head) : len(found) - len(tail)]
    assert Counter(real(middle)) == Counter(real(wanted))
    return middle


def _split(text: str) -> list[str]:
    newline = "\r\n" if "\r\n" in text else "\n"
    return [f"{line}{newline}" for line in text.removesuffix(newline).split(newline)]


def _without_last_blanks(given: list[str]) -> list[str]:
    count = len(given)
    while count and not given[count - 1].strip():
        count -= 1
    return given[:count]


def sound(sheet: Sheet, text: str) -> documents.Document:
    document = documents.parse(sheet.kind, text, "x.md")
    assert document.findings == ()
    return document


def span(rows: Sequence[Row], path: tuple[str, ...]) -> tuple[int, int]:
    """First row of an item and the one after its last that is not blank, inner items included."""
    inside = [number for number, row in enumerate(rows) if row.owners[: len(path)] == path and not row.blank]
    return inside[0], inside[-1] + 1


def any_item(sheet: Sheet, stream: random.Random) -> tuple[str, ...] | None:
    paths = sorted({row.owners for row in sheet.clean if row.owners})
    return stream.choice(paths) if paths else None


def remove_item(sheet: Sheet, stream: random.Random) -> bool:
    path = any_item(sheet, stream)
    if path is None:
        return False
    after = documents.remove_item(sheet.text, path[-1])
    assert_only_these(sheet, after, *span(sheet.rows, path), [])
    items = items_of(sound(sheet, sheet.text).value)
    gone = {row.owners[len(path) - 1 :] for row in sheet.rows if row.owners[: len(path)] == path}
    left = items_of(documents.parse(sheet.kind, after, "x.md").value)
    assert set(left) == set(items) - {id for ids in gone for id in ids}
    return True


def any_section(sheet: Sheet, stream: random.Random) -> tuple[int, int, str] | None:
    """First row, the one after the last that is not blank, and heading of a section."""
    names = Counter(row.heading for row in sheet.rows if row.heading)
    heads = [number for number, row in enumerate(sheet.rows) if names[row.heading] == 1 and row.level]
    if not heads:
        return None
    first = stream.choice(heads)
    following = (n for n in range(first + 1, len(sheet.rows)) if 0 < sheet.rows[n].level <= sheet.rows[first].level)
    last = next(following, len(sheet.rows))
    while sheet.rows[last - 1].blank:
        last -= 1
    return first, last, sheet.rows[first].heading


def replace_section(sheet: Sheet, stream: random.Random) -> bool:
    if found := any_section(sheet, stream):
        first, last, heading = found
        new = ["## Brand new", "", words(stream), words(stream)]
        after = documents.replace_section(sheet.text, heading, "\n".join(new))
        middle = assert_only_these(sheet, after, first, last, [f"{line}{sheet.style.newline}" for line in new])
        assert middle == [f"{line}{sheet.style.newline}" for line in new]
        assert documents.replace_section(sheet.text, heading, documents.section(sheet.text, heading)) == sheet.text
    return found is not None


def remove_section(sheet: Sheet, stream: random.Random) -> bool:
    if found := any_section(sheet, stream):
        first, last, heading = found
        assert_only_these(sheet, documents.remove_section(sheet.text, heading), first, last, [])
    return found is not None


def new_section(sheet: Sheet, stream: random.Random) -> bool:
    found = any_section(sheet, stream)
    new = ["## Brand new", "", words(stream)]
    first = found[0] if found else len(sheet.rows)
    while first and sheet.rows[first - 1].blank:
        first -= 1
    after = documents.replace_section(sheet.text, "Brand new", "\n".join(new), before=found[2] if found else "Nowhere")
    assert_only_these(sheet, after, first, first, [f"{line}{sheet.style.newline}" for line in new])
    return True


ON_SECTIONS: tuple[Callable[[Sheet, random.Random], bool], ...] = (replace_section, remove_section, new_section)
ON_ITEMS = (remove_item, remove_item, remove_item)


@pytest.mark.parametrize("kind", documents.KINDS)
def test_a_random_edit_changes_its_own_lines_and_reads_as_intended(kind: str) -> None:
    operations = ON_SECTIONS if kind in PLAIN else ON_SECTIONS + ON_ITEMS
    done = number = 0
    while done < EDITS:
        number += 1
        stream = random.Random(f"{kind} {number}")
        made = sheet(kind, stream)
        operation = stream.choice(operations)
        try:
            done += operation(made, stream)
        except AssertionError as error:
            error.add_note(f"{kind} {number} {operation.__name__}")
            raise
