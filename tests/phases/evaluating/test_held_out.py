"""Scenarios that no row was made from, by quota, and the same for the same seed."""

from __future__ import annotations

from collections import Counter

import pytest

from finetune_prep.core.scenarios.drawing import plan, quotas
from finetune_prep.core.scenarios.scenario import Scenario
from finetune_prep.core.scenarios.space import ScenarioSpace
from finetune_prep.documents.kinds import Documents, parse
from finetune_prep.phases.evaluating.held_out import content, first_exchange, held_out
from tests.gates.test_parsed import written

SPACE: ScenarioSpace = parse(
    Documents.space.name, written()["scenario-space"], Documents.space.path
).value  # as a project reads it


@pytest.mark.parametrize("n", [6, 24, 60])
def test_none_of_them_is_one_of_the_rows(n: int) -> None:
    rows = {content(scenario) for scenario in plan(SPACE, 200, 1)}
    found = held_out(SPACE, n, 1, rows)
    assert not rows & {content(scenario) for scenario in found}
    assert len({content(scenario) for scenario in found}) == n


def test_what_a_row_was_made_from_is_replaced_within_its_cell() -> None:
    """Whatever is taken, every cell has its quota: special cases are not lost for being few."""
    first = held_out(SPACE, 24, 1, ())
    found = held_out(SPACE, 24, 1, {content(scenario) for scenario in first})
    assert not {content(scenario) for scenario in first} & {content(scenario) for scenario in found}
    assert Counter(scenario.cell for scenario in found) == Counter(scenario.cell for scenario in first)
    wanted = {cell: count for cell, count in quotas(SPACE, 24).items() if count}
    assert Counter(scenario.cell for scenario in found) == wanted


def test_the_same_seed_holds_out_the_same_and_they_are_not_the_pilots() -> None:
    assert held_out(SPACE, 12, 1, ()) == held_out(SPACE, 12, 1, ())
    ids = {scenario.id for scenario in held_out(SPACE, 12, 1, ())}
    assert not ids & {scenario.id for scenario in (*plan(SPACE, 100, 1), *held_out(SPACE, 12, 2, ()))}


def test_a_single_exchange_keeps_the_situation_that_leads() -> None:
    long = next(scenario for scenario in held_out(SPACE, 24, 1, ()) if scenario.exchanges > 1)
    short: Scenario = first_exchange(long)
    assert (short.exchanges, short.situations) == (1, long.situations[:1])
    assert short.id != long.id
    assert all(scenario.exchanges == 1 for scenario in held_out(SPACE, 12, 1, (), single=True))
