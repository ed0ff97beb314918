"""A thousand planned scenarios hold what their space declares, and each of them can be played."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise

import msgspec
import pytest

from finetune_prep import documents
from finetune_prep.core.scenarios.drawing import FLAW_SHOWS, draw, plan
from finetune_prep.core.scenarios.fitting import unplayable
from finetune_prep.core.scenarios.scenario import Cell, Scenario
from finetune_prep.core.scenarios.space import REACTIONS, Gap, ScenarioSpace, Situation
from tests.core.scenarios.companion import JOBS, companion

N = 1000
POINTS = 0.02


def specimen() -> ScenarioSpace:
    value = documents.parse("scenario-space", documents.template("scenario-space"), "scenario-space.md").value
    assert isinstance(value, ScenarioSpace)
    return value


SPACES = {"pottery": specimen(), "companion": companion()}
spaces = pytest.mark.parametrize("name", SPACES)
seeds = pytest.mark.parametrize("seed", [1, 2, 3])


@lru_cache(maxsize=8)
def planned(name: str, seed: int) -> tuple[Scenario, ...]:
    return plan(SPACES[name], N, seed)


def shares(values: Iterable[str]) -> dict[str, float]:
    counts = Counter(values)
    return {value: count / counts.total() for value, count in counts.items()}


def declared(choices: Sequence[msgspec.Struct], of: float = 1.0) -> dict[str, float]:
    total = sum(choice.weight for choice in choices)  # type: ignore[attr-defined]
    return {choice.id: of * choice.weight / total for choice in choices}  # type: ignore[attr-defined]


def far(found: Mapping[str, float], wanted: Mapping[str, float], allowed: float) -> dict[str, tuple[float, float]]:
    """What differs by more than is allowed: found and wanted."""
    pairs = {key: (found.get(key, 0.0), wanted.get(key, 0.0)) for key in {*found, *wanted}}
    return {key: pair for key, pair in pairs.items() if abs(pair[0] - pair[1]) > allowed}


@spaces
@seeds
def test_flaws_are_planned_to_show_as_often_as_they_are_declared(name: str, seed: int) -> None:
    space, scenarios = SPACES[name], planned(name, seed)
    wanted = declared(space.flaws, 1 - space.no_flaw_share) | {"": space.no_flaw_share}
    had = shares(scenario.flaw.id if scenario.flaw else "" for scenario in scenarios)
    shown = shares(
        scenario.flaw.id if scenario.flaw and any(exchange.flaw_shows for exchange in scenario.course) else ""
        for scenario in scenarios
    )
    assert far(had, wanted, POINTS) == {}
    assert far(shown, wanted, POINTS) == {}


@spaces
@seeds
def test_no_card_is_unplayable(name: str, seed: int) -> None:
    assert [(scenario.id, *unplayable(scenario)) for scenario in planned(name, seed) if any(unplayable(scenario))] == []


@spaces
@seeds
def test_the_other_dimensions_keep_their_shares_beside_the_flaws(name: str, seed: int) -> None:
    """What a flaw excludes is made up for by the others; styles give way to situations that they have no words for."""
    space, scenarios = SPACES[name], planned(name, seed)
    assert far(shares(scenario.difficulty.id for scenario in scenarios), declared(space.difficulties), POINTS) == {}
    assert far(shares(scenario.person.id for scenario in scenarios if scenario.person), declared(space.people), POINTS) == {}
    assert far(shares(scenario.style.id for scenario in scenarios), declared(space.styles), 2 * POINTS) == {}
    lengths = {length.id: length.exchanges for length in space.lengths}
    found = shares(str(scenario.exchanges) for scenario in scenarios)
    assert far(found, {str(lengths[id]): share for id, share in declared(space.lengths).items()}, 2 * POINTS) == {}


@spaces
def test_every_job_is_met_by_planned_scenarios(name: str) -> None:
    space = SPACES[name]
    knowledge = documents.parse("domain-frameworks", documents.template("domain-frameworks"), "domain-frameworks.md").value
    jobs = JOBS if name == "companion" else [job.id for job in knowledge.jobs]
    topics = {topic.id: topic for topic in space.topics}
    met = {job for scenario in planned(name, 1)[:100] if scenario.cell.topic for job in topics[scenario.cell.topic].jobs}
    assert met == set(jobs)


@spaces
def test_a_flaw_shows_in_about_half_of_the_messages_and_never_before_it_can(name: str) -> None:
    exchanges = [
        (scenario.flaw, number, exchange)
        for scenario in planned(name, 1)
        if scenario.flaw
        for number, exchange in enumerate(scenario.course, start=1)
    ]
    possible = [exchange.flaw_shows for flaw, number, exchange in exchanges if number >= flaw.from_exchange]
    assert FLAW_SHOWS <= sum(possible) / len(possible) < FLAW_SHOWS + 0.15, "one message at least makes it a little more"
    assert not [flaw.id for flaw, number, exchange in exchanges if exchange.flaw_shows and number < flaw.from_exchange]


@spaces
def test_questions_are_taken_as_the_domain_takes_them(name: str) -> None:
    found = shares(exchange.reaction for scenario in planned(name, 1) for exchange in scenario.course[1:] if exchange.reaction)
    wanted: dict[str, float] = {**SPACES[name].reactions.shares}
    assert set(found) == set(REACTIONS)
    assert far(found, wanted, 0.03) == {}


@spaces
def test_something_else_comes_up_in_longer_talks_and_leads_nowhere_without_words(name: str) -> None:
    several = [scenario for scenario in planned(name, 1) if len(scenario.situations) > 1]
    assert 0.1 < len(several) / N < 0.5
    assert {len(scenario.situations) for scenario in several} == {2, 3}
    for scenario in several:
        assert scenario.cell.kind == "normal", "what is expected of a special case is judged: nothing else comes in"
        assert len({situation.id for situation in scenario.situations}) == len(scenario.situations)
        assert scenario.come_in(1) == scenario.situations[:1]
        assert scenario.come_in(scenario.exchanges) == scenario.situations


def test_gaps_follow_the_calendar() -> None:
    for scenario in planned("companion", 1):
        gaps = [exchange.gap for exchange in scenario.course]
        assert gaps[0] is None
        days = [gap for gap in gaps if gap]
        for before, after in pairwise(days):
            assert after.weekday == (before.weekday + after.days) % 7
        assert (scenario.arc is None) == (scenario.exchanges == 1)
    assert shares(str(gap.days == 0) for s in planned("companion", 1) for e in s.course if (gap := e.gap))["True"] < 0.25


def test_a_talk_in_one_sitting_has_neither_gaps_nor_an_arc() -> None:
    space = msgspec.structs.replace(companion(), gaps=(), arcs=())
    assert not [s.id for s in plan(space, 200, 1) if s.arc or any(exchange.gap for exchange in s.course)]


def test_a_gap_of_the_same_day_without_words_is_none() -> None:
    silent = (Gap(id="GP1", name="Same day", weight=1, fewest=0, most=0),)
    space = msgspec.structs.replace(companion(), gaps=silent)
    assert not [s.id for s in plan(space, 100, 1) if any(exchange.gap for exchange in s.course)]


def test_a_style_is_not_drawn_with_a_situation_that_it_has_no_words_for() -> None:
    """Forty words in messages of twelve: not in one, and not in three."""
    space = companion()
    long = space.topics[0].situations[3]
    cell = Cell("TP1", "normal")
    drawn = [scenario for n in range(200) if (scenario := draw(space, cell, n, 1)).situation == long]
    assert len(drawn) == 50
    few = [scenario for scenario in drawn if scenario.style.id == "ST1"]
    assert {scenario.exchanges for scenario in few} <= {8, 15}
    assert few, "in eight messages they have the words"


def test_a_situation_that_no_style_can_tell_is_planned_all_the_same() -> None:
    """Its gate has said so, and a person has gone on: that is no reason for a crash."""
    space = companion()
    endless = Situation("TP6.1", "word " * 5000)
    topic = msgspec.structs.replace(space.topics[5], situations=(endless,))
    scenario = draw(msgspec.structs.replace(space, topics=(*space.topics[:5], topic)), Cell("TP6", "normal"), 0, 1)
    assert scenario.situation == endless
    assert "takes 5000 words to tell" in next(iter(unplayable(scenario)))
