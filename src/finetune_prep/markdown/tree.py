"""A Markdown text as a tree: front matter, then sections, each with its list items and blockquotes.

The tree knows nothing of document kinds. It points into the text by line numbers and never changes it, so whatever a kind
does not ask for stays in the file as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from finetune_prep.markdown.inline import read
from finetune_prep.markdown.lines import Line, front_matter_length, lines_of, scan
from finetune_prep.markdown.normal import paragraph

DEEPEST = 20  # levels of nested lists; what is nested deeper counts as this deep
_PAIR = re.compile(r"(?P<key>[\w-]{1,40}) ?:(?P<value>|[ \t].*)")
_QUOTED = re.compile(r"(?P<mark>[\"'])(?P<text>.*?)(?P=mark)(?:\s+#.*)?")
_TRAILING_COMMENT = re.compile(r"(?:^|\s)#")
_QUOTE_MARK = re.compile(r"\s*> ?")


class Quote(NamedTuple):
    """A blockquote."""

    line: int
    """Its first line, 1-based."""
    lines: tuple[str, ...]
    """Its text without the `>` marks."""


@dataclass(eq=False)
class Node:
    """A section (heading, level 1 to 6) or a list item (level 0). Not changed any more once the tree has grown."""

    line: int
    """1-based line of its heading or marker."""
    level: int = 0
    body: int = 0
    """First line after the heading."""
    end: int = 0
    """The line after its last one; a section ends at the next heading of any level."""
    indent: int = 0
    """Column of a list item's text."""
    texts: list[str] = field(default_factory=list)
    entries: list[Node] = field(default_factory=list)
    quotes: list[Quote] = field(default_factory=list)

    @cached_property
    def text(self) -> str:
        """The heading, or the list item's own text, on one line."""
        return read(self.texts)

    @property
    def nested_text(self) -> str:
        """The text together with that of nested list items."""
        return read([self._nested])

    @property
    def _nested(self) -> str:
        text = paragraph([text for text in self.texts if text])
        between = " " if text and not text.endswith(":") else ", "
        nested = between.join(entry._nested for entry in self.entries)
        return f"{text} {nested}".strip() if nested else text

    def walk(self) -> Iterator[Node]:
        """All list items below this node, in order."""
        stack = list(reversed(self.entries))
        while stack:
            node = stack.pop()
            yield node
            stack.extend(reversed(node.entries))


class FrontMatter(NamedTuple):
    """What stands above a document between two lines of dashes."""

    values: dict[str, str]
    """Value of each key."""
    lines: dict[str, int]
    """1-based line of each key."""
    problem: str = ""
    """Why it cannot be read, and `problem_line`."""
    problem_line: int = 0


class Tree(NamedTuple):
    """A text as sections and list items."""

    lines: list[str]
    """The lines of the text; the first has index 0."""
    scanned: list[Line]
    """What each line is (front matter counts as blank)."""
    front: FrontMatter
    preamble: Node
    """What stands before the first heading."""
    sections: list[Node]

    @property
    def nodes(self) -> list[Node]:
        return [self.preamble, *self.sections]


def grow(text: str) -> Tree:
    """The tree of a text."""
    lines = lines_of(text)
    front = front_matter_length(lines)
    scanned = [Line("blank", "")] * front + scan(lines[front:])
    preamble = Node(line=front + 1, body=front + 1)
    builder = _Builder(preamble)
    for number, line in enumerate(scanned, start=1):
        builder.add(number, line)
    builder.close(len(lines) + 1)
    return Tree(lines, scanned, read_front_matter(lines[:front]), preamble, builder.sections)


class _Builder:
    def __init__(self, preamble: Node) -> None:
        self.sections: list[Node] = []
        self._section = preamble
        self._open: list[Node] = []  # list items that may go on, outermost first
        self._quote: list[str] = []
        self._quote_line = 0
        self._quote_owner = preamble

    def add(self, number: int, line: Line) -> None:
        if line.kind != "quote":
            self._end_quote()
        match line.kind:
            case "heading":
                self.close(number)
                self._section = Node(line=number, level=line.level, body=number + 1, texts=[line.text])
                self.sections.append(self._section)
            case "item":
                self._leave(line.indent)
                del self._open[DEEPEST - 1 :]
                owner = self._open[-1] if self._open else self._section
                node = Node(line=number, body=number + 1, indent=line.content, texts=[line.text])
                owner.entries.append(node)
                self._open.append(node)
                self._reach(number)
            case "quote":
                self._add_quote(number, line)
            case "text" | "fence" | "code" | "other":
                self._add_text(number, line)
            case "blank" | "comment":
                pass

    def close(self, number: int) -> None:
        """End the section before line `number`."""
        self._end_quote()
        self._open.clear()
        self._section.end = number

    def _leave(self, indent: int) -> Node:
        while self._open and indent < self._open[-1].indent:
            self._open.pop()
        return self._open[-1] if self._open else self._section

    def _reach(self, number: int) -> None:
        for node in self._open:
            node.end = number + 1

    def _add_text(self, number: int, line: Line) -> None:
        underline = (
            line.kind == "other"
            and number == self._section.body
            and self._section.level in (1, 2)
            and line.text.strip("=-") == ""
        )
        if underline and not self._open and self._section.level:
            self._section.body += 1
            return
        owner = self._open[-1] if self._open and line.joins else self._leave(line.indent)
        if owner is not self._section:
            owner.texts.append(line.text)
            self._reach(number)

    def _add_quote(self, number: int, line: Line) -> None:
        if not self._quote:
            self._quote_line = number
            self._quote_owner = self._leave(line.indent)
        self._quote.append(_QUOTE_MARK.sub("", line.visible, count=1))
        self._reach(number)

    def _end_quote(self) -> None:
        if self._quote:
            self._quote_owner.quotes.append(Quote(self._quote_line, tuple(self._quote)))
            self._quote = []


def read_front_matter(lines: Sequence[str]) -> FrontMatter:
    """Read `key: value` lines between the `---` lines: the flat part of YAML, every value a string."""
    values: dict[str, str] = {}
    where: dict[str, int] = {}
    for number, line in enumerate(lines[1:-1], start=2):
        if not line.strip() or line.startswith("#"):
            continue
        pair = _PAIR.fullmatch(line)
        if pair is None:
            return FrontMatter(values, where, "this line of the front matter is not `key: value`", number)
        if pair["key"] in values:
            return FrontMatter(values, where, f"“{pair['key']}” stands twice in the front matter", number)
        values[pair["key"]] = _scalar(pair["value"].strip())
        where[pair["key"]] = number
    return FrontMatter(values, where)


def _scalar(text: str) -> str:
    """A value without its quotation marks or trailing comment."""
    if quoted := _QUOTED.fullmatch(text):
        return quoted["text"]
    return _TRAILING_COMMENT.split(text, maxsplit=1)[0]
