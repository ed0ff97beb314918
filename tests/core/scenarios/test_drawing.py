"""Scenarios: a plan depends on nothing but space, size and seed; quotas are kept to a scenario; nothing repeats early."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Sequence
from itertools import combinations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finetune_prep.core.identity import digest
from finetune_prep.core.scenarios.drawing import cells, draw, plan, quotas
from finetune_prep.core.scenarios.scenario import Cell, Exchange, Scenario
from finetune_prep.core.scenarios.space import Difficulty, Flaw, Length, ScenarioSpace, Situation, SpecialCase, Style, Topic
from tests.soak import examples

laws = settings(max_examples=examples(40))
weights = st.one_of(st.integers(1, 100).map(float), st.floats(0.01, 50.0))
seeds = st.one_of(st.integers(0, 2**40), st.text(max_size=8))


def topic(number: int, weight: float = 1.0, situations: int = 3) -> Topic:
    return Topic(
        id=f"TP{number}",
        name=f"Topic {number}",
        weight=weight,
        situations=tuple(Situation(f"TP{number}.{n}", f"situation {n} of topic {number}") for n in range(1, situations + 1)),
        techniques=(f"T{number}.1",),
    )


def case(id: str, at: str = "") -> SpecialCase:
    return SpecialCase(id=id, name=f"Case {id}", situation=f"what happens in {id}", expected=f"what is right in {id}", topic=at)


def space_of(topics: Sequence[Topic], **changes: object) -> ScenarioSpace:
    space = ScenarioSpace(
        title="Support of a pottery shop",
        topics=tuple(topics),
        styles=(
            Style(id="ST1", name="Terse", weight=3.0, fewest=5, most=25),
            Style(id="ST2", name="Chatty", weight=1, fewest=40, most=90),
        ),
        difficulties=(Difficulty(id="DF1", name="Easy", weight=0.3), Difficulty(id="DF2", name="Hard", weight=0.7)),
        flaws=(Flaw(id="FL1", name="Buries the lede", weight=0.5), Flaw(id="FL2", name="Minimises", weight=0.5)),
        lengths=(
            Length(id="LN1", name="One exchange", weight=1.0, exchanges=1),
            Length(id="LN2", name="Some", weight=1, exchanges=3),
        ),
        edge_cases=(case("ED1", "TP1"), case("ED2"), case("ED3")),
        out_of_scope=(case("OS1"), case("OS2", "TP1")),
    )
    return msgspec.structs.replace(space, **changes)


@st.composite
def spaces(draw: st.DrawFn) -> ScenarioSpace:
    topics = [topic(n, draw(weights), draw(st.integers(0, 7))) for n in range(1, draw(st.integers(1, 9)) + 1)]
    topics[0] = topic(1, topics[0].weight, max(1, len(topics[0].situations)))
    owners = st.sampled_from(["", *(topic.id for topic in topics)])
    edge = tuple(case(f"ED{n}", draw(owners)) for n in range(draw(st.integers(0, 6))))
    outside = tuple(case(f"OS{n}", draw(owners)) for n in range(draw(st.integers(0, 4))))
    return space_of(
        topics,
        edge_cases=edge,
        out_of_scope=outside,
        edge_share=draw(st.floats(0, 0.5)),
        out_of_scope_share=draw(st.floats(0, 0.5)),
        no_flaw_share=draw(st.floats(0, 1)),
    )


SPACE = space_of([topic(1, 0.5), topic(2, 0.3, situations=5), topic(3, 0.2, situations=1)])
NORMAL = Cell("TP2", "normal")


@laws
@given(spaces(), st.integers(0, 150), seeds)
def test_a_plan_is_a_pure_function_of_space_size_and_seed(space: ScenarioSpace, n: int, seed: int | str) -> None:
    random.seed(n)
    first = plan(space, n, seed)
    random.seed(n + 1)  # neither the global generator nor an earlier plan may matter
    plan(space, 7, "another")
    assert plan(space, n, seed) == first


@laws
@given(spaces(), st.integers(0, 150), seeds)
def test_a_plan_holds_as_many_scenarios_as_were_asked_for_and_none_twice(space: ScenarioSpace, n: int, seed: int | str) -> None:
    scenarios = plan(space, n, seed)
    assert len(scenarios) == n
    assert len({(scenario.cell, scenario.index) for scenario in scenarios}) == n
    assert len({scenario.id for scenario in scenarios}) == n


@laws
@given(spaces())
def test_shares_of_cells_sum_to_one(space: ScenarioSpace) -> None:
    shares = cells(space)
    assert math.isclose(sum(shares.values()), 1.0, abs_tol=1e-9)
    assert all(share >= 0 for share in shares.values())


@laws
@given(spaces(), st.integers(0, 400))
def test_quotas_sum_to_the_plan_and_stay_within_one_of_their_share_of_the_kind(space: ScenarioSpace, n: int) -> None:
    shares, counts = cells(space), quotas(space, n)
    assert sum(counts.values()) == n
    assert list(counts) == list(shares)
    for kind in {cell.kind for cell in shares}:
        of_kind = [cell for cell in shares if cell.kind == kind]
        total, share = sum(counts[cell] for cell in of_kind), sum(shares[cell] for cell in of_kind)
        assert abs(total - n * share) < 1 + 1e-6
        for cell in of_kind:
            exact = total * shares[cell] / share if share else 0.0
            assert abs(counts[cell] - exact) < 1 + 1e-6


def test_edge_cases_are_not_lost_when_there_are_more_cells_than_scenarios() -> None:
    """With quotas over single cells, ten rare edge cells of 1.5 % each would get nothing of a plan of twenty."""
    many = space_of([topic(n) for n in range(1, 11)], edge_cases=tuple(case(f"ED{n}", f"TP{n}") for n in range(1, 11)))
    kinds = Counter(scenario.cell.kind for scenario in plan(many, 20, 1))
    assert kinds == {"normal": 15, "edge": 3, "out-of-scope": 2}


def test_weights_are_relative() -> None:
    doubled = space_of([msgspec.structs.replace(topic, weight=topic.weight * 40) for topic in SPACE.topics])
    assert quotas(doubled, 100) == quotas(SPACE, 100)


def test_a_kind_without_cases_gives_its_share_to_the_normal_cells() -> None:
    assert {cell.kind for cell in cells(msgspec.structs.replace(SPACE, edge_cases=(), out_of_scope=()))} == {"normal"}


def test_a_topic_without_situations_takes_no_share() -> None:
    shares = cells(space_of([topic(1, 1.0), topic(2, 3.0, situations=0)], edge_cases=(), out_of_scope=()))
    assert shares == {Cell("TP1", "normal"): 1.0}


@pytest.mark.parametrize(
    ("space", "reason"),
    [
        (space_of([]), "no topic of the scenario space has both situations and a weight"),
        (space_of([topic(1, situations=0)]), "no topic of the scenario space has both situations and a weight"),
        (space_of([topic(1, weight=0.0)]), "no topic of the scenario space has both situations and a weight"),
        (space_of([topic(1)], edge_share=0.7, out_of_scope_share=0.4), "edge cases have a share of 0.7"),
        (space_of([topic(1)], styles=()), "the scenario space has no user style"),
        (space_of([topic(1)], difficulties=(), lengths=()), "the scenario space has no difficulty and no length"),
    ],
)
def test_a_space_that_gives_no_scenarios_is_refused_with_the_reason(space: ScenarioSpace, reason: str) -> None:
    with pytest.raises(ValueError, match=f"^{reason}"):
        plan(space, 10, 1)


@laws
@given(st.integers(0, 500), st.lists(st.integers(0, 500), max_size=5), seeds)
def test_what_is_drawn_does_not_depend_on_what_was_drawn_before(index: int, others: list[int], seed: int | str) -> None:
    alone = draw(SPACE, NORMAL, index, seed)
    for other in others:
        draw(SPACE, NORMAL, other, seed)
    assert draw(SPACE, NORMAL, index, seed) == alone


def test_a_larger_plan_holds_the_scenarios_of_a_smaller_one() -> None:
    """So a pilot of 100 pays only for the 80 conversations that a pilot of 20 has not made."""
    larger = {scenario.id for scenario in plan(SPACE, 200, 1)}
    assert {scenario.id for scenario in plan(SPACE, 100, 1)} <= larger


def test_other_topics_do_not_change_what_a_cell_gives() -> None:
    more = msgspec.structs.replace(SPACE, topics=(topic(9), *SPACE.topics))
    assert draw(more, NORMAL, 4, 1) == draw(SPACE, NORMAL, 4, 1)


@laws
@given(st.integers(1, 9), st.integers(1, 4), seeds)
def test_every_situation_of_a_cell_comes_up_before_one_repeats(situations: int, laps: int, seed: int | str) -> None:
    space = space_of([topic(1, situations=situations)])
    drawn = [draw(space, Cell("TP1", "normal"), index, seed).situation.id for index in range(situations * laps)]
    for lap in range(laps):
        assert len(set(drawn[lap * situations : (lap + 1) * situations])) == situations


def test_seeds_give_different_plans() -> None:
    plans = [tuple(scenario.id for scenario in plan(SPACE, 30, seed)) for seed in (1, 2, "1a")]
    assert len(set(plans)) == 3


def test_every_prefix_of_a_plan_is_a_fair_sample_of_the_kinds() -> None:
    """Over many seeds, the first ten of a hundred have as many edge cases as their share: waves of a pilot are comparable."""
    first = Counter(scenario.cell.kind for seed in range(60) for scenario in plan(SPACE, 100, seed)[:10])
    assert 0.11 < first["edge"] / 600 < 0.19
    assert 0.07 < first["out-of-scope"] / 600 < 0.13


def test_dimensions_come_up_by_their_weights() -> None:
    drawn = plan(SPACE, 2000, 1)
    assert 0.70 < sum(scenario.style.id == "ST1" for scenario in drawn) / 2000 < 0.80
    assert 0.16 < sum(scenario.flaw is None for scenario in drawn) / 2000 < 0.24
    assert {scenario.exchanges for scenario in drawn} == {1, 3}


@pytest.mark.parametrize(("share", "expected"), [(0.0, {False}), (1.0, {True})])
def test_shares_of_users_without_flaw_hold_at_both_ends(share: float, expected: set[bool]) -> None:
    space = msgspec.structs.replace(SPACE, no_flaw_share=share)
    assert {scenario.flaw is None for scenario in plan(space, 60, 1)} == expected


def test_a_space_without_flaws_gives_users_without_flaws() -> None:
    assert all(scenario.flaw is None for scenario in plan(msgspec.structs.replace(SPACE, flaws=()), 40, 1))


def test_special_cases_carry_what_is_expected_and_only_edge_cases_the_techniques_of_their_topic() -> None:
    edge = draw(SPACE, Cell("TP1", "edge"), 0, 1)
    assert (edge.situation.id, edge.expected, edge.techniques) == ("ED1", "what is right in ED1", ("T1.1",))
    outside = draw(SPACE, Cell("TP1", "out-of-scope"), 0, 1)
    assert (outside.situation.id, outside.techniques) == ("OS2", ())
    anywhere = draw(SPACE, Cell("", "edge"), 0, 1)
    assert anywhere.situation.id in {"ED2", "ED3"}
    assert anywhere.techniques == ()


def test_a_cell_of_an_unknown_topic_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="no topic TP99"):
        draw(SPACE, Cell("TP99", "normal"), 0, 1)


def test_random_streams_of_a_scenario_are_stable_and_independent_by_purpose() -> None:
    scenario = draw(SPACE, NORMAL, 0, 1)
    again = draw(SPACE, NORMAL, 0, 1)
    purposes: list[tuple[str | int, ...]] = [("user", 0), ("user", 1), ("hints", 0), ("user",), ("user0",)]
    first = {purpose: scenario.stream(*purpose).random() for purpose in purposes}
    for purpose in reversed(purposes):
        assert again.stream(*purpose).random() == first[purpose]
    assert len(set(first.values())) == len(purposes)
    assert draw(SPACE, NORMAL, 1, 1).stream("user", 0).random() != first["user", 0]


def test_streams_of_neighbouring_scenarios_do_not_correlate() -> None:
    """Seeds such as 1/TP1/normal/0 and …/1 differ by a character; their streams must have nothing in common."""
    rows = [[draw(SPACE, NORMAL, index, 1).stream("user", turn).random() for turn in range(200)] for index in range(5)]
    for one, other in combinations(rows, 2):
        mean = sum((a - 0.5) * (b - 0.5) for a, b in zip(one, other, strict=True)) / 200
        assert abs(mean * 12) < 0.25  # 12 = 1 / variance; the standard error is .07


def test_a_plan_is_the_same_on_every_machine_and_in_every_version() -> None:
    """Frozen: a change here makes every project pay for new conversations, and no recording can be replayed any more."""
    assert [scenario.id for scenario in plan(SPACE, 3, 1)] == FROZEN_IDS
    assert draw(SPACE, NORMAL, 0, 1).stream("user", 0).random() == pytest.approx(FROZEN_STREAM, abs=1e-15)


FROZEN_IDS = ["6f63465bdf17", "f52c0914e8ee", "266739f83c3b"]
FROZEN_STREAM = 0.34025983846376384


def test_the_identity_of_a_scenario_holds_all_of_its_content() -> None:
    scenario = draw(SPACE, NORMAL, 0, 1)
    changed = {
        "situations": (Situation("TP2.1", "something else"),),
        "course": (*scenario.course, Exchange()),
        "seed": "2/TP2/normal/0",
        "flaw": Flaw(id="FL9", name="Rambles", weight=1.0),
        "index": 5,
    }
    ids = {msgspec.structs.replace(scenario, **{field: value}).id for field, value in changed.items()}
    assert len(ids | {scenario.id}) == len(changed) + 1
    assert msgspec.json.decode(msgspec.json.encode(scenario), type=Scenario).id == scenario.id


@laws
@given(
    st.dictionaries(st.text(max_size=5), st.one_of(st.integers(), st.text(max_size=5), st.booleans()), max_size=6), st.randoms()
)
def test_a_digest_does_not_depend_on_the_order_of_keys(value: dict[str, object], order: random.Random) -> None:
    items = list(value.items())
    order.shuffle(items)
    assert digest(dict(items)) == digest(value)
    assert digest({"nested": [dict(items)]}) == digest({"nested": [value]})


def test_a_digest_depends_on_the_order_of_lists_and_on_types() -> None:
    values: list[object] = [[1, 2], [2, 1], ["1", 2], {"1": 2}, [[1], 2], [1, None], [True, 2]]
    assert len({digest(value) for value in values}) == len(values)


def test_capacity_counts_situations_times_every_other_dimension() -> None:
    assert SPACE.capacity == (3 + 5 + 1 + 3 + 2) * 2 * 2 * 3 * 2
    assert msgspec.structs.replace(SPACE, flaws=()).capacity == 14 * 2 * 2 * 1 * 2
