"""What is said of a scaled run in sentences, the same on the terminal and in its report."""

from __future__ import annotations

from math import inf

from finetune_prep.method import limits
from finetune_prep.method.limits import to_label
from finetune_prep.project.scaling.result import CellLine, Scaled, exhausted_in_words, kept_in_words
from finetune_prep.statistics.sequential import STOP
from finetune_prep.statistics.volume.drift import TOLERATED


def off_their_share(result: Scaled) -> tuple[CellLine, ...]:
    """Cells that were not given up and have more than one row more or less than planned, of a run that came to its end; without
    those that have more because they make up for one that was given up."""
    if result.end not in ("reached", "exhausted"):
        return ()
    most = inf if any(cell.exhausted for cell in result.cells) else 1
    return tuple(cell for cell in result.cells if not cell.exhausted and not -1 <= cell.accepted - cell.planned <= most)


def in_sentences(result: Scaled, labelled: int) -> tuple[str, ...]:
    """What a person is told, worst first. labelled: conversations that a person has labelled."""
    said = []
    if result.why:
        said.append(f"Stopped: {result.why}.")
    if kept := kept_in_words(result):
        said.append(kept)
    said += exhausted_in_words(result)
    if off := off_their_share(result):
        named = ", ".join(f"{cell.cell} {cell.accepted:,} instead of {cell.planned:,}" for cell in off)
        said.append(f"Further from their share than one row: {named}.")
    wanted = to_label(result.accepted)
    if labelled < wanted:
        said.append(
            f"A person has labelled {labelled} of its conversations; {wanted} are asked for, "
            f"{limits.SPOT_CHECK} for every {limits.SPOT_CHECK_EVERY} rows."
        )
    return tuple(said)


def acceptable_in_words(rows: int, surplus: int, counted: int) -> str:
    """How many conversations of a scaled run could be rows. Its rows are as many as were ordered: an interval of their share
    would say nothing. counted: as a pass rate counts them."""
    if not counted:
        return ""
    more = f", {surplus:,} surplus, whose cell had its rows already" if surplus else ""
    return f"acceptable: {rows + surplus:,} of {counted:,} ({(rows + surplus) / counted:.0%}); {rows:,} are training rows{more}"


def drift_in_words(result: Scaled) -> str:
    """How the run compares with the pilot; "" before anything was compared."""
    if not result.tested:
        return ""
    passed, expected = result.tested_passed / result.tested, result.expected_passed / result.tested
    compared = {wave.fair for wave in result.waves if wave.tested} or {True}
    by = [f"by the pilot's rate ({result.baseline:.0%})"] if True in compared else []
    by += ["where a cell is topped up, by its own rate before"] if False in compared else []
    return (
        f"Drift: {result.tested_passed:,} of {result.tested:,} new conversations passed ({passed:.0%}); {expected:.0%} were "
        f"expected, {' and, '.join(by)}. Evidence of a fall by more than {100 * TOLERATED:g} points: {result.evidence:.2g} (a "
        f"likelihood ratio: below 1 speaks against it, {STOP:.0f} stops the run)."
    )
