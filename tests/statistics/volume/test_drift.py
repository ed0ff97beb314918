"""The test for drift over simulated runs: sound ones are left alone, drops are found wherever they begin."""

from __future__ import annotations

import random
from math import sqrt

import pytest

from finetune_prep.statistics.volume.drift import BLOCK, TOLERATED, Drift
from tests.soak import SOAK

RUNS = 400 if SOAK else 40


def stopped_at(
    rate: float, length: int, seed: int, baseline: float = 0.75, *, later: float | None = None, after: int = 0
) -> int | None:
    """After how many conversations a run stops; None if it comes to its end."""
    dice, drift = random.Random(f"{rate} {seed}"), Drift(2 * length)
    for number in range(length):
        now = rate if later is None or number < after else later
        drift.take(baseline, passed=dice.random() < now)
        if drift.found:
            return number
    return None


@pytest.mark.parametrize("rate", [0.75, 0.75 - TOLERATED])
def test_a_run_within_what_is_tolerated_is_hardly_ever_stopped(rate: float) -> None:
    """Also one that lies exactly that far below a rate that is known: in at most one of twenty."""
    stops = sum(stopped_at(rate, 2_000, seed) is not None for seed in range(RUNS))
    assert stops <= 0.05 * RUNS + 3 * sqrt(0.05 * 0.95 * RUNS)


def passed_pilots(rate: float, count: int) -> list[float]:
    """What pilots of a hundred measure, of those that pass."""
    dice = random.Random(f"pilots {rate}")
    measured: list[float] = []
    while len(measured) < count:
        passed = sum(dice.random() < rate for _ in range(100))
        measured += [passed / 100] * (passed > 70)
    return measured


@pytest.mark.parametrize("rate", [0.75, 0.80, 0.85] if SOAK else [0.80])
def test_where_the_pilots_rate_is_an_estimate_fifteen_points_are_found_and_sound_runs_left_alone(rate: float) -> None:
    """In 18 of 20 and more; at most one of twenty sound runs is stopped. 2,000 rows of a pilot that passed, drawn as well."""
    pilots = passed_pilots(rate, RUNS)
    found = [stopped_at(rate - 0.15, 2_000, seed, pilot) is not None for seed, pilot in enumerate(pilots)]
    stopped = [stopped_at(rate, 2_000, seed, pilot) is not None for seed, pilot in enumerate(pilots)]
    told = f"{rate}: {sum(found)} of {RUNS} drops found, {sum(stopped)} of {RUNS} sound runs stopped"
    print(told)
    assert sum(found) >= 0.9 * RUNS - 2 * sqrt(0.09 * RUNS), told
    assert sum(stopped) <= 0.05 * RUNS, told


def test_a_drop_of_fifteen_points_is_found() -> None:
    found = [stopped_at(0.60, 8_000, seed) for seed in range(RUNS // 4)]
    assert None not in found


@pytest.mark.parametrize(("drop", "within"), [(0.15, 4_000), (0.40, 250)])
def test_a_drop_in_the_middle_is_found_although_all_was_well_before(drop: float, within: int) -> None:
    for seed in range(RUNS // 4):
        found = stopped_at(0.75, 8_000, seed, later=0.75 - drop, after=3_000)
        assert found is not None
        assert 3_000 <= found < 3_000 + within


def test_another_mix_of_easy_and_hard_is_no_drift() -> None:
    """First the easy cells, later the hard ones: each is held against its own rate."""
    for seed in range(RUNS // 4):
        dice, drift = random.Random(seed), Drift(4_000)
        for number in range(2_000):
            rate = 0.95 if number < 1_000 else 0.35
            drift.take(rate, passed=dice.random() < rate)
            assert not drift.found


def test_it_counts_what_it_has_seen() -> None:
    drift = Drift(1_000)
    assert drift.evidence == 1.0
    for number in range(BLOCK + 1):
        drift.take(0.5, passed=number % 2 == 0)
    assert (drift.seen, drift.passed) == (BLOCK + 1, BLOCK // 2 + 1)
    assert drift.expected == pytest.approx(0.5 * (BLOCK + 1))
    assert drift.evidence < 1.0
