"""Changing a person's file: only the lines that belong to a section or an item are replaced, all others stay byte for byte.

Line ends of the file (LF or CRLF) and its byte order mark are kept; new lines get the line ends of the file.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from finetune_prep.markdown.inline import entry_id, folded, heading_id, name_and_attributes
from finetune_prep.markdown.lines import lines_of
from finetune_prep.markdown.tree import Tree, grow

_RAW_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z")


class _Span(NamedTuple):
    """Lines from start up to end (exclusive), 0-based."""

    start: int
    end: int
    level: int
    """Of the heading, 0 for a list item."""


def section(text: str, heading: str) -> str:
    """The section with this heading (case-free, any level), its subsections included; "" if there is none. LF line ends."""
    tree = grow(text)
    span = _section(tree, heading)
    return "".join(f"{line}\n" for line in tree.lines[span.start : span.end]) if span else ""


def replace_section(text: str, heading: str, new: str, *, before: str = "") -> str:
    """Put `new` (heading line included) in place of a section and its subsections.

    An empty `new` takes it out. If there is no such section, `new` goes before the section `before`, or to the end if that is
    missing as well.
    """
    if not new.strip():
        return remove_section(text, heading)
    tree = grow(text)
    if span := _section(tree, heading):
        return _splice(text, span.start, span.end, lines_of(new.strip("\r\n")))
    following = _section(tree, before) if before else None
    return _insert(text, tree, following.start if following else len(tree.lines), new)


def following_section(text: str, heading: str) -> str:
    """The heading of the section that follows this one, "" if none does."""
    tree = grow(text)
    span = _section(tree, heading)
    following = (node.text for node in tree.sections if span and node.line - 1 >= span.end and node.level <= span.level)
    return next(following, "")


def remove_section(text: str, heading: str) -> str:
    """Take a section and its subsections out; the text as it is if there is none."""
    tree = grow(text)
    span = _section(tree, heading)
    return _remove(text, tree, span) if span else text


def item(text: str, id: str) -> str:
    """An item with all that is within it, as it stands, LF line ends. Raises KeyError if there is no such item."""
    tree = grow(text)
    span = _item(tree, id)
    return "".join(f"{line}\n" for line in tree.lines[span.start : span.end])


def replace_item(text: str, id: str, new: str) -> str:
    """Put `new` in place of an item with all that is within it. Raises KeyError if there is no such item."""
    tree = grow(text)
    span = _item(tree, id)
    return _splice(text, span.start, span.end, lines_of(new.strip("\r\n")))


def add_item(text: str, heading: str, new: str) -> str:
    """Put an item to the end of the section with this heading. Raises KeyError if there is no such section."""
    tree = grow(text)
    span = _section(tree, heading)
    if span is None:
        raise KeyError(heading)
    kept = [tree.lines[span.end - 1]] if span.end - span.start > 1 else [tree.lines[span.start], ""]
    return _splice(text, span.end - 1, span.end, [*kept, *lines_of(new.strip("\r\n"))])


def replace_heading(text: str, id: str, new: str) -> str:
    """Put `new` in place of the line in which an item begins. Raises KeyError if there is no such item."""
    span = _item(grow(text), id)
    return _splice(text, span.start, span.start + 1, [new])


def remove_item(text: str, id: str) -> str:
    """Take out an item with all that is within it. Raises KeyError if there is no such item."""
    tree = grow(text)
    return _remove(text, tree, _item(tree, id))


def _section(tree: Tree, heading: str) -> _Span | None:
    wanted = folded(heading)
    for number, node in enumerate(tree.sections):
        if wanted in (folded(node.text), folded(name_and_attributes(node.text)[0])):
            following = (other.line for other in tree.sections[number + 1 :] if other.level <= node.level)
            return _trimmed(tree, node.line - 1, next(following, len(tree.lines) + 1) - 1, node.level)
    return None


def _item(tree: Tree, id: str) -> _Span:
    """An item with the items within it. Headings come first: below an example, `- CP1: yes.` is an answer and no item."""
    for number, node in enumerate(tree.sections):
        label = heading_id(node.text)
        if label and label.id == id:
            following = (other.line for other in tree.sections[number + 1 :] if other.level <= node.level)
            return _trimmed(tree, node.line - 1, next(following, len(tree.lines) + 1) - 1, node.level)
    for entry in (entry for node in tree.nodes for entry in node.walk()):
        label = entry_id(entry.text)
        if label and label.id == id:
            return _trimmed(tree, entry.line - 1, entry.end - 1, 0)
    raise KeyError(id)


def _trimmed(tree: Tree, start: int, end: int, level: int) -> _Span:
    """Blank lines at the end belong to what follows."""
    while end > start + 1 and not tree.lines[end - 1].strip():
        end -= 1
    return _Span(start, end, level)


def _splice(text: str, start: int, end: int, new: list[str]) -> str:
    """The text with lines start to end (exclusive, 0-based) replaced."""
    mark, raw, newline = _raw_lines(text)
    lines = [f"{line}{newline}" for line in new]
    if end >= len(raw) and not raw[-1].endswith(("\n", "\r")):
        lines[-1] = lines[-1].removesuffix(newline)
    return "".join([mark, *raw[:start], *lines, *raw[end:]])


def _insert(text: str, tree: Tree, at: int, new: str) -> str:
    """The text with a new section before line `at`, parted from its neighbours by blank lines."""
    mark, raw, newline = _raw_lines(text)
    while at > 0 and (at > len(tree.lines) or not tree.lines[at - 1].strip()):
        at -= 1
    head, rest = raw[:at], raw[at:]
    if head and not head[-1].endswith(("\n", "\r")):
        head[-1] += newline
    lines = [f"{line}{newline}" for line in lines_of(new.strip("\r\n"))]
    gap = [newline] if head else []
    gap_after = [newline] if at < len(tree.lines) and tree.lines[at].strip() else []
    return "".join([mark, *head, *gap, *lines, *gap_after, *rest])


def _remove(text: str, tree: Tree, span: _Span) -> str:
    mark, raw, _ = _raw_lines(text)
    end = span.end
    parted = span.start == 0 or not tree.lines[span.start - 1].strip()
    while span.level and parted and end < len(tree.lines) and not tree.lines[end].strip():
        end += 1  # the blank lines that parted it from what follows
    return "".join([mark, *raw[: span.start], *raw[end:]])


def _raw_lines(text: str) -> tuple[str, list[str], str]:
    """The byte order mark, the lines with their ends, and the line end that the file uses. Split where `lines_of` splits."""
    bare = text.lstrip("\ufeff")
    raw = _RAW_LINE.findall(bare)
    return text[: len(text) - len(bare)], raw, "\r\n" if raw and raw[0].endswith("\r\n") else "\n"
