"""The plan of scenarios drawn from the scenario space.

Candidates are an endless seeded stream per cell: `draw(space, cell, index, seed)` is a pure function, so no plan depends on what
was drawn before.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import TypeVar

from finetune_prep.core.scenarios.fitting import can_tell, has_words, words_to_tell
from finetune_prep.core.scenarios.mixture import Branch, Combination, choose, mixture, points
from finetune_prep.core.scenarios.scenario import Cell, Elapsed, Exchange, Scenario, stream
from finetune_prep.core.scenarios.space import Flaw, Gap, Kind, Reaction, ScenarioSpace, Situation, Style

FLAW_SHOWS = 0.5  # share of the messages in which a user's flaw shows; all would be a caricature
SECOND_TOPIC = 0.35  # share of the conversations of some length in which something else comes up
THIRD_TOPIC = 0.3  # of those, if they are longer still
LONG_ENOUGH = {2: 3, 3: 5}  # exchanges that a conversation has at least for so many situations


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


def quotas(space: ScenarioSpace, n: int, topic: str = "") -> dict[Cell, int]:
    """How many of n scenarios each cell gets: largest remainders, first within kinds, so that small shares are not lost.

    topic: id of the only topic that gets any. Raises ValueError as `cells`, and if the space has no cell of that topic.
    """
    shares = {cell: share for cell, share in cells(space).items() if topic in ("", cell.topic)}
    if not shares:
        raise ValueError(f"no conversation can be planned about {topic}: the space has no such topic, or no situation in it")
    by_kind: dict[Kind, float] = {}
    for cell, share in shares.items():
        by_kind[cell.kind] = by_kind.get(cell.kind, 0.0) + share
    result: dict[Cell, int] = {}
    for kind, count in largest_remainder(by_kind, n).items():
        result.update(largest_remainder({cell: share for cell, share in shares.items() if cell.kind == kind}, count))
    return {cell: result[cell] for cell in shares}


K = TypeVar("K")


def largest_remainder(shares: Mapping[K, float], n: int) -> dict[K, int]:
    """n in whole numbers, as near to the relative shares as can be."""
    total = sum(shares.values()) or 1.0
    exact = {key: n * share / total for key, share in shares.items()}
    counts = {key: int(value) for key, value in exact.items()}
    by_remainder = sorted(exact, key=lambda key: counts[key] - exact[key])
    for key in by_remainder[: n - sum(counts.values())]:
        counts[key] += 1
    return counts


def draw(space: ScenarioSpace, cell: Cell, index: int, seed: int | str) -> Scenario:
    """The index-th candidate of a cell. Pure: the same arguments give the same scenario, whatever was drawn before.

    Situations are walked in a seeded order, so that all of a cell's situations come up before one repeats. Raises ValueError if
    nothing in the space goes together.
    """
    root = f"{seed}/{cell}/{index}"
    lead, expected, techniques = _situation(space, cell, index, seed)
    *at, at_person, at_arc = points(seed, str(cell), index)
    drawn = _combination(space, lead, at)
    situations, first = _with_others(space, cell, lead, drawn.style, drawn.length.exchanges, stream(root, "situations"))
    spans_days = bool(space.gaps) and drawn.length.exchanges > 1
    return Scenario(
        cell=cell,
        index=index,
        person=choose(at_person, space.people) if space.people else None,
        situations=situations,
        expected=expected,
        techniques=tuple(dict.fromkeys([*techniques, *_techniques(space, situations[1:])])),
        style=drawn.style,
        difficulty=drawn.difficulty,
        flaw=drawn.flaw,
        arc=choose(at_arc, space.arcs) if space.arcs and spans_days else None,
        course=_course(space, drawn, dict(zip(first, situations, strict=True)), stream(root, "course")),
        seed=root,
    )


def _combination(space: ScenarioSpace, lead: Situation, at: Sequence[float]) -> Combination:
    """Flaw, length, difficulty and style. Where no user could tell what happened, anybody does: the gates have said so."""
    drawn = _fitting(space, space.exact, words_to_tell(lead)).combine(at) or _fitting(space, space.exact, 0).combine(at)
    if drawn is None:
        raise ValueError("no flaw, length, difficulty and user style of the scenario space go together")
    return drawn


@lru_cache(maxsize=256)
def _fitting(space: ScenarioSpace, exact: bytes, words: int) -> Branch:
    """The combinations in which a user has so many words for what happened."""
    return Branch([(found, share) for found, share in mixture(space) if has_words(found.style, words, found.length.exchanges)])


def _with_others(
    space: ScenarioSpace, cell: Cell, lead: Situation, style: Style, exchanges: int, at: random.Random
) -> tuple[tuple[Situation, ...], tuple[int, ...]]:
    """The situations of a scenario, and the exchange in which each comes in.

    Special cases stay alone: what is expected of them is judged. Others come only where the style has the words for all of them.
    """
    count = 1 + (at.random() < SECOND_TOPIC and exchanges >= LONG_ENOUGH[2])
    count += count == 2 and at.random() < THIRD_TOPIC and exchanges >= LONG_ENOUGH[3]
    situations = [lead]
    for _ in range(count - 1 if cell.kind == "normal" else 0):
        other = _another(space, str(at.random()))
        if other not in situations:
            situations.append(other)
    first = [1, *sorted(at.sample(range(2, exchanges + 1), len(situations) - 1))]
    lasting = [following - begun for begun, following in zip(first, [*first[1:], exchanges + 1], strict=True)]
    if all(can_tell(style, situation, length) for situation, length in zip(situations, lasting, strict=True)):
        return tuple(situations), tuple(first)
    return (lead,), (1,)


def _another(space: ScenarioSpace, draw: str) -> Situation:
    """A situation of any topic, by the topics' weights (Efraimidis and Spirakis 2006).

    Each topic and situation has a ticket of its own for this draw, so that adding one changes only what it wins now:
    conversations that were paid for stay as they are.
    """
    topics = [topic for topic in space.topics if topic.situations and topic.weight > 0]
    topic = max(topics, key=lambda topic: stream(draw, topic.id).random() ** (1 / topic.weight))
    return max(topic.situations, key=lambda situation: stream(draw, situation.id).random())


def _techniques(space: ScenarioSpace, situations: Sequence[Situation]) -> list[str]:
    """Those of the topics that situations belong to."""
    touched = (topic for topic in space.topics if any(found in topic.situations for found in situations))
    return [id for topic in touched for id in topic.techniques]


def _course(space: ScenarioSpace, drawn: Combination, come_in: dict[int, Situation], at: random.Random) -> tuple[Exchange, ...]:
    exchanges = range(1, drawn.length.exchanges + 1)
    shows = _shows(drawn.flaw, drawn.length.exchanges, at)
    reactions = [_reaction(space, at) for _ in exchanges]
    day = at.randrange(7)
    course = []
    for number in exchanges:
        gap = _elapsed(choose(at.random(), space.gaps), day, at) if space.gaps and number > 1 else None
        day = gap.weekday if gap else day
        course.append(
            Exchange(
                gap=gap,
                comes_in=come_in[number].id if number in come_in else "",
                flaw_shows=number in shows,
                reaction=reactions[number - 1] if number > 1 else None,
            )
        )
    return tuple(course)


def _shows(flaw: Flaw | None, exchanges: int, at: random.Random) -> set[int]:
    """The exchanges in which a flaw shows: each in which it can with the same chance, but one at least."""
    possible = range(flaw.from_exchange, exchanges + 1) if flaw else range(0)
    shows = {number for number in possible if at.random() < FLAW_SHOWS}
    return shows or ({at.choice(possible)} if possible else set())


def _reaction(space: ScenarioSpace, at: random.Random) -> Reaction:
    shares = space.reactions.shares
    return at.choices([*shares], weights=[*shares.values()])[0] if any(shares.values()) else "answers"


def _elapsed(gap: Gap, day: int, at: random.Random) -> Elapsed | None:
    """day: the weekday before. None for a gap on the same day that nothing is to be said of."""
    days = at.randint(gap.fewest, max(gap.fewest, gap.most))
    return Elapsed(days=days, weekday=(day + days) % 7, reads=gap.reads) if days or gap.reads else None


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
    return choices[_order(len(choices), str(seed), str(cell), lap)[position]]


@lru_cache(maxsize=1024)  # a plan asks for it with each index of a lap, cell by cell
def _order(choices: int, seed: str, cell: str, lap: int) -> tuple[int, ...]:
    """The order in which so many choices are walked in a lap of a cell, by their places."""
    order = list(range(choices))
    stream(seed, cell, "order", lap).shuffle(order)
    return tuple(order)


def plan(space: ScenarioSpace, n: int, seed: int | str) -> tuple[Scenario, ...]:
    """n scenarios by quota, ordered so that every prefix is a fair sample of the cells.

    Raises ValueError, saying what the space lacks, if nothing can be drawn from it.
    """
    require_drawable(space)
    return tuple(draw(space, cell, index, seed) for cell, index in fair_order(quotas(space, n), seed))


def require_drawable(space: ScenarioSpace) -> None:
    """Raise ValueError, saying what the space lacks, if nothing can be drawn from it."""
    drawn_from = {"user style": space.styles, "difficulty": space.difficulties, "length": space.lengths}
    if lacking := [name for name, choices in drawn_from.items() if not choices]:
        raise ValueError(f"the scenario space has no {' and no '.join(lacking)}")


def fair_order(counts: Mapping[Cell, int], seed: int | str) -> list[tuple[Cell, int]]:
    """The first candidates of each cell, in an order of which every prefix is a fair sample of the cells."""
    return in_order(((cell, index) for cell, count in counts.items() for index in range(count)), seed)


def in_order(candidates: Iterable[tuple[Cell, int]], seed: int | str) -> list[tuple[Cell, int]]:
    """Candidates in an order that depends on nothing but themselves and the seed."""
    return sorted(candidates, key=lambda pair: stream(str(seed), "plan order", str(pair[0]), pair[1]).random())
