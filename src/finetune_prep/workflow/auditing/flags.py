"""What an audit says: flags, red for what must be put right before anybody trains on the rows, yellow for what to look at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

Level = Literal["red", "yellow"]
SHOWN = 5  # ids in a sentence; the JSON has all of them


class Flag(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Something that was found."""

    check: str
    """"near-duplicates"."""
    level: Level
    what: str
    """In a sentence."""
    rows: tuple[str, ...] = ()
    """Ids of the scenarios of the rows concerned."""
    details: tuple[str, ...] = ()
    """A line for each of them, or for each phrase."""
    advice: str = ""
    """What to do about it, where that depends on what it is."""


class Personal(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What may be personal data, in a row."""

    row: str
    """Id of its scenario."""
    turn: int
    """Number of the message, from 1."""
    role: str
    kind: str
    """"e-mail address"."""
    masked: str
    """As much of it as tells it from another one."""

    @property
    def line(self) -> str:
        return f"{self.row}, message {self.turn} ({self.role}): {self.kind} {self.masked}"


def flag(check: str, level: Level, what: str, rows: Sequence[str] = (), details: Sequence[str] = (), *, advice: str = "") -> Flag:
    return Flag(check=check, level=level, what=what, rows=tuple(rows), details=tuple(details), advice=advice)


def rows_that(count: int, verb: str) -> str:
    """ "1 row holds", "2,000 rows hold"."""
    singular = {"have": "has", "are": "is"}.get(verb, f"{verb}s")
    return f"1 row {singular}" if count == 1 else f"{count:,} rows {verb}"


def listed(ids: Sequence[str]) -> str:
    """Some of these ids: "a, b, …"."""
    return ", ".join(ids[:SHOWN]) + (", …" if len(ids) > SHOWN else "")
