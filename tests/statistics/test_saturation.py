"""Saturation: known values, its laws, and simulated experts who know a known number of techniques."""

from __future__ import annotations

import random
from collections.abc import Sequence
from math import exp

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finetune_prep.statistics.saturation import DRY_COVERAGE, DRY_UNITS, Saturation, by_expert, saturation
from tests.soak import examples

laws = settings(max_examples=examples(60))
panels = st.lists(st.frozensets(st.sampled_from("abcdefghijkl"), max_size=8), max_size=12)

TOTALS = (20, 30, 40, 60)
UNITS = (6, 9, 12, 18)
PANELS = 300  # for each world and number of units: the standard error of a coverage of .95 is .013


def chances(world: str, total: int, stream: random.Random) -> list[float]:
    """For each of the techniques of a world, the chance that an expert names it."""
    kind, _, numbers = world.partition(" ")
    first, second, *_ = (*map(float, numbers.split()), 0.0)
    if kind == "equal":
        return [first] * total
    if kind == "beta":
        return [stream.betavariate(first, second) for _ in range(total)]
    if kind == "half":
        return [0.5] * (total // 2) + [first] * (total - total // 2)
    if kind == "logistic":
        return [1 / (1 + exp(-stream.gauss(first, second))) for _ in range(total)]
    assert kind == "tail"
    return [min(0.9, first / rank) for rank in range(1, total + 1)]


def named(chances_of: Sequence[float], stream: random.Random) -> frozenset[str]:
    return frozenset(str(number) for number, chance in enumerate(chances_of) if stream.random() < chance)


def holds(result: Saturation, truth: int) -> bool:
    """Whether the interval holds the truth; its ends are shown as whole numbers, rounded outwards. No interval holds nothing."""
    return result.high is not None and result.low - 1 < truth < result.high + 1


def share_held(world: str, units: int) -> float:
    held = 0
    for number in range(PANELS):
        stream = random.Random(f"{world}, {units} units, panel {number}")
        total = stream.choice(TOTALS)
        odds = chances(world, total, stream)
        held += holds(saturation([named(odds, stream) for _ in range(units)]), total)
    return held / PANELS


@pytest.mark.parametrize("units", UNITS)
@pytest.mark.parametrize(
    "world",
    [
        "equal 0.1", "equal 0.2", "equal 0.4",
        "beta 1 2", "beta 2 5", "beta 1 3", "beta 1 4", "beta 0.7 2",
        "half 0.1", "half 0.05", "tail 2", "tail 4", "tail 8", "logistic -1 1", "logistic -2 1", "logistic -1.5 1.5",
    ],
)  # fmt: skip
def test_the_number_of_techniques_lies_in_the_interval(world: str, units: int) -> None:
    """20 to 60 techniques, 6 to 18 experts, equal chances to long tails: in at least 90 of 100 panels, in each world."""
    assert share_held(world, units) >= 0.9


def test_what_hardly_anybody_would_name_leaves_no_trace() -> None:
    """The limit of the method, measured: three in ten techniques are named by fewer than one expert in a hundred."""
    assert share_held("beta 0.3 1.5", 6) < 0.75
    assert share_held("beta 0.3 1.5", 18) > 0.85


def meetings(
    world: str, experts: int, rounds: int, says: float, stream: random.Random
) -> tuple[int, list[tuple[str, frozenset[str]]]]:
    """Experts who know techniques by chance and name in each round a part of what they know; with the number of techniques."""
    total = stream.choice(TOTALS)
    odds = chances(world, total, stream)
    known = [sorted(named(odds, stream)) for _ in range(experts)]
    talks = [
        (f"E{expert}", frozenset(thing for thing in known[expert] if stream.random() < says))
        for _ in range(rounds)
        for expert in range(experts)
    ]
    return total, talks


def panel_knowledge(world: str, experts: int, rounds: int, says: float) -> tuple[float, float, float]:
    """Shares of panels in which the interval of the rounds holds what the panel knows, in which that of the experts
    holds the number of techniques, and in which that of the rounds does."""
    held = [0, 0, 0]
    for number in range(PANELS):
        seed = f"{world}, {experts} experts, {rounds} rounds, panel {number}"
        total, talks = meetings(world, experts, rounds, says, random.Random(seed))
        _, everything = meetings(world, experts, 1, 1.0, random.Random(seed))
        of_rounds = saturation([things for _, things in talks])
        held[0] += holds(of_rounds, len(frozenset().union(*(things for _, things in everything))))
        held[1] += holds(saturation(by_expert(talks)), total)
        held[2] += holds(of_rounds, total)
    return held[0] / PANELS, held[1] / PANELS, held[2] / PANELS


@pytest.mark.parametrize("says", [0.3, 0.5, 0.8])
@pytest.mark.parametrize(("experts", "rounds"), [(3, 4), (6, 2), (6, 3)])
@pytest.mark.parametrize("world", ["equal 0.3", "beta 1 2", "beta 1 4", "tail 4"])
def test_rounds_as_units_tell_what_these_experts_know(world: str, experts: int, rounds: int, says: float) -> None:
    assert panel_knowledge(world, experts, rounds, says)[0] >= 0.9


@pytest.mark.parametrize(("experts", "rounds"), [(6, 3), (9, 2)])
@pytest.mark.parametrize("world", ["equal 0.3", "beta 1 2", "tail 4"])
def test_experts_as_units_tell_what_experts_of_this_kind_know(world: str, experts: int, rounds: int) -> None:
    """Three rounds as units do not: an expert who repeats itself looks like one who agrees with another."""
    _, by_experts, by_rounds = panel_knowledge(world, experts, rounds, 0.8)
    assert by_experts >= 0.9
    if rounds == 3:
        assert by_rounds < 0.7


@pytest.mark.parametrize("world", ["equal 0.2", "equal 0.4", "beta 1 2", "beta 2 5", "tail 4", "beta 0.5 1.5"])
def test_little_comes_after_a_panel_has_run_dry(world: str) -> None:
    """Units are asked until dry. Of what the next one would name, at most a tenth is new, on average over 150 panels."""
    new = []
    for number in range(150):
        stream = random.Random(f"dry {world} {number}")
        odds = chances(world, stream.choice(TOTALS), stream)
        units = [named(odds, stream) for _ in range(DRY_UNITS - 1)]
        while not saturation(units).dry:
            units.append(named(odds, stream))
        unseen = sum(chance for thing, chance in enumerate(odds) if str(thing) not in frozenset().union(*units))
        new.append(unseen / sum(odds))
    assert sum(new) / len(new) < 0.1


@pytest.mark.parametrize("says", [0.3, 0.5, 0.8])
@pytest.mark.parametrize("world", ["equal 0.3", "beta 1 2", "tail 4"])
def test_a_dry_panel_has_named_most_of_what_it_knows(world: str, says: float) -> None:
    """Four experts go through rounds until dry: over nine tenths of what they know, on average over 100 panels; the interval
    holds what they know although the figure decided when to stop.
    """
    shares, held = [], 0
    for number in range(100):
        _, talks = meetings(world, 4, 20, says, random.Random(f"rounds {world} {says} {number}"))
        _, everything = meetings(world, 4, 1, 1.0, random.Random(f"rounds {world} {says} {number}"))
        known = len(frozenset().union(*(things for _, things in everything)))
        ends = (saturation([things for _, things in talks[: 4 * rounds]]) for rounds in range(2, 21))
        result = next(end for end in ends if end.dry)
        shares.append(result.observed / known)
        held += holds(result, known)
    assert sum(shares) / len(shares) > 0.9
    assert held >= 90


def test_figures_by_hand() -> None:
    """5 units, 6 things: Q1 = 3 (d, e, f), Q2 = 1 (c); 3 + 2 + 4 + 5 = 14 incidences."""
    units = [frozenset("abc"), frozenset("abc"), frozenset("abd"), frozenset("abe"), frozenset("af")]
    result = saturation(units)
    assert (result.units, result.observed, result.uniques, result.duplicates) == (5, 6, 3, 1)
    assert result.estimate == pytest.approx(6 + 4 / 5 * 3 * 2 / (2 * 2))
    assert result.coverage == pytest.approx(1 - 3 / 14 * (4 * 3) / (4 * 3 + 2 * 1))
    assert not result.dry


@pytest.mark.parametrize(
    "units",
    [[], [frozenset("abc")], [frozenset(), frozenset()]],
    ids=["no unit", "one unit", "nothing named"],
)  # fmt: skip
def test_without_data_nothing_is_claimed(units: list[frozenset[str]]) -> None:
    result = saturation(units)
    observed = len(frozenset().union(*units))
    assert (result.units, result.observed, result.low) == (len(units), observed, observed)
    assert (result.estimate, result.high, result.coverage, result.dry) == (None, None, None, False)


def test_a_single_thing_named_once_covers_nothing() -> None:
    assert saturation([frozenset("a"), *[frozenset()] * 7]).coverage == 0


def test_the_rounds_of_an_expert_are_one_unit() -> None:
    talks = [("A", frozenset("xy")), ("B", frozenset()), ("A", frozenset("yz"))]
    assert by_expert(talks) == (frozenset("xyz"), frozenset())


@pytest.mark.parametrize("units", [2, 5, 6, 12])
def test_what_all_name_is_all_there_is(units: int) -> None:
    result = saturation([frozenset("abcde")] * units)
    assert (result.estimate, result.low, result.coverage) == (5, 5, 1)
    assert result.dry == (units >= DRY_UNITS)


@laws
@given(panels)
def test_ends_stand_in_order(units: list[frozenset[str]]) -> None:
    result = saturation(units)
    assert result.observed <= result.low
    if result.estimate is not None:
        assert result.high is not None and result.coverage is not None
        assert result.low <= result.estimate <= result.high
        assert 0 <= result.coverage <= 1
        assert not result.dry or (result.coverage >= DRY_COVERAGE and result.units >= DRY_UNITS)


@laws
@given(panels, st.frozensets(st.sampled_from("abcdefghijklmnop")))
def test_another_unit_never_lowers_what_was_observed(units: list[frozenset[str]], another: frozenset[str]) -> None:
    assert saturation([*units, another]).observed >= saturation(units).observed


@laws
@given(panels, st.randoms(use_true_random=False))
def test_order_and_names_do_not_count(units: list[frozenset[str]], stream: random.Random) -> None:
    shuffled = [frozenset(thing.upper() for thing in unit) for unit in units]
    stream.shuffle(shuffled)
    assert saturation(shuffled) == saturation(units)
