"""What fails in a pilot, and which clause of which document is at fault for it by the chain from question to prompt."""

from __future__ import annotations

from typing import Literal

import msgspec

Kind = Literal[
    "question",  # a question fails, and what the assistant is given is at fault, or the question itself
    "case",  # what a special case asks for was not done
    "situation",  # a situation in which one question after the other fails
    "missed",  # a failure that a reader noted and no document holds
    "habit",  # what too many replies have in common
]


class Passage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Words of a talk in which it shows."""

    scenario: str
    text: str
    """What the judge quotes, or how the last reply begins where it quotes nothing."""
    user: str = ""
    """The message that was answered there."""
    reply: str = ""


class Clause(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where a document is at fault: an item, a section, or the place where an item is missing."""

    document: str
    """A key of `documents.KINDS`."""
    section: str = ""
    """The heading under which a missing item belongs, or that of the section itself."""
    item: str = ""
    """Id of the item, "" for a section or a missing item."""
    missing: bool = False
    """Whether nothing says it yet, so that an item has to be added."""
    counters: tuple[str, ...] = ()
    """Failure modes that a missing guard would counter."""

    @property
    def place(self) -> str:
        """In words: "GD3", "Output format", "Failure mode guards (nothing says it yet)"."""
        return self.item or f"{self.section}{' (nothing says it yet)' if self.missing else ''}"


class Diagnosis(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One thing that is wrong. Everything in it is computed; no model has said any of it."""

    kind: Kind
    question: str = ""
    """Id of the question that an edit is for, "CASE", or "" where no question asks for it."""
    says: str
    """What is wrong, in a sentence with its numbers."""
    failed: int
    """Talks in which it shows."""
    of: int
    """Talks in which it could."""
    alone: int = 0
    """Talks that fail by it alone."""
    scenarios: tuple[str, ...] = ()
    """Ids of the scenarios in which it shows."""
    passages: tuple[Passage, ...] = ()
    """Two typical ones at most."""
    clause: Clause
    because: str
    """Why this clause, in a sentence."""
