"""Changing a person's file: only the lines that belong to a section or an item are replaced, all others stay byte for byte.

Line ends of the file (LF or CRLF) and its byte order mark are kept; new lines get the line ends of the file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from finetune_prep.documents.kinds import has_read
from finetune_prep.markdown.inline import entry_id, folded, heading_id, name_and_attributes
from finetune_prep.markdown.lines import lines_of
from finetune_prep.markdown.tree import Node, Tree, grow
from finetune_prep.markdown.turns import starts_with_speaker
from finetune_prep.method.documents import DOCUMENTS

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
        return _splice(text, span.start, span.end, lines_of(new.strip("\r\n")))
    following = _section(tree, before) if before else None
    return _insert(text, tree, following.start if following else len(tree.lines), new)


def remove_section(text: str, heading: str) -> str:
    """Take a section and its subsections out; the text as it is if there is none."""
    tree = grow(text)
    span = _section(tree, heading)
    return _remove(text, tree, span) if span else text


def replace_item(text: str, id: str, new: str, *, kind: str) -> str:
    """Put `new` in place of an item's heading (or list item), fields, answers and conversations.

    The items within it stay, and so does its prose: comments of their own lines, lists that are no fields, quotations without
    speakers. Prose that stood between the heading and the first field stays there; the rest follows `new`.

    kind: a key of `DOCUMENTS`, which says what is a field. Raises KeyError if there is no such item, DocumentError for a
    text that cannot be read at all.
    """
    reader = has_read(kind, text, DOCUMENTS[kind].path)
    tree = reader.tree
    span = _item(tree, id, children=False)
    node = _node(tree, span)
    lines = _merged(lines_of(new.strip("\r\n")), _kept(tree, span, node, _structure(tree, node, reader.owned)), span)
    return _splice(text, span.start, span.end, lines)


def insert_item(text: str, new: str, *, after: str = "", section: str = "") -> str:
    """Add an item after the item `after` (and the items within it), or to the section `section`: a heading at its end, a list
    item after the last one that stands right below the section's heading.

    Raises KeyError if there is no such item or section.
    """
    tree = grow(text)
    if after:
        return _insert(text, tree, _item(tree, after, children=True).end, new)
    span = _section(tree, section)
    if span is None:
        raise KeyError(section)
    return _insert(text, tree, span.end if _is_heading(new) else _list_end(tree, span), new)


def remove_item(text: str, id: str) -> str:
    """Take out an item with all that is within it. Raises KeyError if there is no such item."""
    tree = grow(text)
    return _remove(text, tree, _item(tree, id, children=True))


def rewrite_lines(text: str, rows: Mapping[int, str]) -> str:
    """The text with some of its lines (0-based) changed; line ends and byte order marks stay."""
    mark, raw, _ = _raw_lines(text)
    for row, line in rows.items():
        bare = raw[row].rstrip("\r\n")
        marks = raw[row][: len(bare) - len(bare.lstrip("\ufeff"))]
        raw[row] = f"{marks}{line}{raw[row][len(bare) :]}"
    return "".join([mark, *raw])


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


def _node(tree: Tree, span: _Span) -> Node:
    """The heading or list item that begins a span."""
    within = tree.sections if span.level else [entry for node in tree.nodes for entry in node.walk()]
    return next(node for node in within if node.line == span.start + 1)


class _Kept(NamedTuple):
    """A person's lines within an item: those before its first field, answer or conversation, and those after."""

    before: list[str]
    after: list[str]


def _kept(tree: Tree, span: _Span, node: Node, structure: set[int]) -> _Kept:
    first = min((line for line in structure if line >= node.body), default=span.end + 1)
    cut = first if span.level else node.line
    lines = [line for line in range(node.line, span.end + 1) if line not in structure]
    return _Kept(
        _without_outer_blanks([tree.lines[line - 1] for line in lines if line < cut]),
        _without_outer_blanks([tree.lines[line - 1] for line in lines if line >= cut]),
    )


def _structure(tree: Tree, node: Node, owned: set[int]) -> set[int]:
    """The lines (1-based) of an item that are no prose."""
    lines = {*range(node.line, node.body)} if node.level else {node.line, *node.rows}
    for entry in node.entries:
        if entry.line in owned:
            lines.update(range(entry.line, entry.end))
    for quote in node.quotes:
        if starts_with_speaker(quote):
            lines.update(range(quote.line, quote.line + len(quote.lines)))
    return {line for line in lines if tree.scanned[line - 1].kind != "comment"}


def _merged(new: list[str], kept: _Kept, span: _Span) -> list[str]:
    """The lines of a new item with what is kept of the old one."""
    if not span.level:
        return [*new, *kept.after]
    before, after = kept
    if after and after[0][:1].isspace():
        before, after = _blocks([before, after]), []  # below a list it would go on with the last list item
    body = _heading_lines(new)
    return _blocks([new[:body], before, _without_outer_blanks(new[body:]), after]) if before else _blocks([new, after])


def _heading_lines(lines: list[str]) -> int:
    return next((section.body - 1 for section in grow("\n".join(lines)).sections), 1)


def _blocks(blocks: list[list[str]]) -> list[str]:
    """Blocks of lines, parted by blank lines."""
    lines: list[str] = []
    for block in blocks:
        lines += ["", *block] if lines and block else block
    return lines


def _without_outer_blanks(lines: list[str]) -> list[str]:
    inner = [number for number, line in enumerate(lines) if line.strip()]
    return lines[inner[0] : inner[-1] + 1] if inner else []


# ---- writing


def _splice(text: str, start: int, end: int, new: list[str]) -> str:
    """The text with lines start to end (exclusive, 0-based) replaced."""
    mark, raw, newline = _raw_lines(text)
    lines = [f"{line}{newline}" for line in new]
    if end >= len(raw) and not raw[-1].endswith(("\n", "\r")):
        lines[-1] = lines[-1].removesuffix(newline)
    return "".join([mark, *raw[:start], *lines, *raw[end:]])


def _insert(text: str, tree: Tree, at: int, new: str) -> str:
    """The text with `new` before line `at`; a heading is parted from its neighbours by blank lines, a list item follows on."""
    mark, raw, newline = _raw_lines(text)
    while at > 0 and (at > len(tree.lines) or not tree.lines[at - 1].strip()):
        at -= 1
    head, rest = raw[:at], raw[at:]
    if head and not head[-1].endswith(("\n", "\r")):
        head[-1] += newline
    lines = [f"{line}{newline}" for line in lines_of(new.strip("\r\n"))]
    in_list = not _is_heading(new) and at > 0 and _ends_in_list(tree, at - 1)
    gap = [] if in_list or not head else [newline]
    following = tree.lines[at] if at < len(tree.lines) else ""
    gap_after = [newline] if following.strip() and not (in_list and tree.scanned[at].kind == "item") else []
    return "".join([mark, *head, *gap, *lines, *gap_after, *rest])


def _ends_in_list(tree: Tree, line: int) -> bool:
    """Whether line (0-based) is part of a list."""
    return any(entry.line - 1 <= line < entry.end - 1 for node in tree.nodes for entry in node.entries)


def _is_heading(new: str) -> bool:
    return new.lstrip("\r\n").startswith("#")


def _list_end(tree: Tree, span: _Span) -> int:
    """Where a list item is added to a section: after its last one with an id, else before its subsections."""
    node = _node(tree, span)
    last = max((entry.end for entry in node.entries if entry_id(entry.text)), default=node.end)
    return last - 1


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
