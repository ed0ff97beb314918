"""How often flaws, lengths, difficulties and styles come up together, when some of them exclude each other.

If every dimension were drawn by itself and what does not go together thrown away, short talks would take their share from the
flaws that need time. So the shares of all combinations are found first, by iterative proportional fitting (Deming and Stephan
1940): those that are excluded get none, and the others are scaled until each dimension has the shares that its weights declare.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import product
from math import sqrt
from typing import Any, NamedTuple, Protocol, TypeVar

from finetune_prep.core.scenarios.fitting import goes_with
from finetune_prep.core.scenarios.scenario import stream
from finetune_prep.core.scenarios.space import Difficulty, Flaw, Length, ScenarioSpace, Style

ROUNDS = 200  # of fitting, at most; it usually takes under twenty
CLOSE = 1e-6  # share by which a dimension may miss what is declared
# multiples of irrational numbers spread evenly over 0 to 1 (Weyl 1916), the golden ratio most evenly of all
STEPS = ((sqrt(5) - 1) / 2, *(sqrt(prime) % 1 for prime in (2, 3, 7, 11, 13)))


class Weighted(Protocol):
    @property
    def weight(self) -> float: ...


W = TypeVar("W", bound=Weighted)
T = TypeVar("T")


class Combination(NamedTuple):
    """Values that a scenario has together."""

    flaw: Flaw | None
    length: Length
    difficulty: Difficulty
    style: Style


Mixture = tuple[tuple[Combination, float], ...]


def choose(point: float, choices: Sequence[W]) -> W:
    """One of the choices by relative weight. point: from 0 to 1."""
    return _at(point, [(choice, choice.weight) for choice in choices])


def points(seed: int | str, cell: str, index: int) -> tuple[float, ...]:
    """A point from 0 to 1 for each thing that is drawn for the index-th scenario of a cell.

    Those of one cell spread evenly, however many are taken, so that a plan has the declared shares and not just tends to them.
    """
    return tuple((start + index * step) % 1 for start, step in zip(_starts(str(seed), cell), STEPS, strict=True))


@lru_cache(maxsize=1024)  # a plan asks for those of a cell with each of its indices
def _starts(seed: str, cell: str) -> tuple[float, ...]:
    """Where the points of a cell start, from 0 to 1."""
    start = stream(seed, cell, "points")
    return tuple(start.random() for _ in STEPS)


class Branch:
    """What is left of a mixture when the values of the first dimensions are chosen; what a choice leaves is worked out once."""

    __slots__ = ("_below", "_choices", "_dimension", "_left")

    def __init__(self, left: Sequence[tuple[Combination, float]], dimension: int = 0) -> None:
        self._left, self._dimension = left, dimension
        self._choices = [*_shares(left, dimension).items()] if dimension < len(Combination._fields) else []
        self._below: dict[Any, Branch] = {}

    def combine(self, at: Sequence[float]) -> Combination | None:
        """One combination by its share, flaw first; None if nothing is left. at: a point from 0 to 1 for each dimension."""
        if not self._left:
            return None
        if not self._choices:
            return self._left[0][0]
        return self._after(_at(at[self._dimension], self._choices)).combine(at)

    def _after(self, chosen: Any) -> Branch:
        if chosen not in self._below:
            left = [(combination, share) for combination, share in self._left if combination[self._dimension] == chosen]
            self._below[chosen] = Branch(left, self._dimension + 1)
        return self._below[chosen]


def mixture(space: ScenarioSpace) -> Mixture:
    """The combinations that can be had, each with its share, summing to 1.

    Where exclusions leave no mixture with all of the declared shares, flaws keep theirs. A flaw that goes with
    nothing is in none.
    """
    return _mixture(space, space.exact)


@lru_cache(maxsize=16)
def _mixture(space: ScenarioSpace, exact: bytes) -> Mixture:
    flawless = space.no_flaw_share if space.flaws else 1.0
    flaws: dict[Flaw | None, float] = {None: flawless}
    flaws |= {flaw: share * (1 - flawless) for flaw, share in _normal(space.flaws).items()}
    declared: tuple[dict[Any, float], ...]
    declared = (flaws, _normal(space.lengths), _normal(space.difficulties), _normal(space.styles))
    shares = []
    for flaw, length, difficulty, style in product(*declared):
        share = flaws[flaw] * length.weight * difficulty.weight * style.weight
        if share > 0 and goes_with(flaw, length.exchanges, difficulty, style):
            shares.append((Combination(flaw, length, difficulty, style), share))
    return tuple(_fitted(shares, declared))


def _normal(choices: Sequence[W]) -> dict[W, float]:
    total = sum(choice.weight for choice in choices)
    return {choice: choice.weight / total if total > 0 else 0.0 for choice in choices}


def _fitted(shares: list[tuple[Combination, float]], declared: Sequence[dict[Any, float]]) -> list[tuple[Combination, float]]:
    """The shares, scaled so that every dimension has what is declared; the flaws last."""
    for _ in range(ROUNDS):
        missed = 0.0
        for dimension in reversed(range(len(declared))):
            wanted = declared[dimension]
            found = _shares(shares, dimension)
            missed = max(missed, *(abs(wanted[value] - share) for value, share in found.items()), 0.0)
            factors = {value: wanted[value] / share if share > 0 else 0.0 for value, share in found.items()}
            shares = [(combination, share * factors[combination[dimension]]) for combination, share in shares]
        if missed < CLOSE:
            break
    return shares


def _shares(shares: Iterable[tuple[Combination, float]], dimension: int) -> dict[Any, float]:
    """What each value of a dimension has in all."""
    found: dict[Any, float] = {}
    for combination, share in shares:
        found[combination[dimension]] = found.get(combination[dimension], 0.0) + share
    return found


def _at(point: float, choices: Sequence[tuple[T, float]]) -> T:
    """The choice that a point falls on when they stand in a row, each as wide as its share; never one without a share."""
    rest = point * sum(share for _, share in choices)
    for choice, share in choices:
        rest -= share
        if rest < 0:
            return choice
    return next((choice for choice, share in reversed(choices) if share > 0), choices[-1][0])
