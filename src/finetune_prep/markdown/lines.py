"""What each line of a Markdown text is: heading, list item, blockquote, code fence, comment, paragraph text.

The block structure of CommonMark, one line at a time and in linear time, for the constructs that our documents use. A full
parser needs seconds for some texts of 500 KB and 50 ms to import; here it serves as the oracle of the tests. Deliberate
differences, all towards what the writer meant: a list item may be indented by any number of spaces, `•` is a bullet, HTML
other than comments is plain text, a comment that is never closed is text, and link references are paragraphs.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

LineKind = Literal["blank", "heading", "item", "text", "quote", "fence", "code", "comment", "other"]

HEADING = re.compile(r"(#{1,6})(?:[ \t]+|$)")
ITEM = re.compile(r"(?:[-*+•]|(?P<number>\d{1,9})[.)])(?:[ \t]+|$)")
RULE = re.compile(r"(?:(?:-[ \t]*){3,}|(?:\*[ \t]*){3,}|(?:_[ \t]*){3,})$")
UNDERLINE = re.compile(r"(?:(=+)|-+)[ \t]*$")
FENCE = re.compile(r"(`{3,}(?=[^`]*$)|~{3,})")
TAG = re.compile(r"</?[A-Za-z][^<>]*>$")  # a line that is one tag: `<conversation>`
TABLE_RULE = re.compile(r"[|:\- \t]*-[|:\- \t]*$")
OPEN_COMMENT = re.compile(r"(?<!\\)<!--")
BYTE_ORDER_MARK = re.compile(r"^\ufeff+", re.MULTILINE)
PARAGRAPH: frozenset[LineKind] = frozenset({"text", "item"})
TAB = 4


class Line(NamedTuple):
    """One line."""

    kind: LineKind
    visible: str
    """The line without comments."""
    text: str = ""
    """What it says, without `#`, list marker and outer white space."""
    indent: int = 0
    """Columns before the first character."""
    content: int = 0
    """Column where a list item's text begins."""
    level: int = 0
    """Level of a heading, 1 to 6."""
    joins: bool = False
    """Whether it continues the paragraph of the line before."""

    @property
    def literal(self) -> bool:
        """Whether `<!--` is text here: in code fences and behind a `>`."""
        return self.kind == "fence" or (self.kind == "quote" and self.text.startswith(">"))


class _Fence(NamedTuple):
    mark: str
    indent: int
    floor: int  # a line indented less than this ends the list item that holds the fence, and the fence with it


def lines_of(text: str) -> list[str]:
    """The lines of a text: LF, CRLF and CR end a line, nothing else does. Byte order marks at the start of a line, as
    joined files have them, are dropped."""
    return BYTE_ORDER_MARK.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).split("\n")


def front_matter_length(lines: Sequence[str]) -> int:
    """Number of lines of the YAML front matter, both `---` lines included; 0 if there is none."""
    if not lines or lines[0].rstrip() != "---":
        return 0
    for number, line in enumerate(lines[1:], start=2):
        if line.rstrip() in ("---", "..."):
            return number
    return 0


def scan(lines: Sequence[str], *, comments: bool = True) -> list[Line]:
    """One `Line` for each line (without line ends, without front matter). comments: False = `<!--` is text like any other."""
    return scan_to_end(lines, comments=comments)[0]


def scan_to_end(lines: Sequence[str], *, comments: bool = True) -> tuple[list[Line], str]:
    """`scan`, and the line that would close a code fence left open at the end ("" if none is)."""
    scanned, closing = _scanned(tuple(lines), comments)
    return [*scanned], closing


@lru_cache(maxsize=32)  # gates, prompts and splices look at the same few documents again and again
def _scanned(lines: tuple[str, ...], comments: bool) -> tuple[tuple[Line, ...], str]:
    scanner = _Scanner(lines, comments)
    for number in range(len(lines)):
        scanner.step(number)
    return tuple(scanner.result), scanner.closing


