"""Changing a person's file: only the lines that belong to a section or an item are replaced, all others stay byte for byte.

Line ends of the file (LF or CRLF) and its byte order mark are kept; new lines get the line ends of the file.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from finetune_prep.documents.inline import entry_id, folded, heading_id, name_and_attributes
from finetune_prep.documents.tree import Node, Tree, grow

_RAW_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z")


class _Span(NamedTuple):
    """Lines from start up to end (exclusive), 0-based. level: of the heading, 0 for a list item."""

    start: int
    end: int
    level: int


def section(text: str, heading: str) -> str:
    """The section with this heading (case-free, any level), its subsections included; "" if there is none. LF line ends."""
    tree = grow(text)
    span = _section(tree, heading)
    return "".join(f"{line}\n" for line in tree.lines[span.start : span.end]) if span else ""


def replace_section(text: str, heading: str, new: str, *, before: str = "") -> str:
    """Put `new` (heading line included) in place of a section and its subsections.

    If there is no such section, `new` goes before the section `before`, or to the end if that is missing as well.
    """
    tree = grow(text)
    if span := _section(tree, heading):
        return _splice(text, span.start, span.end, new)
    following = _section(tree, before) if before else None
    return _insert(text, tree, following.start if following else len(tree.lines), new)


def remove_section(text: str, heading: str) -> str:
    """Take a section and its subsections out; the text as it is if there is none."""
    tree = grow(text)
    span = _section(tree, heading)
    return _remove(text, tree, span) if span else text


def replace_item(text: str, id: str, new: str) -> str:
    """Put `new` in place of an item's heading (or list item), fields and conversations.

    The items within it stay, and so does its prose (comments too): it follows `new`. Raises KeyError if there is no such item.
    """
    tree = grow(text)
    span = _item(tree, id, children=False)
    kept = _prose(tree, span)
    return _splice(text, span.start, span.end, new.strip("\n") + ("\n\n" + "\n".join(kept) if kept else ""))


def insert_item(text: str, new: str, *, after: str = "", section: str = "") -> str:
    """Add an item after the item `after` (and the items within it), or at the end of the section `section`.

    Raises KeyError if there is no such item or section.
    """
    tree = grow(text)
    if after:
        return _insert(text, tree, _item(tree, after, children=True).end, new)
    span = _section(tree, section)
    if span is None:
        raise KeyError(section)
    return _insert(text, tree, span.end, new)


def remove_item(text: str, id: str) -> str:
    """Take out an item with all that is within it. Raises KeyError if there is no such item."""
    tree = grow(text)
    return _remove(text, tree, _item(tree, id, children=True))


def _section(tree: Tree, heading: str) -> _Span | None:
    wanted = folded(heading)
    for number, node in enumerate(tree.sections):
        if wanted in (folded(node.text), folded(name_and_attributes(node.text)[0])):
            following = (other.line for other in tree.sections[number + 1 :] if other.level <= node.level)
            return _trimmed(tree, node.line - 1, next(following, len(tree.lines) + 1) - 1, node.level)
    return None


def _item(tree: Tree, id: str, *, children: bool) -> _Span:
    """Headings come first: below an example, `- CP1: yes.` is an answer and no item."""
    for number, node in enumerate(tree.sections):
        label = heading_id(node.text)
        if label and label.id == id:
            ends = (
                other.line
                for other in tree.sections[number + 1 :]
                if other.level <= node.level or (not children and heading_id(other.text))
            )
            return _trimmed(tree, node.line - 1, next(ends, len(tree.lines) + 1) - 1, node.level)
    for entry in (entry for node in tree.nodes for entry in node.walk()):
        label = entry_id(entry.text)
        if label and label.id == id:
            inner = (child.line for child in entry.walk() if not children and entry_id(child.text))
            return _trimmed(tree, entry.line - 1, next(inner, entry.end) - 1, 0)
    raise KeyError(id)


def _trimmed(tree: Tree, start: int, end: int, level: int) -> _Span:
    """Blank lines at the end belong to what follows."""
    while end > start + 1 and not tree.lines[end - 1].strip():
        end -= 1
    return _Span(start, end, level)


def _prose(tree: Tree, span: _Span) -> list[str]:
    """The lines of an item that are neither heading nor list item nor blockquote."""
    if not span.level:
        return []
    owned = {line for node in _within(tree, span) for line in _structured(node)}
    kept = [tree.lines[line - 1] for line in range(span.start + 1, span.end + 1) if line not in owned]
    while kept and not kept[0].strip():
        kept = kept[1:]
    while kept and not kept[-1].strip():
        kept.pop()
    return kept


def _within(tree: Tree, span: _Span) -> list[Node]:
    """The item's own section; deeper headings that are no items are prose, with all that stands below them."""
    return [node for node in tree.sections if node.line == span.start + 1]


def _structured(node: Node) -> set[int]:
    owned = set(range(node.line, node.body))
    for entry in node.entries:
        owned.update(range(entry.line, entry.end))
    for quote in node.quotes:
        owned.update(range(quote.line, quote.line + len(quote.lines)))
    return owned


# ---- writing


def _splice(text: str, start: int, end: int, new: str) -> str:
    """The text with lines start to end (exclusive, 0-based) replaced."""
    raw, newline = _raw_lines(text)
    lines = [f"{line}{newline}" for line in new.strip("\n").split("\n")]
    if end >= len(raw) and not raw[-1].endswith(("\n", "\r")):
        lines[-1] = lines[-1].removesuffix(newline)
    mark = "\ufeff" if start == 0 and text.startswith("\ufeff") else ""
    return "".join([*raw[:start], mark, *lines, *raw[end:]])


def _insert(text: str, tree: Tree, at: int, new: str) -> str:
    """The text with `new` before line `at`; a heading is parted from its neighbours by blank lines, a list item follows on."""
    raw, newline = _raw_lines(text)
    while at > 0 and (at > len(tree.lines) or not tree.lines[at - 1].strip()):
        at -= 1
    head, rest = raw[:at], raw[at:]
    if head and not head[-1].endswith(("\n", "\r")):
        head[-1] += newline
    lines = [f"{line}{newline}" for line in new.strip("\n").split("\n")]
    in_list = not new.lstrip("\n").startswith("#") and at > 0 and _ends_in_list(tree, at - 1)
    gap = [] if in_list or not head else [newline]
    following = tree.lines[at] if at < len(tree.lines) else ""
    gap_after = [newline] if following.strip() and not (in_list and tree.scanned[at].kind == "item") else []
    return "".join([*head, *gap, *lines, *gap_after, *rest])


def _ends_in_list(tree: Tree, line: int) -> bool:
    """Whether line (0-based) is part of a list."""
    return any(entry.line - 1 <= line < entry.end - 1 for node in tree.nodes for entry in node.entries)


def _remove(text: str, tree: Tree, span: _Span) -> str:
    raw, _ = _raw_lines(text)
    end = span.end
    while span.level and end < len(tree.lines) and not tree.lines[end].strip():
        end += 1  # the blank lines that parted it from what follows
    return "".join([*raw[: span.start], *raw[end:]])


def _raw_lines(text: str) -> tuple[list[str], str]:
    """The lines with their ends, and the line end that the file uses. Split where `lines_of` splits."""
    raw = _RAW_LINE.findall(text)
    return raw, "\r\n" if raw and raw[0].endswith("\r\n") else "\n"
