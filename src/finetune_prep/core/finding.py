"""What a parser or a gate has to say about one place, and what a gate answers as a whole."""

from __future__ import annotations

from typing import Literal

import msgspec

Answer = Literal["holds", "fails", "unchecked", "waiting", "overridden"]
NOT_CHECKED = "could not be checked: "  # how a note begins that says why; after the word “unchecked” that would be said twice


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One problem: where it is, what it is, how to fix it."""

    path: str
    """The document's path relative to the project folder."""
    line: int
    """1-based, 0 when it concerns the whole file."""
    what: str
    fix: str
    item: str = ""
    """Id of the item concerned ("CP1"), "" when it has none."""

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}" if self.line else self.path
        return f"{place}: {self.what.rstrip('.')}; {self.fix}" if self.fix else f"{place}: {self.what}"


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """A gate's answer. "unchecked" (with the reason in `note`) is never "holds"."""

    gate: str
    answer: Answer
    findings: tuple[Finding, ...] = ()
    note: str = ""
    about: str = ""
    """What a decision about it would speak of where it has no finding and looks at no document: "runs/pilot-001"."""
    lacks: str = ""
    """The kind of document that does not exist yet, if that is why it is unchecked."""


class Criterion(msgspec.Struct, frozen=True, kw_only=True):
    """A success criterion and how it stands."""

    sentence: str
    answer: Answer
    """The worst answer of its "must" gates."""
    gates: tuple[str, ...]
    evidence: tuple[str, ...] = ()
    """What stands in the way first: a line for each finding, and for each of its gates that does not simply hold."""

    @property
    def met(self) -> bool:
        """Whether it holds, or a person has overridden what does not."""
        return self.answer in ("holds", "overridden")