class _Scanner:
    def __init__(self, lines: Sequence[str], comments: bool) -> None:
        self.lines = lines
        self._comments = comments
        self.result: list[Line] = []
        self._fence: _Fence | None = None
        self._open: list[int] = []  # columns where the text of the list items begins that may go on
        self._in_comment = False
        self._last_close = max((number for number, line in enumerate(lines) if "-->" in line), default=-1)

    @property
    def closing(self) -> str:
        return " " * self._fence.indent + self._fence.mark if self._fence else ""

    def step(self, number: int) -> None:
        raw = self.lines[number]
        if self._fence and self._continue_fence(self._fence, raw):
            return
        if not self._in_comment and self._quote(raw):
            return
        inside = self._in_comment
        # what follows the mark of a fence is its info string, whatever it looks like
        visible = raw if not inside and FENCE.match(raw.strip()) else self._without_comments(raw, number)
        text = visible.strip()
        if not text:
            self._add(Line("comment" if inside or visible != raw else "blank", visible))
            return
        indent = _width(visible)
        if not self._heading_or_rule(visible, text, indent) and not self._item(visible, text, indent):
            self._plain(number, visible, text, indent)

    def _add(self, line: Line) -> None:
        self.result.append(line)

    @property
    def _before(self) -> Line:
        return self.result[-1] if self.result else Line("blank", "")

    def _continue_fence(self, fence: _Fence, raw: str) -> bool:
        text = raw.strip()
        if text and _width(raw) < fence.floor:
            self._fence = None
            return False
        if len(text) >= len(fence.mark) and not text.strip(fence.mark[0]):
            self._fence = None
        self._add(Line("fence", raw, text))
        return True

    def _quote(self, raw: str) -> bool:
        text = raw.lstrip()
        if not text.startswith(">"):
            return False
        indent = _width(raw)
        if indent >= TAB + self._leave(indent):
            return False
        self._add(Line("quote", raw, text, indent))
        return True

    def _without_comments(self, raw: str, number: int) -> str:
        """The line without comments; remembers whether one goes on in the next line."""
        if not self._in_comment and (not self._comments or "<!--" not in raw):
            return raw
        kept, position = [], 0
        while position <= len(raw):
            if self._in_comment:
                end = raw.find("-->", position)
                if end < 0:
                    break
                self._in_comment, position = False, end + 3
            opening = self._comment_start(raw, position, number)
            if opening < 0:
                kept.append(raw[position:])
                break
            kept.append(raw[position:opening])
            self._in_comment, position = True, opening + len("<!--")
        return "".join(kept).rstrip()

    def _comment_start(self, raw: str, position: int, number: int) -> int:
        """Where the next comment begins, -1 if none does: not within inline code, and closed in this line – or, where it
        begins the line, in a later one."""
        last_end = raw.rfind("-->")
        for found in OPEN_COMMENT.finditer(raw, position):
            in_line = last_end >= found.end()
            if not in_line and (self._last_close <= number or raw[: found.start()].strip("-*+ \t")):
                return -1
            if raw.count("`", 0, found.start()) % 2 == 0:
                return found.start()
        return -1

    def _leave(self, indent: int) -> int:
        """Close the list items that a block at this indentation no longer belongs to; the column where its text may begin."""
        while self._open and indent < self._open[-1]:
            self._open.pop()
        return self._open[-1] if self._open else 0

    def _heading_or_rule(self, visible: str, text: str, indent: int) -> bool:
        before = self._before
        if (found := UNDERLINE.match(text)) and before.kind == "text" and not self._open and indent < TAB:
            if not before.joins:
                self.result[-1] = before._replace(kind="heading", level=1 if found[1] else 2)
            self._add(Line("other", visible, text, indent))
            return True
        if RULE.match(text):
            self._leave(indent)
            self._add(Line("other", visible, text, indent))
            return True
        if (heading := HEADING.match(text)) and indent < TAB + (self._open[-1] if self._open else 0):
            # a heading within a list item is part of that item and begins no section
            kind: LineKind = "heading" if self._leave(indent) == 0 else "other"
            closing = re.compile(rf"[ \t]+{heading[1]}\s*\Z")  # "## Facts ##"; as many as at its start, as people close them
            self._add(Line(kind, visible, closing.sub("", text[heading.end() :], count=1), indent, level=len(heading[1])))
            return True
        return False

    def _item(self, visible: str, text: str, indent: int) -> bool:
        marker = ITEM.match(text)
        if marker is None or (self._before.kind == "code" and indent >= TAB):
            return False
        inside = indent >= (self._open[-1] if self._open else 0)
        # "in the year\n1984. Then …" is a paragraph
        if inside and self._before.kind in PARAGRAPH and marker["number"] and int(marker["number"]) != 1:
            return False
        rest = text[marker.end() :]
        if not rest and self._before.kind == "text" and not self._open:
            return False
        self._leave(indent)
        content = indent + (marker.end() if rest and marker.end() <= TAB + 2 else len(marker[0].rstrip()) + 1)
        self._open.append(content)
        self._add(Line("item", visible, rest, indent, content))
        self._open_fence(rest, content)
        return True

    def _open_fence(self, text: str, indent: int) -> None:
        if found := FENCE.match(text):
            self._fence = _Fence(found[1], indent, self._open[-1] if self._open else 0)

    def _plain(self, number: int, visible: str, text: str, indent: int) -> None:
        before = self._before
        in_paragraph = before.kind == "text" or (before.kind == "item" and not FENCE.match(before.text))
        lazy = in_paragraph and before.text != ""
        floor = self._open[-1] if lazy and self._open else 0 if lazy else self._leave(indent)
        if indent < TAB + floor and FENCE.match(text):
            self._leave(indent)
            self._open_fence(text, indent)
            self._add(Line("fence", visible, text, indent))
        elif not lazy and before.kind != "quote" and indent >= TAB + floor:
            self._add(Line("code", visible, text, indent))
        elif before.kind == "quote" and before.text.strip("> \t"):
            self._add(Line("quote", visible, text, indent))  # CommonMark's lazy continuation
        elif self._in_table(number, text) or TAG.match(text):
            self._add(Line("other", visible, text, indent))
        else:
            continues = lazy or (in_paragraph and indent >= before.content)
            joins = continues and not before.visible.endswith("\\")
            self._add(Line("text", visible, text, indent, joins=joins))

    def _in_table(self, number: int, text: str) -> bool:
        if text.startswith("|"):
            return True
        if "|" not in text:
            return False
        after = self.lines[number + 1].strip() if number + 1 < len(self.lines) else ""
        return self._before.kind == "other" or ("|" in after and TABLE_RULE.match(after) is not None)


def _width(line: str) -> int:
    """Columns of white space at the start of a line; a tab leads to the next multiple of four."""
    bare = line.lstrip()
    return len(line[: len(line) - len(bare)].expandtabs(TAB))
