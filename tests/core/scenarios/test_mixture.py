"""Shares of combinations: what goes together is scaled until every dimension has what is declared."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from finetune_prep.core.scenarios.drawing import plan
from finetune_prep.core.scenarios.mixture import Branch, choose, mixture, points
from finetune_prep.core.scenarios.space import Flaw, ScenarioSpace
from tests.core.scenarios.test_drawing import SPACE
from tests.soak import examples

laws = settings(max_examples=examples(40))


def share(space: ScenarioSpace, dimension: str, id: str) -> float:
    """What an item has in the mixture; "" = no flaw."""
    found = ((getattr(combination, dimension), value) for combination, value in mixture(space))
    return sum(value for item, value in found if (item.id if item else "") == id)


def with_flaws(*flaws: Flaw, no_flaw_share: float = 0.2) -> ScenarioSpace:
    return msgspec.structs.replace(SPACE, flaws=flaws, no_flaw_share=no_flaw_share)


@laws
@given(
    st.lists(st.tuples(st.floats(0.1, 5), st.integers(1, 3), st.sampled_from([(), ("DF1",), ("ST2",)])), min_size=1, max_size=4),
    st.floats(0.25, 0.9),
)
def test_every_dimension_has_its_declared_share_wherever_that_is_possible(
    drawn: list[tuple[float, int, tuple[str, ...]]], flawless: float
) -> None:
    flaws = [
        Flaw(id=f"FL{n}", name="x", weight=weight, from_exchange=first, not_with=excluded)
        for n, (weight, first, excluded) in enumerate(drawn, start=1)
    ]
    space = with_flaws(*flaws, no_flaw_share=flawless)
    total = sum(flaw.weight for flaw in flaws)
    held = {"late": 0.0, "DF1": 0.0, "ST2": 0.0}
    for flaw in flaws:
        for key in (*flaw.not_with, *(["late"] if flaw.from_exchange > 1 else [])):
            held[key] += (1 - flawless) * flaw.weight / total
    assume(held["late"] < 0.4 and held["DF1"] < 0.6 and held["ST2"] < 0.65)  # what is declared of the others leaves room
    for flaw in flaws:
        assert share(space, "flaw", flaw.id) == pytest.approx((1 - flawless) * flaw.weight / total, abs=1e-4)
    assert share(space, "flaw", "") == pytest.approx(flawless, abs=1e-4)
    assert share(space, "length", "LN1") == pytest.approx(0.5, abs=0.02)
    assert share(space, "difficulty", "DF1") == pytest.approx(0.3, abs=0.02)
    assert share(space, "style", "ST1") == pytest.approx(0.75, abs=0.02)


def test_what_excludes_each_other_never_comes_together() -> None:
    space = with_flaws(Flaw(id="FL1", name="x", weight=1, from_exchange=2, not_with=("DF1",)))
    together = {(c.flaw.id if c.flaw else "", c.length.exchanges, c.difficulty.id) for c, value in mixture(space) if value > 0}
    assert {pair for pair in together if pair[0] == "FL1"} == {("FL1", 3, "DF2")}
    assert ("", 1, "DF1") in together


def test_where_shares_cannot_all_be_had_the_flaws_keep_theirs() -> None:
    space = with_flaws(Flaw(id="FL1", name="x", weight=1, not_with=("DF2",)), no_flaw_share=0.1)
    assert share(space, "flaw", "FL1") == pytest.approx(0.9)
    assert share(space, "difficulty", "DF1") > 0.8, "it is declared for .3, and nine of ten users need it"


def test_a_flaw_that_goes_with_nothing_is_never_had() -> None:
    space = with_flaws(Flaw(id="FL1", name="x", weight=1, from_exchange=9), Flaw(id="FL2", name="y", weight=1))
    assert share(space, "flaw", "FL1") == 0
    assert share(space, "flaw", "FL2") == pytest.approx(0.4)


class Choice(msgspec.Struct, frozen=True):
    weight: float


@laws
@given(st.lists(st.floats(0.01, 50), min_size=1, max_size=6), st.floats(0, 1))
def test_a_choice_without_weight_is_never_chosen(weights: list[float], point: float) -> None:
    choices = [Choice(0.0), *map(Choice, weights), Choice(0.0)]
    assert choose(point, choices).weight > 0


def test_choices_are_chosen_by_their_weights() -> None:
    choices = [Choice(1.0), Choice(3.0)]
    assert [choose(point, choices).weight for point in (0.0, 0.2, 0.26, 0.99, 1.0)] == [1, 1, 3, 3, 3]


def test_nothing_is_combined_where_nothing_is_left() -> None:
    assert Branch([]).combine((0.5,) * 4) is None
    (only, share), *_ = mixture(SPACE)
    assert Branch([(only, share)]).combine((0.5,) * 4) == only


def test_what_is_drawn_is_written_as_its_own_space_writes_it() -> None:
    """A weight of 1 equals one of 1.0; a scenario drawn from either is that space's own, whichever was drawn from first."""
    whole = with_flaws(Flaw(id="FL1", name="x", weight=1))
    point = with_flaws(Flaw(id="FL1", name="x", weight=1.0))
    assert whole == point
    written = [[scenario.flaw.weight for scenario in plan(space, 40, 1) if scenario.flaw] for space in (whole, point, whole)]
    assert [{type(weight) for weight in weights} for weights in written] == [{int}, {float}, {int}]


def test_points_of_a_cell_spread_evenly() -> None:
    """Of any hundred in a row, each tenth of the range gets nearly ten: chance alone would leave some with four."""
    for dimension in range(len(points(1, "TP1/normal", 0))):
        for first in (0, 57, 911):
            counts = [0] * 10
            for index in range(first, first + 100):
                counts[int(points(1, "TP1/normal", index)[dimension] * 10)] += 1
            assert min(counts) >= 8, (dimension, counts)
            assert max(counts) <= 12, (dimension, counts)


def test_cells_and_seeds_have_points_of_their_own() -> None:
    first = {points(seed, cell, 0) for seed in (1, 2, "1a") for cell in ("TP1/normal", "TP2/normal", "TP1/edge")}
    assert len(first) == 9
