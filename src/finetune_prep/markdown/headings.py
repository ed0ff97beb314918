"""What the headings of a kind mean, and the guards that keep prose from being read as structure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple

from finetune_prep.markdown import inline
from finetune_prep.markdown.inline import folded
from finetune_prep.markdown.lines import LineKind

LONGEST_KEY = 60  # characters
MOST_SPELLINGS = 500  # near misses looked for; bounds the time that a hostile text can cost
ANY = "*"  # any id may stand here
PartKind = Literal["title", "section", "category", "item", "prose"]
_NUMBERING = re.compile(r"\A\s*[0-9]{1,2}[.)]\s+")


class Schema(NamedTuple):
    """What the headings of a kind mean."""

    sections: Mapping[str, tuple[str, ...] | None]
    """By heading, the letters of the ids that may stand there ("CP"; ANY = any); None for a section of prose."""
    start: tuple[str, ...] = ()
    """The same for what stands under the title."""
    category: tuple[str, ...] | None = None
    """The same for a heading with a weight or the word "gate" in parentheses, None if the kind has no categories."""
    expects: Mapping[str, str] = MappingProxyType({})
    """By section, the letters that an item without an id is meant to have."""
    lists: frozenset[str] = frozenset()
    """Sections whose items are list items."""
    about: frozenset[str] = frozenset()
    """Sections that speak about items of others: an id may stand there as well as at its own place."""


class Headings:
    """Which headings of a schema a text matches."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self._by_fold = {folded(name): name for name in schema.sections}
        self._tries = 0

    def section(self, text: str) -> str:
        """The known section with this heading, "" if there is none."""
        return "" if text.startswith("\\") else self._by_fold.get(_bare(text), "")

    def near(self, text: str) -> str:
        """The known section whose heading was probably meant. Looked for only a limited number of times."""
        self._tries += 1
        bare = _bare(text)
        if self._tries > MOST_SPELLINGS or text.startswith("\\"):
            return ""
        return nearest(bare, self._by_fold, cutoff=0.8)

    def allowed(self, section: str, kind: PartKind) -> tuple[str, ...]:
        if kind == "category":
            return self.schema.category or ()
        return self.schema.sections.get(section, self.schema.start) or ()

    def category(self, text: str) -> tuple[str, str] | None:
        """Name and attributes of a category's heading."""
        return None if self.schema.category is None else inline.category_name(text)

    def guard(self, kind: LineKind, text: str, section: str) -> str:
        """A heading or list item in the prose of a section, guarded if it would be read as more than prose."""
        guarded = f"\\{text}" if self._is_structure(kind, text.lstrip("\\"), section) else text
        return inline.guard_category(guarded) if kind == "heading" and self.schema.category is not None else guarded

    def unguard(self, kind: LineKind, text: str, section: str) -> str:
        """The same without its guards."""
        if kind == "heading" and self.schema.category is not None:
            text = inline.unguard_category(text)
        bare = text.lstrip("\\")
        return text[1:] if bare != text and self._is_structure(kind, bare, section) else text

    def _is_structure(self, kind: LineKind, text: str, section: str) -> bool:
        allowed = self.allowed(section, "section")
        if kind != "heading":
            label = inline.entry_id(text)
            return label is not None and may_stand(label.id, allowed)
        if inline.heading_id(text):
            return bool(allowed)  # where ids stand, one of the wrong letters would be a finding
        return bool(self.section(text) or self.near(text))


def _bare(text: str) -> str:
    return folded(_NUMBERING.sub("", text, count=1))


def may_stand(id: str, allowed: tuple[str, ...]) -> bool:
    return ANY in allowed or inline.prefix(id) in allowed


def nearest(text: str, known: Mapping[str, str], *, cutoff: float) -> str:
    """The known spelling that was probably meant, "" if none is near. known: spellings by their folded form."""
    close = difflib.get_close_matches(text, known, n=1, cutoff=cutoff) if len(text) <= LONGEST_KEY else []
    return known[close[0]] if close else ""
