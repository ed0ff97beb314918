"""Cutting a text into pieces that can be read by themselves: at paragraphs, headings with what follows them, rows left whole."""

from __future__ import annotations

import re
from collections.abc import Iterator

LONGEST = 1_200  # characters of a passage
_BLANK = re.compile(r"\n[ \t]*\n")
_HEADINGS = re.compile(r"(?:[ ]{0,3}#{1,6}(?:[ \t].*)?(?:\n|\Z))+")
_HEADING_LINE = re.compile(r"[ ]{0,3}#{1,6}(?:[ \t]|\Z)")
_ROW = re.compile(r"[ ]{0,3}\|")
_DELIMITERS = re.compile(r"[ ]{0,3}\|[ \t:|]*-[ \t:|-]*")
_SENTENCE_END = re.compile(r"[.!?…](?=\s)|[。！？]")

Span = tuple[int, int]  # offsets of the first character and behind the last one


def passages(text: str, longest: int = LONGEST) -> Iterator[tuple[int, str]]:
    """Offset and text of pieces: paragraphs, joined while they are short, cut between lines or words where they are long.

    A heading stands in the piece with what follows it. Together they hold every character of the text but white space.
    """
    held: list[Span] = []
    for paragraph in _paragraphs(text):
        if held and paragraph[1] - held[0][0] > longest:
            headings = _headings_at_the_end(text, held)
            if whole := held[: len(held) - headings]:
                yield from _cut(text, whole[0][0], whole[-1][1], longest)
                held = held[len(whole) :]
        held.append(paragraph)
    if held:
        yield from _cut(text, held[0][0], held[-1][1], longest)


def table_head(text: str, start: int) -> str:
    """The head row of the Markdown table, with the line below it, of which a piece begins as a later row; else ""."""
    if not _ROW.match(text, start):
        return ""
    lines: list[str] = []
    at = start
    while at and _ROW.match(text, before := text.rfind("\n", 0, at - 1) + 1):
        lines.append(text[before : at - 1])
        at = before
    head = lines[:-3:-1]  # the first two rows of the table, in their order
    return "\n".join(head) if len(head) == 2 and _DELIMITERS.fullmatch(head[1]) else ""


def _paragraphs(text: str) -> Iterator[Span]:
    at = 0
    for gap in _BLANK.finditer(text):
        if text[at : gap.start()].strip():
            yield at, gap.start()
        at = gap.end()
    if text[at:].strip():
        yield at, len(text)


def _headings_at_the_end(text: str, paragraphs: list[Span]) -> int:
    """How many of the last paragraphs hold nothing but headings."""
    count = 0
    for first, last in reversed(paragraphs):
        if not _HEADINGS.fullmatch(text[first:last].strip("\n")):
            break
        count += 1
    return count


def _cut(text: str, start: int, end: int, longest: int) -> Iterator[tuple[int, str]]:
    while start < end:
        stop = _stop(text, start, end, longest)
        piece = text[start:stop]
        if piece.strip():
            lead = len(piece) - len(piece.lstrip())
            yield start + lead, piece.strip()
        start = stop


def _stop(text: str, start: int, end: int, longest: int) -> int:
    """Where a piece that begins here ends: with a line or sentence in its second half, else with a word, else when it is full."""
    length = end - start
    if length <= longest:
        return end
    size = -(-length // -(-length // longest))  # as long as its neighbours, so that no scrap is left at the end
    line = text.rfind("\n", start + size // 2, start + size)
    while line > 0 and _HEADING_LINE.match(text, text.rfind("\n", 0, line) + 1):
        line = text.rfind("\n", start + 1, line)
    sentence = max((found.end() for found in _SENTENCE_END.finditer(text, start + size // 2, start + size)), default=0)
    blank = text.rfind(" ", start + 1, start + size)
    return next((stop for stop in (line, sentence, blank) if stop > start), start + size)
