"""One conversation to be: who talks, about what, in which manner, and what is planned for each exchange."""

from __future__ import annotations

import random
from functools import cached_property
from hashlib import sha256

import msgspec

from finetune_prep.core.identity import digest
from finetune_prep.core.scenarios.space import Arc, Difficulty, Flaw, Kind, Person, Reaction, Situation, Style


class Cell(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A cell of the scenario space; cells partition it."""

    topic: str
    """A topic's id, "" for special cases that belong to none."""
    kind: Kind

    def __str__(self) -> str:
        return f"{self.topic or 'any'}/{self.kind}"


class Elapsed(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The time that has passed since the exchange before."""

    days: int
    weekday: int
    """The day on which the exchange takes place; Monday is 0."""
    reads: str
    """How it is written, with {days} where their number stands."""


class Exchange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """What is planned for one exchange of a scenario."""

    gap: Elapsed | None = None
    comes_in: str = ""
    """Id of the situation that comes up in it for the first time, "" for none."""
    flaw_shows: bool = False
    reaction: Reaction | None = None
    """How the user takes what the assistant asked before, None in the first exchange."""


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, dict=True):
    """One conversation to be: drawn values spelled out, so that a row can be read without the scenario space.

    id: hash of all of its content.
    """

    cell: Cell
    index: int
    person: Person | None = None
    situations: tuple[Situation, ...]
    """One to three. The first leads; the others come in when an exchange says so."""
    expected: str
    """What the case asks for, for the judge alone; "" for normal scenarios."""
    techniques: tuple[str, ...]
    style: Style
    difficulty: Difficulty
    flaw: Flaw | None
    arc: Arc | None = None
    course: tuple[Exchange, ...]
    """The exchanges in order."""
    seed: str
    """Root of this scenario's own random stream."""

    @cached_property
    def id(self) -> str:
        return digest(self)[:12]

    @property
    def exchanges(self) -> int:
        """Number of user-assistant pairs."""
        return len(self.course)

    @property
    def situation(self) -> Situation:
        """The one that leads."""
        return self.situations[0]

    def come_in(self, exchange: int) -> tuple[Situation, ...]:
        """The situations that have come up by an exchange (the first is 1)."""
        ids = {planned.comes_in for planned in self.course[:exchange]}
        return tuple(situation for situation in self.situations if situation.id in ids)

    def stream(self, *purpose: str | int) -> random.Random:
        """A random stream for one purpose ("user", turn) of this scenario, independent of every other."""
        return stream(self.seed, *purpose)


def stream(*parts: str | int) -> random.Random:
    """The random stream of a purpose: the same parts give the same stream on every machine."""
    return random.Random(int.from_bytes(sha256("\x1f".join(map(str, parts)).encode()).digest(), "big"))
