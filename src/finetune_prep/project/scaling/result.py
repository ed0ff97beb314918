"""scale.json of a scaled run: how far it is, cell by cell, and why it stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from finetune_prep.core.sample import Account
from finetune_prep.errors import UsageError
from finetune_prep.project.layout import Layout, read_plain
from finetune_prep.project.runs import SCALE, Run, RunPlan, begin, run_of, runs

EVEN = "Every cell of the scenario space has its share of the accepted rows, to within one."
RESULT = "scale"  # name of the file, without its ending
End = Literal[
    "reached",  # every row that was wanted is there
    "waiting",  # answers are outstanding
    "exhausted",  # no cell can get more rows within the candidates that are allowed
    "drift",  # fewer conversations pass than in the pilot
    "alike",  # one conversation after the other ended in the same way
    "paused",  # a provider or the budget stopped it
]


class CellLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A cell of the scenario space."""

    cell: str
    """"TP1/normal"."""
    planned: int
    """Accepted rows that it is to have by its share."""
    accepted: int
    candidates: int
    """Conversations that were planned for it."""
    tried: int
    """Of these, those that were made and judged."""
    good: int
    """Of those, how many could be rows: accepted and surplus."""
    exhausted: bool
    """Whether it was given up: too few of its candidates are accepted."""


class WaveLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Conversations that were planned together."""

    fair: bool
    """Whether they have the mix of the pilot; later ones make up for what is missing in some cells."""
    candidates: int
    counted: int
    """Of these, those that a pass rate counts."""
    passed: int
    accepted: int
    tested: int
    """Of those counted, those that were compared with the pilot, or with the beginning of their cell."""
    tested_passed: int
    expected_passed: float
    """How many of them would have passed at these rates."""


class Scaled(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How far a scaled run is."""

    wanted: int
    accepted: int
    candidates: int
    most: int
    """Candidates that it may have."""
    end: End
    why: str
    """Why it ended so, in words; "" where that is what it was to do."""
    cells: tuple[CellLine, ...]
    baseline: float
    """The pilot's pass rate, 0 to 1."""
    tested: int
    """Conversations that were compared with it, those of the pilot left out."""
    tested_passed: int
    expected_passed: float
    """How many of them would have passed at the rates of the pilot, or of their cells at the beginning of this run."""
    evidence: float
    """That the rate lies further below than is tolerated; 20 stops the run."""
    waves: tuple[WaveLine, ...] = ()
    """In the order in which they were made."""
    kept: int | UnsetType = UNSET
    """Conversations that it had at an earlier end and has not come to this time: they are in no wave. Unset if there are none."""
    kept_rows: int | UnsetType = UNSET
    """How many of these are accepted."""

    @property
    def reached(self) -> bool:
        return self.end == "reached"


def kept_in_words(result: Scaled) -> str:
    """What is said of conversations from an earlier end of the run; "" where none were kept."""
    if not isinstance(result.kept, int):
        return ""
    rows = result.kept_rows if isinstance(result.kept_rows, int) else 0
    many = "1 conversation" if result.kept == 1 else f"{result.kept:,} conversations"
    return f"{many} from before, {rows:,} accepted, stay in the run until it comes to them again."


def exhausted_in_words(result: Scaled) -> tuple[str, ...]:
    """A sentence for each cell that was given up."""
    return tuple(
        f"{cell.cell} is exhausted: {cell.accepted:,} of {cell.planned:,} rows, after {cell.good:,} of {cell.tried:,} "
        "conversations that could be rows; other cells make up for it."
        for cell in result.cells
        if cell.exhausted
    )


def cells_in_words(run: Run) -> tuple[str, ...]:
    """What is said of the cells of a scaled run; nothing of another one."""
    result = read_result(run) if run.plan.kind == SCALE else None
    if result is None:
        return ()
    even = all(abs(cell.accepted - cell.planned) <= 1 for cell in result.cells)
    return (*exhausted_in_words(result), *([EVEN] if even else []))


def missing_in_words(run: Run, account: Account) -> tuple[str, ...]:
    """What is said of a scaled run that has not all of its rows."""
    wanted, accepted = run.plan.wanted, account.states["accepted"]
    if run.plan.kind != SCALE or accepted >= wanted:
        return ()
    return (f"{run.name} has {accepted:,} of the {wanted:,} rows that it is to have; to go on: {run.plan.command}",)


def result_path(run: Run) -> Path:
    return run.folder / f"{RESULT}.json"


def read_result(run: Run) -> Scaled | None:
    """What is written of a scaled run; None if nothing is yet."""
    path = result_path(run)
    if not path.exists():
        return None
    try:
        return msgspec.json.decode(read_plain(path), type=Scaled)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(
            f"this result cannot be read: {error}",
            where=f"{run.name}/{path.name}",
            next=f"{run.plan.command}, which writes it anew",
        ) from error


def same_but_for_size(layout: Layout, plan: RunPlan) -> Run | None:
    """The scaled run that this plan would go on with: of the same documents and models, of whatever size."""
    for run in runs(layout, SCALE):
        if msgspec.structs.replace(run.plan, n=plan.n, more=plan.more, most=plan.most) == plan:
            return run
    return None


def scaled_run_of(layout: Layout, plan: RunPlan) -> Run:
    """The run of this plan: the one that it goes on with, in its new size, or a new one."""
    known = same_but_for_size(layout, plan)
    if known is None:
        return run_of(layout, plan)
    return known if known.plan == plan else begin(layout, known.name, plan)
