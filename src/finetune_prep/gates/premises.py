"""What gates take for granted: that a document is there and could be read, that it is in English, that its parts are in order."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from finetune_prep.core.finding import Finding
from finetune_prep.documents.document import Document
from finetune_prep.documents.kinds import Documents, Kind

T = TypeVar("T")


class Unchecked(Exception):
    """A gate cannot be decided; the message says why, and what would let it be.

    about: what a person's decision would speak of if the gate looks at no document, "" if there is nothing to decide about yet.
    lacks: the kind of document that does not exist yet, or is of an older state, if that is why. reader: whether whoever accepts
    the document decides.
    """

    def __init__(self, why: str, *, about: str = "", lacks: str = "", reader: bool = False) -> None:
        super().__init__(why)
        self.reader = reader
        self.about = about
        self.lacks = lacks


def need(documents: Documents, kind: Kind[T]) -> tuple[Document[T], T]:
    """A document and its value. Raises Unchecked if the document is missing or nothing could be read from it."""
    document = documents.get(kind)
    if document is None:
        raise Unchecked(f"{kind.path} does not exist yet", lacks=kind.name)
    if document.value is None:
        raise Unchecked(f"{kind.path} cannot be read; fix what `finetune-prep check {kind.name}` says about it first")
    return document, document.value


def knob_finding(document: Document[Any], key: str, what: str, fix: str) -> Finding:
    """A finding about a value of the front matter, on the line of its key; the default of a key that is not there has no line."""
    opening, *lines = document.text.split("\n")
    for number, line in enumerate(lines if opening.strip() == "---" else (), start=2):
        if line.strip() == "---":
            break
        if re.match(rf"{re.escape(key)}\s*:", line):
            return Finding(path=document.path, line=number, what=what, fix=fix)
    return document.finding(what, fix)


def is_english(documents: Documents) -> bool:
    """Whether the documents are written in English. Raises Unchecked without a brief."""
    _, brief = need(documents, Documents.brief)
    return brief.written_in.partition("-")[0].lower() == "en"


def need_english(documents: Documents) -> None:
    """Raises Unchecked unless the documents are in English: word lists exist for no other language."""
    if not is_english(documents):
        _, brief = need(documents, Documents.brief)
        raise Unchecked(f"this check looks at English words, the documents' language is “{brief.written_in}”; a reader decides")


def parts_in_order(document: Document[Any], parts: Sequence[str]) -> Iterator[Finding]:
    """A finding for each part that is missing, and one for the first that stands before its predecessor."""
    present = [part for part in parts if part.lower() in document.lines]
    for part in parts:
        if part not in present:
            yield document.finding(f"there is no section “{part}”", f"add “## {part}”; the order is {' → '.join(parts)}")
    lines = [document.lines[part.lower()] for part in present]
    for before, after, line, next_line in zip(present, present[1:], lines, lines[1:], strict=False):
        if next_line < line:
            yield document.finding(
                f"“{after}” stands before “{before}”", f"move it: the order is {' → '.join(parts)}", after.lower()
            )
            return
