"""What is worked out from the text of a document alone: the document that it holds, and the hashes that know its items.

A text is read once in a process; and what an earlier process read from it may be given (`with_known`).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from functools import lru_cache
from typing import Any, Generic, TypeVar

import msgspec

from finetune_prep.core.identity import digest, digest_bytes
from finetune_prep.core.rubric import Rubric
from finetune_prep.documents.document import Document
from finetune_prep.documents.kinds import KINDS, parse
from finetune_prep.documents.readings.items import item_texts, other_text, undated
from finetune_prep.markdown.decoding import read_bytes
from finetune_prep.markdown.normal import normal

T = TypeVar("T")

decoded = lru_cache(maxsize=64)(read_bytes)
"""The text of a file's bytes, with a finding if they are no text."""


@lru_cache(maxsize=64)
def parsed(kind: str, text: str) -> Document[Any]:
    """`status` and `check` look at the same few texts some fifty times; reading them is a pure function of the text."""
    known = _known(kind, text)
    return known.document if known else parse(kind, text, KINDS[kind].path)


@lru_cache(maxsize=64)
def items_of(kind: str, text: str) -> dict[str, str]:
    """Hash of each item of a document's text: what stamps and plans compare, so that staleness can name what changed."""
    if known := _known(kind, text):
        return known.items
    document = parsed(kind, text)
    if document.value is None:
        return {}
    items = {item: digest_bytes(undated(text).encode()) for item, text in item_texts(document).items()}
    if isinstance(document.value, Rubric):
        rubric = document.value
        weights = [(category.name, category.weight) for category in rubric.categories]
        items |= {"Terms": digest(rubric.terms), "Scoring": digest([rubric.threshold, rubric.na_counts, weights])}
    return items or {"Text": text_hash(document.text)}


@lru_cache(maxsize=64)
def other_hash(kind: str, text: str) -> str:
    """Hash of what belongs to no item of a document's text: a plan is compared with many, and each comparison asks for it."""
    return digest(other_text(parsed(kind, text)))


@lru_cache(maxsize=64)
def text_hash(text: str) -> str:
    """Hash of the normalised text: white space at line ends, reflowed paragraphs and the day on which a source was read do not
    change it."""
    return digest_bytes(undated(normal(text)).encode())


@lru_cache(maxsize=8)
def former_hashes(kind: str, text: str) -> dict[str, str]:
    """Hashes that earlier versions gave this text and its items, the days of reading included → those of today."""
    if known := _known(kind, text):
        return known.former
    if undated(text) == text:
        return {}
    items = items_of(kind, text)
    former = {digest_bytes(text.encode()): items[item] for item, text in item_texts(parsed(kind, text)).items()}
    return {digest_bytes(normal(text).encode()): text_hash(text)} | former


# ---- what was read before


class Reading(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """All that is worked out from a text."""

    document: Document[T]
    items: dict[str, str]
    former: dict[str, str]


Known = Callable[[str, str], Reading[Any] | None]
"""From a document's kind and text to what was read from exactly this text before, None if it never was."""

_KNOWN: ContextVar[Known | None] = ContextVar("known", default=None)


@contextlib.contextmanager
def with_known(known: Known) -> Iterator[None]:
    """In here, what is known is not read anew."""
    before = _KNOWN.set(known)
    try:
        yield
    finally:
        _KNOWN.reset(before)


def reading(kind: str, text: str) -> Reading[Any]:
    """All of it."""
    return Reading(document=parsed(kind, text), items=items_of(kind, text), former=former_hashes(kind, text))


def _known(kind: str, text: str) -> Reading[Any] | None:
    known = _KNOWN.get()
    return known(kind, text) if known else None
