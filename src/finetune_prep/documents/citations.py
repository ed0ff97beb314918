"""Citations: `S01 "verbatim words"`, or `expert, unsourced`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from finetune_prep.core.knowledge import UNSOURCED, Citation
from finetune_prep.markdown import inline
from finetune_prep.markdown.inline import Span, guard, one_line, unguard, unguarded, value_start
from finetune_prep.markdown.reader import Fields, Part, Reader

MEND = 'write for example: Source: S01 "the words of the source", or: Source: expert, unsourced'
_CITATION = re.compile(
    rf"(?P<source>{inline.ID}|{UNSOURCED})(?:\s*,?\s*unsourced)?(?:\s*[,:]?\s*[\"“”„«](?P<quote>.*)[\"“”»])?\.?",
    re.IGNORECASE | re.DOTALL,
)
_SEPARATOR = re.compile(
    rf"[\"“”»](?=\s*(?:[;,]\s*|and\s+|source:\s*){{1,3}}(?:{inline.ID}|{UNSOURCED})(?:\s*,)?\s*[\"“u])",
    re.IGNORECASE,
)
_UNGUARDED_SEPARATOR = unguarded(_SEPARATOR)
_OPENING = re.compile(rf"\s*(?:{inline.ID}|{UNSOURCED})\s*[,:]?\s*[\"“”„«]", re.IGNORECASE)
_BETWEEN = re.compile(r"\s*(?:[;,]\s*|and\s+|source:\s*){1,3}", re.IGNORECASE)
SOURCE_TAIL = re.compile(r"source:(?=\s|$)", re.IGNORECASE)


def render_citation(citation: Citation) -> str:
    quote = one_line(citation.quote)
    if quote:
        closed = guard(f'{quote}"', _SEPARATOR)
        return f'{citation.source} "{closed}'
    return f"{UNSOURCED}, unsourced" if citation.source == UNSOURCED else citation.source


def read_citations(reader: Reader, text: str, line: int, item: str) -> tuple[Citation, ...]:
    """One or more citations of one line."""
    found: list[Citation] = []
    for piece in _pieces(text):
        citation = _CITATION.fullmatch(piece)
        if citation is None:
            reader.add(line, f"“{piece[:60]}” is not a citation", MEND, item)
            continue
        source = citation["source"]
        quote = unguard(f'{citation["quote"] or ""}"', _SEPARATOR)[:-1].strip()
        found.append(Citation(UNSOURCED if source.casefold() == UNSOURCED else source.upper(), quote))
    return tuple(found)


def read_sources(reader: Reader, fields: Fields, item: str) -> tuple[Citation, ...]:
    """The citations of all `Source` fields of an item."""
    found: list[Citation] = []
    for field in fields.many("Source"):
        reader.mention(field.node, lambda text: cited_spans(text, value_start(text)), nested=True)
        found += read_citations(reader, field.value, field.line, item)
    return tuple(found)


def cited_spans(text: str, start: int) -> Iterator[Span]:
    """Where the ids of sources stand in citations that begin at `start`; never what is quoted."""
    value = text[start:]
    for first, last in _places(value):
        piece = value[first:last]
        if (found := _CITATION.fullmatch(piece.strip())) and re.fullmatch(inline.ID, found["source"]):
            begins = start + first + len(piece) - len(piece.lstrip())
            yield begins + found.start("source"), begins + found.end("source")


def read_tail_ids(reader: Reader, part: Part, value: str, tail: re.Pattern[str]) -> tuple[str, ...]:
    """The ids after `From:` or `Counters:` at the end of an item's text, as `split_tail` gives them."""
    if value:
        reader.mention(part.node, lambda text: inline.listed_spans(text, tail_end(text, tail)))
    return reader.ids(value, part.node.line, part.id)


def split_tail(text: str, tail: re.Pattern[str]) -> tuple[str, str]:
    """`Text. Key: value` → the text and the value; the text comes back unguarded."""
    found = _tail(text, tail)
    if found is None:
        return unguard(text, tail), ""
    return unguard(text[: found.start()].strip(), tail), text[found.end() :].strip()


def tail_end(text: str, tail: re.Pattern[str]) -> int:
    """Where the value of a tail begins; the end of the text if it has none."""
    found = _tail(text, tail)
    return found.end() if found else len(text)


def _tail(text: str, tail: re.Pattern[str]) -> re.Match[str] | None:
    return unguarded(re.compile(rf"(?<!\S)(?:{tail.pattern})", tail.flags)).search(text)


def _pieces(text: str) -> list[str]:
    """The citations of a line, each as it is written."""
    return [text[start:end].strip() for start, end in _places(text)]


def _places(text: str) -> Iterator[Span]:
    """Where the citations of a line stand. A quotation goes on to a closing mark that another citation follows."""
    start = 0
    while True:
        opening = _OPENING.match(text, start)
        closing = _UNGUARDED_SEPARATOR.search(text, opening.end() if opening else start)
        if closing is None:
            yield start, len(text)
            return
        yield start, closing.end()
        between = _BETWEEN.match(text, closing.end())
        start = between.end() if between else closing.end()
