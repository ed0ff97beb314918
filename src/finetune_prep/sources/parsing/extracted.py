"""What a reader of a foreign format gives."""

from __future__ import annotations

import msgspec
from msgspec import structs

MOST_TEXT = 2_000_000  # characters that are taken from one file


class Extracted(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """A text and what it says of itself."""

    text: str = ""
    """Markdown: paragraphs with a blank line between them, headings, lists, tables."""
    title: str = ""
    publisher: str = ""
    published: str = ""
    """As it is written there."""
    left_out: dict[str, int] = {}
    """What stands in the file and not in the text: how many of each, by its plural."""
    failure: str = ""
    """Why there is no text."""
    fix: str = ""
    """What a person can do about it, if anything is known."""
    install: str = ""
    """The package that is missing to read it."""


class Unreadable(ValueError):
    """Why a file gives no text, with what can be done about it."""

    def __init__(self, what: str, *, fix: str = "", install: str = "") -> None:
        super().__init__(what)
        self.fix = fix
        self.install = install


def counted(left_out: dict[str, int]) -> str:
    """As people read it: "3 comments, 1 hidden passage"; "" if nothing was left out."""
    return ", ".join(f"{count:,} {what if count != 1 else what.removesuffix('s')}" for what, count in left_out.items() if count)


def cut_off(found: Extracted) -> Extracted:
    """No more of a text than is taken from one file, and only counts of something."""
    left_out = {what: count for what, count in found.left_out.items() if count}
    if len(found.text) > MOST_TEXT:
        left_out["characters at the end"] = len(found.text) - MOST_TEXT
    return structs.replace(found, text=found.text[:MOST_TEXT], left_out=left_out)
