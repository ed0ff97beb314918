"""What the whole way costs, from what is there now to the rows of a training set, before a pilot shows how many are accepted."""

from __future__ import annotations

from math import ceil

import msgspec

from finetune_prep.errors import ActNeeded
from finetune_prep.method import limits
from finetune_prep.phases.drafting.prompt_facts import PHASE_NAMES, PILOT
from finetune_prep.phases.pilot.waves import FIRST
from finetune_prep.project.project import Project
from finetune_prep.workflow.estimate import Estimate, estimate, estimate_of_calls
from finetune_prep.workflow.exporting import finished_pilot
from finetune_prep.workflow.looking import looked
from finetune_prep.workflow.planned_calls import Used, planned, used

SHARES = (0.6, 0.7, 0.8, 0.9)  # of the conversations that are accepted
SHOP_ROWS, SHOP_CONVERSATIONS = 150, 298  # of the bundled shop's scaled run


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """The way at one share."""

    accepted: float
    """Share of the conversations that is accepted, 0 to 1."""
    conversations: int
    calls: int
    """Of everything, documents included."""
    input_tokens: int
    output_tokens: int
    cost: float | None
    """US dollars, None if a price is unknown."""


class WholeWay(msgspec.Struct, frozen=True, kw_only=True):
    rows: int
    """Accepted rows at its end."""
    ways: tuple[Way, ...]
    """By the share that is accepted, the lowest first."""
    first_wave: float | None
    """US dollars for the first conversations of a pilot, after which a hopeless one stops; None if a price is unknown."""
    first_conversations: int


def whole_way(project: Project, so_far: Used | None, rows: int = limits.SCALE.fewest) -> WholeWay:
    """What is to come for so many rows: the documents that are missing, and conversations with their verdicts, the pilot's among
    them. Evaluations, probes, and what people have written anew are not counted."""
    so_far = so_far or Used()
    documents = estimate(project, so_far, [phase for phase in PHASE_NAMES if phase != PILOT])
    calls = [
        msgspec.structs.replace(call, known=0, opened=0) for call in planned(project, so_far, PILOT, limits.PILOT, anew=True)
    ]
    talks = estimate_of_calls(project, so_far, calls)
    each = None if talks.cost is None else talks.cost / limits.PILOT
    return WholeWay(
        rows=rows,
        ways=tuple(_way(documents, talks, ceil(rows / share), share) for share in SHARES),
        first_wave=None if each is None else FIRST * each,
        first_conversations=FIRST,
    )


def way_to_rows(project: Project) -> WholeWay | None:
    """The whole way of a project, None once a pilot has shown how many are accepted: then scaling is estimated by that."""
    try:
        finished_pilot(project)
    except ActNeeded:
        return whole_way(project, looked(project, used, None))
    return None


def _way(documents: Estimate, talks: Estimate, conversations: int, share: float) -> Way:
    times = conversations / limits.PILOT
    unknown = documents.cost is None or talks.cost is None
    return Way(
        accepted=share,
        conversations=conversations,
        calls=round(documents.calls + times * talks.calls),
        input_tokens=round(documents.input_tokens + times * talks.input_tokens),
        output_tokens=round(documents.output_tokens + times * talks.output_tokens),
        cost=None if unknown else (documents.cost or 0.0) + times * (talks.cost or 0.0),
    )
