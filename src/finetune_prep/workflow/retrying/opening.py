"""`retry`: a person decides that answers which cannot be used are asked for once more. No model is asked here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import get_args

import msgspec

from finetune_prep.errors import UsageError
from finetune_prep.ledger.protocols import Ledger
from finetune_prep.project.decisions import Decision
from finetune_prep.project.project import Project
from finetune_prep.project.runs import runs
from finetune_prep.workflow.looking import looked
from finetune_prep.workflow.retrying.settled import Kind, Settled, first_keys, live_runs, of_earlier_versions, settled, waiting

KINDS: tuple[Kind, ...] = get_args(Kind)
STATUS = "finetune-prep status"


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """What a decision opened."""

    asked_again: int
    """Requests that the next run asks once more."""
    kinds: dict[Kind, int]
    """The same by what they were."""
    open_already: int
    """Requests that were opened before, and not asked since."""
    next: str


def retry(project: Project, wanted: Sequence[str], by: str) -> Opened:
    """Open the next attempt of all requests of these kinds or ids (none: of all that are settled as unusable).

    wanted: kinds, beginnings of request keys, or ids of scenarios and conversations. The project is locked. Raises UsageError for
    an id that means nothing here.
    """
    found = settled(project)
    chosen = found if not wanted else _chosen(project, found, wanted)
    if not chosen:
        _check_versions(project)
    opened = dict(project.opened())
    keys = [item.key for item in chosen]
    open_already = looked(project, lambda ledger: waiting(ledger, keys, opened), set[str]())
    fresh = [item for item in chosen if item.key not in open_already]
    if fresh:
        at = datetime.now(UTC).isoformat(timespec="seconds")
        project.decide(Decision(decision="retry", by=by, at=at, text="", keys=tuple(item.key for item in fresh)))
    return Opened(
        asked_again=len(fresh),
        kinds=dict(Counter(item.kind for item in fresh)),
        open_already=len(open_already),
        next=", then ".join(dict.fromkeys(item.again for item in _last_run_first(chosen))) or STATUS,
    )


def _last_run_first(chosen: Sequence[Settled]) -> list[Settled]:
    """In the order in which commands are named: of several runs the latest does, and it makes the rows of the others, too."""
    pilots = [item.again for item in chosen if item.ids]
    return [item for item in chosen if not item.ids or item.again == pilots[-1]]


def _chosen(project: Project, found: Sequence[Settled], wanted: Sequence[str]) -> list[Settled]:
    chosen: dict[str, Settled] = {}
    for word in wanted:
        if word in KINDS:
            chosen |= {item.key: item for item in found if item.kind == word}
        else:
            item = _by_id(project, found, word)
            chosen[item.key] = item
    return [*chosen.values()]


def _by_id(project: Project, found: Sequence[Settled], id: str) -> Settled:
    """Raises UsageError, saying why nothing can be asked again here."""
    if not id.strip():
        raise UsageError(f"nothing here has the id “{id}”", next="finetune-prep show, which lists them")
    fits = {item.key: item for item in found if item.key.startswith(id) or any(own.startswith(id) for own in item.ids)}
    keys = looked(project, partial(_first_keys, id), set[str]())
    fits |= {item.key: item for item in found if item.key in keys}
    rows = {
        (run.name, sample.scenario.id): sample.state
        for run in runs(project.layout)
        for sample in run.each_sample()
        if sample.scenario.id.startswith(id) or (sample.conversation and sample.conversation.id.startswith(id))
    }
    if len(fits) == 1:
        return next(iter(fits.values()))
    if len(fits) > 1:
        raise UsageError(f"“{id}” fits several things", next="give more characters of the id")
    if rows:
        (run, scenario), state = [*rows.items()][-1]
        if run not in {live.name for live in live_runs(project)}:
            what = f"{scenario} belongs to {run}, and its documents have changed since: the next pilot is a new run"
            raise UsageError(what, next=STATUS)
        _check_versions(project)
        why = f"{scenario} in {run} is {state}: none of its answers was unusable, so there is nothing to ask again"
        raise UsageError(why, next=f"finetune-prep show {scenario}")
    if keys:
        raise UsageError(f"no row, gate or phase ended with the answer to “{id}”", next=f"finetune-prep show {id}")
    raise UsageError(f"nothing here has the id “{id}”", next="finetune-prep show, which lists them")


async def _first_keys(id: str, ledger: Ledger) -> set[str]:
    return await first_keys(ledger, id)


def _check_versions(project: Project) -> None:
    """Raise UsageError where rows do not say yet with which request they ended."""
    for run in reversed(live_runs(project)):
        if count := of_earlier_versions(run):
            raise UsageError(
                f"{count} rows of {run.name} were written by an earlier version, which did not note their requests",
                next=f"{run.plan.command}, which notes them and asks nothing, then retry again",
            )
