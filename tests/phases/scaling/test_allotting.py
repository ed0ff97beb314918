"""Waves of candidates over cells whose acceptance is known, without a conversation."""

from __future__ import annotations

import random

import pytest

from finetune_prep.core.scenarios.scenario import Cell
from finetune_prep.phases.scaling.allotting import SPARE, WAVE, Allotment
from finetune_prep.statistics.volume.drift import Drift
from tests.soak import SOAK

ROWS = 5_000 if SOAK else 1_200
RUNS = 40 if SOAK else 6
RATES = {Cell(f"TP{n}", "normal"): rate for n, rate in enumerate((0.95, 0.9, 0.85, 0.8, 0.7, 0.6, 0.5, 0.4), start=1)}
SHARES = {cell: 1 / len(RATES) for cell in RATES}
MEAN = sum(RATES.values()) / len(RATES)


def quotas(rows: int) -> dict[Cell, int]:
    each, rest = divmod(rows, len(RATES))
    return {cell: each + (number < rest) for number, cell in enumerate(RATES)}


class Simulated:
    """A run with one die: passed is accepted. fall: by which the rate sinks after so many candidates. pilot: its rate; None = drawn."""

    def __init__(
        self,
        seed: int,
        *,
        rates: dict[Cell, float] = RATES,
        rows: int = ROWS,
        most: int | None = None,
        fall: float = 0.0,
        after: int = 0,
        pilot: float | None = None,
    ) -> None:
        most = 4 * rows if most is None else most
        self.allotment = Allotment(quotas(rows), seed, most)
        self.drift = Drift(most)
        self.waves: list[int] = []
        self.drawn: set[tuple[Cell, int]] = set()
        dice = random.Random(f"pilot {seed}")
        drawn = sum(dice.random() < rates[cell] for cell in rates for _ in range(13)) / (13 * len(rates))
        pilot = drawn if pilot is None else pilot
        self.stopped = 0
        for wave in self.allotment.waves():
            self.waves.append(len(wave))
            for cell, index in wave:
                assert (cell, index) not in self.drawn
                self.drawn.add((cell, index))
                rate = rates[cell] - (fall if len(self.drawn) > after else 0.0)
                passed = random.Random(f"{seed} {cell} {index}").random() < rate
                baseline = self.allotment.count(cell, passed=passed)
                self.drift.take(pilot if baseline is None else baseline, passed=passed)
                tally = self.allotment.cells[cell]
                if passed:
                    tally.good += 1
                    tally.accepted += bool(tally.missing)
                if self.drift.found:
                    self.stopped = len(self.drawn)
                    return


def test_every_cell_has_exactly_its_rows_and_a_sound_run_goes_through() -> None:
    """The pilot's rate is itself estimated, from a hundred conversations, as it is in life."""
    runs = [Simulated(seed) for seed in range(RUNS)]
    assert sum(bool(run.stopped) for run in runs) <= 0.05 * RUNS
    for run in runs:
        if not run.stopped:
            assert {cell: tally.accepted for cell, tally in run.allotment.cells.items()} == quotas(ROWS)
            assert max(run.waves) <= WAVE
            least = sum(quota / RATES[cell] for cell, quota in quotas(ROWS).items())
            assert len(run.drawn) <= 1.06 * least + 60, "few are made in vain"
            assert len(run.waves) <= 12


@pytest.mark.parametrize("rows", [80, 200])
def test_small_runs_are_left_alone_although_their_cells_begin_with_ten_conversations(rows: int) -> None:
    """What a cell is held against later is estimated from so few."""
    stopped = sum(bool(Simulated(seed, rows=rows).stopped) for seed in range(10 * RUNS))
    assert stopped <= 0.05 * 10 * RUNS


@pytest.mark.parametrize("after", [0, ROWS])
def test_a_fall_of_fifteen_points_stops_it_whenever_it_comes(after: int) -> None:
    """Below the pilot's rate. Thirty points are found in a thousand rows, fifteen in five thousand."""
    fall = 0.15 if SOAK else 0.30
    stopped = [Simulated(seed, fall=fall, after=after, pilot=MEAN).stopped for seed in range(RUNS)]
    assert sum(map(bool, stopped)) >= (0.9 * RUNS if SOAK else RUNS)


def test_cells_that_cannot_be_filled_are_given_up_and_the_others_have_their_rows() -> None:
    poor = next(iter(RATES))
    run = Simulated(1, rates=RATES | {poor: 0.05})
    if run.stopped:  # the pilot knew of it, so the rate is as expected
        pytest.fail("an exhausted cell is no drift")
    tallies = run.allotment.cells
    assert [cell for cell, tally in tallies.items() if tally.exhausted] == [poor]
    assert sum(tally.accepted for tally in tallies.values()) == ROWS
    assert tallies[poor].taken <= 4 * tallies[poor].planned + SPARE
    more = [tally.accepted - tally.planned for cell, tally in tallies.items() if cell != poor]
    assert max(more) - min(more) <= 1


def test_no_more_candidates_than_allowed() -> None:
    run = Simulated(2, most=ROWS // 2)
    assert len(run.drawn) <= ROWS // 2


def test_a_cell_without_a_quota_is_never_drawn() -> None:
    cells = {Cell("TP1", "normal"): 5, Cell("TP2", "normal"): 0}
    assert {cell.topic for wave in Allotment(cells, 1, 40).waves() for cell, _ in wave} == {"TP1"}
