"""The scenario space as a map: how many conversations pass in each part of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from finetune_prep.core.sample import PASSED, State
from finetune_prep.exports.talks.row import Row

COUNTED: tuple[State, ...] = (*PASSED, "rejected", "faulty", "duplicate")  # as the pass rate counts them
NO_TOPIC = "no topic"
ELSEWHERE = {"edge": "edge", "out-of-scope": "out of scope"}


class Field(NamedTuple):
    """A field of the map."""

    passed: int
    n: int

    @property
    def tint(self) -> float:
        """How dark it is drawn, 0 to 70: by the share that does not pass, and paler where that rests on few."""
        return 70 * (self.n - self.passed) / (self.n + 2)


class Line(NamedTuple):
    name: str
    fields: tuple[Field, ...]
    """One for each column."""


class Map(NamedTuple):
    columns: tuple[str, ...]
    """Difficulties of normal conversations, then the special cases."""
    lines: tuple[Line, ...]
    """Topics."""


class Cells:
    """Conversations counted by topic, difficulty and kind, one by one. topics: names by id, in their order."""

    def __init__(self, topics: Mapping[str, str]) -> None:
        self._topics = topics
        self._counts: dict[tuple[str, str], list[int]] = {}
        self._difficulties: dict[str, str] = {}

    def take(self, row: Row) -> None:
        if row.sample.state not in COUNTED:
            return
        scenario = row.sample.scenario
        column = ELSEWHERE.get(scenario.cell.kind, scenario.difficulty.name)
        if scenario.cell.kind == "normal":
            self._difficulties[scenario.difficulty.id] = column
        count = self._counts.setdefault((scenario.cell.topic, column), [0, 0])
        count[0] += row.sample.state in PASSED
        count[1] += 1

    @property
    def found(self) -> Map:
        """What occurs in no conversation is left out."""
        counts, topics = self._counts, self._topics
        special = [name for name in ELSEWHERE.values() if any(column == name for _, column in counts)]
        columns = (*dict.fromkeys(self._difficulties[id] for id in sorted(self._difficulties)), *special)
        order = [*topics, *sorted({topic for topic, _ in counts} - {*topics})]
        return Map(
            columns=columns,
            lines=tuple(
                Line(
                    topics.get(topic, topic) or NO_TOPIC, tuple(Field(*counts.get((topic, column), (0, 0))) for column in columns)
                )
                for topic in order
                if any(of == topic for of, _ in counts)
            ),
        )
