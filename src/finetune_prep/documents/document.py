"""A document: the value that was read from a Markdown file, plus what the file adds – its text, and where each item stands.

Values themselves know no lines; everything that must point into a file goes through here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

import msgspec

from finetune_prep.core.finding import Finding
from finetune_prep.markdown.headings import Schema
from finetune_prep.markdown.reader import Reader

T = TypeVar("T")


class Document(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """A document as it was read."""

    kind: str
    """A key of `documents.KINDS`."""
    path: str
    """Where it is, relative to the project."""
    text: str
    """The text on disk, with LF line ends and no BOM."""
    value: T | None
    """What was read, None if nothing usable was."""
    lines: dict[str, int] = {}
    """1-based first line of each item by id, and of each `##` section by its heading in lower case."""
    findings: tuple[Finding, ...] = ()
    """Every problem of form; empty for a sound document."""
    lost: int = 0
    """How many items stand there and are not read, each with its finding: what seems to be missing may be one of them."""

    def finding(self, what: str, fix: str, item: str = "") -> Finding:
        """A finding about an item of this document (or the whole, if `item` is not in it)."""
        return Finding(path=self.path, line=self.lines.get(item, 0), what=what, fix=fix, item=item)


class Form(NamedTuple, Generic[T]):
    """How the documents of a kind look."""

    schema: Schema
    read: Callable[[Reader], T]
    """From a reader to the value."""
    render: Callable[[T], str]
    """From the value to Markdown."""
    value: type[T]
    """What the value is."""
