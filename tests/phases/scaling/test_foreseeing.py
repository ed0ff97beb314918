"""What a run will take, beside what such runs took."""

from __future__ import annotations

import pytest

from finetune_prep.phases.scaling.foreseeing import Seen, foreseen
from tests.phases.scaling.test_allotting import MEAN, RATES, Simulated, quotas

ROWS = 120
PILOT = {cell: Seen(100, round(100 * rate)) for cell, rate in RATES.items()}


def test_it_foresees_what_runs_of_these_rates_take() -> None:
    took = [len(Simulated(seed, rows=ROWS).drawn) for seed in range(20)]
    found = foreseen(quotas(ROWS), 1, 4 * ROWS, rate=MEAN, seen=PILOT)
    assert found.conversations == pytest.approx(sum(took) / len(took), rel=0.06)
    assert found.conversations > 1.05 * ROWS / MEAN, "more than rows over the mean"
    assert 0 < found.surplus < 0.2 * found.conversations


def test_what_is_known_counts_as_it_is_and_nothing_is_left_to_chance() -> None:
    all_good = {(cell, index): True for cell in RATES for index in range(ROWS)}
    assert foreseen(quotas(ROWS), 1, 4 * ROWS, rate=MEAN, seen=PILOT, known=all_good) == (ROWS, 0)


def test_it_makes_no_more_than_a_run_may_and_the_same_arguments_give_the_same() -> None:
    found = foreseen(quotas(ROWS), 1, 80, rate=0.0, seen={})
    assert found.conversations <= 80
    assert found == foreseen(quotas(ROWS), 1, 80, rate=0.0, seen={})
    assert foreseen({}, 1, 80, rate=1.0, seen={}) == (0, 0)
