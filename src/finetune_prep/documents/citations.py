"""Citations: `S01 "verbatim words"`, or `expert, unsourced`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from finetune_prep.core.knowledge import UNSOURCED, Citation
from finetune_prep.markdown import inline
from finetune_prep.markdown.inline import guard, one_line, unguard, unguarded
from finetune_prep.markdown.reader import Fields, Reader

FIX = 'write for example: Source: S01 "the words of the source", or: Source: expert, unsourced'
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
            reader.add(line, f"“{piece[:60]}” is not a citation", FIX, item)
            continue
        source = citation["source"]
        quote = unguard(f'{citation["quote"] or ""}"', _SEPARATOR)[:-1].strip()
        found.append(Citation(UNSOURCED if source.casefold() == UNSOURCED else source.upper(), quote))
    return tuple(found)


def read_sources(reader: Reader, fields: Fields, item: str) -> tuple[Citation, ...]:
    """The citations of all `Source` fields of an item."""
    found: list[Citation] = []
    for field in fields.many("Source"):
        found += read_citations(reader, field.value, field.line, item)
    return tuple(found)


def split_tail(text: str, tail: re.Pattern[str]) -> tuple[str, str]:
    """`Text. Key: value` → the text and the value; the text comes back unguarded."""
    found = _tail(text, tail)
    if found is None:
        return unguard(text, tail), ""
    return unguard(text[: found.start()].strip(), tail), text[found.end() :].strip()


def _tail(text: str, tail: re.Pattern[str]) -> re.Match[str] | None:
    return unguarded(re.compile(rf"(?<!\S)(?:{tail.pattern})", tail.flags)).search(text)


def _pieces(text: str) -> Iterator[str]:
    """The citations of a line, each as it is written. A quotation goes on to a closing mark that another citation follows."""
    start = 0
    while True:
        opening = _OPENING.match(text, start)
        closing = _UNGUARDED_SEPARATOR.search(text, opening.end() if opening else start)
        if closing is None:
            yield text[start:].strip()
            return
        yield text[start : closing.end()].strip()
        between = _BETWEEN.match(text, closing.end())
        start = between.end() if between else closing.end()
