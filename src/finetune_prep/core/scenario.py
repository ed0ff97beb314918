"""What conversations are to be about: the scenario space, and the plan of scenarios drawn from it.

A cell is a topic and a kind (normal, edge, out-of-scope); cells partition the space. Candidates are an endless seeded
stream per cell: `draw(space, cell, index, seed)` is a pure function, so no plan depends on what was drawn before.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from hashlib import sha256
from typing import Literal, Protocol, TypeVar

import msgspec

from finetune_prep.core.identity import digest

Kind = Literal["normal", "edge", "out-of-scope"]


class Situation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A concrete situation within a topic ("TP1.2")."""

    id: str
    text: str


class Topic(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    id: str
    name: str
    weight: float
    situations: tuple[Situation, ...] = ()
    techniques: tuple[str, ...] = ()


class Style(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a user writes."""

    id: str
    name: str
    weight: float
    fewest: int
    """Words in a message, at least."""
    most: int
    """Words in a message, at most."""
    sounds_like: str = ""


class Difficulty(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    id: str
    name: str
    weight: float
    means: str = ""


class Flaw(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A way in which users communicate badly; shows in about half of the messages of a user who has it."""

    id: str
    name: str
    weight: float
    shows_as: str = ""


class SpecialCase(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An edge case (ED1) or an out-of-scope request (OS1)."""

    id: str
    name: str
    situation: str
    expected: str = ""
    topic: str = ""
    """"" when it belongs to none."""


class Length(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How long a conversation is."""

    id: str
    name: str
    weight: float
    exchanges: int
    """Number of user-assistant pairs."""


class ScenarioSpace(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The content of scenario-space.md. Weights of a dimension are relative; edge_share and out_of_scope_share sum below 1."""

    title: str
    topics: tuple[Topic, ...] = ()
    styles: tuple[Style, ...] = ()
    difficulties: tuple[Difficulty, ...] = ()
    flaws: tuple[Flaw, ...] = ()
    lengths: tuple[Length, ...] = ()
    edge_cases: tuple[SpecialCase, ...] = ()
    out_of_scope: tuple[SpecialCase, ...] = ()
    edge_share: float = 0.15
    out_of_scope_share: float = 0.10
    no_flaw_share: float = 0.20

    @property
    def capacity(self) -> int:
        """Number of distinct scenarios: situations × styles × difficulties × (flaws + none) × lengths."""
        situations = sum(len(topic.situations) for topic in self.topics) + len(self.edge_cases) + len(self.out_of_scope)
        return situations * len(self.styles) * len(self.difficulties) * (len(self.flaws) + 1) * len(self.lengths)


class Cell(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A cell of the scenario space."""

    topic: str
    """A topic's id, "" for special cases that belong to none."""
    kind: Kind

    def __str__(self) -> str:
        return f"{self.topic or 'any'}/{self.kind}"


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One conversation to be: drawn values spelled out, so that a row can be read without the scenario space.

    id: hash of cell, index, seed and content.
    """

    cell: Cell
    index: int
    situation: Situation
    expected: str
    techniques: tuple[str, ...]
    style: Style
    difficulty: Difficulty
    flaw: Flaw | None
    exchanges: int
    seed: str
    """Root of this scenario's own random stream."""

    @property
    def id(self) -> str:
        return digest(self)[:12]

    def stream(self, *purpose: str | int) -> random.Random:
        """A random stream for one purpose ("user", turn) of this scenario, independent of every other."""
        return _stream(self.seed, *purpose)


class Weighted(Protocol):
    @property
    def weight(self) -> float: ...


W = TypeVar("W", bound=Weighted)


def _stream(*parts: str | int) -> random.Random:
    return random.Random(int.from_bytes(sha256("\x1f".join(map(str, parts)).encode()).digest(), "big"))


def pick(stream: random.Random, choices: Sequence[W]) -> W:
    """One of the choices by relative weight."""
    point = stream.random() * sum(choice.weight for choice in choices)
    for choice in choices:
        point -= choice.weight
        if point < 0:
            return choice
    return choices[-1]


def cells(space: ScenarioSpace) -> dict[Cell, float]:
    """Every cell with its share of the plan; shares sum to 1. A kind without cases gives its share to the normal cells.

    A topic without situations has no normal cell: the other topics share what would be its part. Raises ValueError if there
    is no such topic at all, or nothing is left for the normal cells.
    """
    shares: dict[Cell, float] = {}
    edge = space.edge_share if space.edge_cases else 0.0
    outside = space.out_of_scope_share if space.out_of_scope else 0.0
    topics = [topic for topic in space.topics if topic.situations]
    total = sum(topic.weight for topic in topics)
    if total <= 0:
        raise ValueError("no topic of the scenario space has both situations and a weight")
    if edge < 0 or outside < 0 or edge + outside > 1:
        raise ValueError(f"edge cases have a share of {edge:g} and out-of-scope requests of {outside:g}; that cannot be planned")
    for topic in topics:
        shares[Cell(topic.id, "normal")] = (1 - edge - outside) * topic.weight / total
    for kind, share, cases in (("edge", edge, space.edge_cases), ("out-of-scope", outside, space.out_of_scope)):
        for case in cases:
            cell = Cell(case.topic, "edge" if kind == "edge" else "out-of-scope")
            shares[cell] = shares.get(cell, 0.0) + share / len(cases)
    return shares


def quotas(space: ScenarioSpace, n: int) -> dict[Cell, int]:
    """How many of n scenarios each cell gets: largest remainders, first within kinds, so that small shares are not lost."""
    shares = cells(space)
    by_kind: dict[Kind, float] = {}
    for cell, share in shares.items():
        by_kind[cell.kind] = by_kind.get(cell.kind, 0.0) + share
    result: dict[Cell, int] = {}
    for kind, count in _largest_remainder(by_kind, n).items():
        result.update(_largest_remainder({cell: share for cell, share in shares.items() if cell.kind == kind}, count))
    return {cell: result[cell] for cell in shares}


K = TypeVar("K")


def _largest_remainder(shares: dict[K, float], n: int) -> dict[K, int]:
    total = sum(shares.values()) or 1.0
    exact = {key: n * share / total for key, share in shares.items()}
    counts = {key: int(value) for key, value in exact.items()}
    by_remainder = sorted(exact, key=lambda key: counts[key] - exact[key])
    for key in by_remainder[: n - sum(counts.values())]:
        counts[key] += 1
    return counts


def draw(space: ScenarioSpace, cell: Cell, index: int, seed: int | str) -> Scenario:
    """The index-th candidate of a cell. Pure: the same arguments give the same scenario, whatever was drawn before.

    Situations are walked in a seeded order, so that all of a cell's situations come up before one repeats.
    """
    root = f"{seed}/{cell}/{index}"
    stream = _stream(root)
    situation, expected, techniques = _situation(space, cell, index, seed)
    return Scenario(
        cell=cell,
        index=index,
        situation=situation,
        expected=expected,
        techniques=techniques,
        style=pick(stream, space.styles),
        difficulty=pick(stream, space.difficulties),
        flaw=None if stream.random() < space.no_flaw_share or not space.flaws else pick(stream, space.flaws),
        exchanges=pick(stream, space.lengths).exchanges,
        seed=root,
    )


def _situation(space: ScenarioSpace, cell: Cell, index: int, seed: int | str) -> tuple[Situation, str, tuple[str, ...]]:
    topic = next((topic for topic in space.topics if topic.id == cell.topic), None)
    techniques = topic.techniques if topic else ()
    if cell.kind == "normal":
        if topic is None:
            raise ValueError(f"the scenario space has no topic {cell.topic}")
        return _walk(topic.situations, index, seed, cell), "", techniques
    cases = [c for c in (space.edge_cases if cell.kind == "edge" else space.out_of_scope) if c.topic == cell.topic]
    case = _walk(cases, index, seed, cell)
    return Situation(case.id, case.situation), case.expected, techniques if cell.kind == "edge" else ()


S = TypeVar("S")


def _walk(choices: Sequence[S], index: int, seed: int | str, cell: Cell) -> S:
    lap, position = divmod(index, len(choices))
    order = list(range(len(choices)))
    _stream(str(seed), str(cell), "order", lap).shuffle(order)
    return choices[order[position]]


def plan(space: ScenarioSpace, n: int, seed: int | str) -> tuple[Scenario, ...]:
    """n scenarios by quota, ordered so that every prefix is a fair sample of the cells.

    Raises ValueError, saying what the space lacks, if nothing can be drawn from it.
    """
    drawn_from = {"user style": space.styles, "difficulty": space.difficulties, "length": space.lengths}
    if lacking := [name for name, choices in drawn_from.items() if not choices]:
        raise ValueError(f"the scenario space has no {' and no '.join(lacking)}")
    drawn = [(cell, index) for cell, count in quotas(space, n).items() for index in range(count)]
    drawn.sort(key=lambda pair: _stream(str(seed), "plan order", str(pair[0]), pair[1]).random())
    return tuple(draw(space, cell, index, seed) for cell, index in drawn)
