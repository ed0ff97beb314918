"""A scaled run as its report shows it: wave by wave, and cell by cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from finetune_prep.exports.overview.cells import ELSEWHERE, NO_TOPIC
from finetune_prep.project.scaling.result import CellLine, Scaled, WaveLine
from finetune_prep.statistics.rates import Rate, wilson


class WaveRow(NamedTuple):
    mix: str
    """Whose mix of cells it has."""
    candidates: int
    passed: Rate
    expected: float | None
    """Share that would have passed at the rates of before, 0 to 1; None where nothing was compared."""
    accepted: int


class CellRow(NamedTuple):
    id: str
    name: str
    accepted: int
    planned: int
    tried: int
    good: Rate
    """Of those tried, how many could be rows."""
    exhausted: bool


class ScaledView(NamedTuple):
    """What a scaled run has beside a pilot."""

    wanted: int
    accepted: int
    baseline: int
    """Per cent that passed in the pilot."""
    said: Sequence[str]
    """Why it ended, what was given up, what is to be read, in sentences."""
    drift: str
    acceptable: str
    """How many conversations could be rows, in words."""
    waves: Sequence[WaveRow]
    cells: Sequence[CellRow]


def scaled_view(
    result: Scaled, topics: Mapping[str, str], said: Sequence[str] = (), drift: str = "", acceptable: str = ""
) -> ScaledView:
    """topics: names by id. said, drift, acceptable: in sentences."""
    return ScaledView(
        wanted=result.wanted,
        accepted=result.accepted,
        baseline=round(100 * result.baseline),
        said=said,
        drift=drift,
        acceptable=acceptable,
        waves=[_wave(line) for line in result.waves if line.candidates],
        cells=[_cell(line, topics) for line in result.cells],
    )


def _wave(line: WaveLine) -> WaveRow:
    return WaveRow(
        mix="as in the pilot" if line.fair else "cells that lack rows",
        candidates=line.candidates,
        passed=wilson(line.passed, line.counted),
        expected=line.expected_passed / line.tested if line.tested else None,
        accepted=line.accepted,
    )


def _cell(line: CellLine, topics: Mapping[str, str]) -> CellRow:
    topic, _, kind = line.cell.partition("/")
    name = topics.get(topic, NO_TOPIC if topic in ("", "any") else topic)
    special = f", {ELSEWHERE[kind]}" if kind in ELSEWHERE else ""
    return CellRow(
        id=line.cell,
        name=f"{name}{special}",
        accepted=line.accepted,
        planned=line.planned,
        tried=line.tried,
        good=wilson(line.good, line.tried),
        exhausted=line.exhausted,
    )
