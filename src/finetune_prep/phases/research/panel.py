"""The panel of phase 1: experts of different views who propose, each apart from the others, until they repeat themselves.

What several of them say is merged with its sources; how much more this panel could be expected to name is estimated from what
only one or two of them named. Later the same people read drafts as critics, and difficult users are played.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

import msgspec

from finetune_prep.core.request import Origin, Request
from finetune_prep.method import limits
from finetune_prep.phases.drafting import schemas
from finetune_prep.phases.drafting.revising import Point
from finetune_prep.phases.research.panel_draft import (
    KINDS,
    CritiqueDraft,
    PanelDraft,
    ProposalsDraft,
    SameDraft,
    check_panel,
    to_partition,
    to_proposals,
)
from finetune_prep.phases.research.proposals import Proposal, distinct, regroup
from finetune_prep.phases.session import Session
from finetune_prep.statistics.saturation import Saturation, saturation

PHASE = "research"
SITUATION = "situation"


class Reader(msgspec.Struct, frozen=True):
    """Somebody of the panel."""

    id: str
    """"EX1" for an expert, who `looks_for` something, "DU1" for a difficult user, who `behaves` so."""
    name: str
    background: str
    looks_for: str = ""
    behaves: str = ""


class Panel(msgspec.Struct, frozen=True):
    experts: tuple[Reader, ...]
    difficult_users: tuple[Reader, ...]


class Proposed(NamedTuple):
    """What the panel proposed."""

    things: tuple[Proposal, ...]
    """The different things, the most often named first; the first is PR1."""
    made: int
    """How many proposals there were before equal ones were joined."""
    sittings: int
    saturation: Saturation

    def for_reference(self) -> dict[str, Proposal]:
        """By their ids ("PR1") all but the situations, which the writer of the scenario space gets."""
        numbered = enumerate(self.things, start=1)
        return {f"PR{number}": thing for number, thing in numbered if thing.kind != SITUATION}

    def experts(self, thing: Proposal) -> int:
        """How many experts named it."""
        return len({by.partition(".")[0] for by in thing.by})


async def convene(session: Session) -> Panel:
    """The panel for the domain of the brief: chosen once, and the same whenever it is asked again."""
    draft = await session.draft("research-panel", PanelDraft, check_panel, session.slots(), phase=PHASE, about="panel")
    experts = tuple(
        Reader(f"EX{number}", expert.name, expert.background, looks_for=expert.looks_for)
        for number, expert in enumerate(draft.experts, start=1)
    )
    users = tuple(
        Reader(f"DU{number}", user.name, user.background, behaves=user.behaves)
        for number, user in enumerate(draft.difficult_users, start=1)
    )
    return Panel(experts, users)


async def propose(session: Session, panel: Panel, claims: str, numbers: Collection[str]) -> Proposed:
    """Ask every expert, sitting by sitting, until hardly anything new is to be expected from this panel, or the limit is reached.

    claims: what sources say, as it goes into the prompt. numbers: the numbers of these claims.
    """
    proposals: list[Proposal] = []
    units: list[str] = []
    limit = min(session.project.config.sittings, limits.SITTINGS.most)
    for sitting in range(1, limit + 1):
        asked = [_sitting_request(session, expert, sitting, claims, proposals) for expert in panel.experts]
        names = [f"{expert.id}.{sitting}" for expert in panel.experts]
        drafts = await session.door.ask_all_for(asked, lambda text: _read_proposals(text, numbers))
        for name, expert, draft in zip(names, panel.experts, drafts, strict=True):
            found = to_proposals(draft, name, numbers)
            proposals += found
            session.tell(f"{expert.name}: {'; '.join(proposal.name for proposal in found)}")
        units += names
        things = await _same(session, distinct(proposals))
        counted = saturation([{str(n) for n, thing in enumerate(things) if unit in thing.by} for unit in units])
        session.tell(f"sitting {sitting}: {len(proposals)} proposals, {len(things)} of them distinct; {dryness(counted)}")
        if counted.dry:
            break
    result = Proposed(things, len(proposals), sitting, counted)
    ordered = sorted(things, key=lambda thing: -result.experts(thing))
    return result._replace(things=tuple(ordered))


def _sitting_request(session: Session, expert: Reader, sitting: int, claims: str, before: Sequence[Proposal]) -> Request:
    """before: what all proposed in earlier sittings; each is shown what was his own."""
    own = [{"name": thing.name, "text": thing.text} for thing in before if thing.by[0].partition(".")[0] == expert.id]
    slots = session.slots(
        claims=claims,
        name=expert.name,
        background=expert.background,
        looks_for=expert.looks_for,
        sitting=sitting,
        own=own,
    )
    schema = schemas.schema_of(ProposalsDraft, "research-propose")
    origin = Origin(f"{expert.id} proposes, sitting {sitting}")
    return session.request("research-propose", slots, phase=PHASE, origin=origin, schema=schema)


def _read_proposals(text: str, numbers: Collection[str]) -> ProposalsDraft:
    draft = schemas.read(text, ProposalsDraft)
    to_proposals(draft, "", numbers)
    return draft


async def _same(session: Session, things: Sequence[Proposal]) -> tuple[Proposal, ...]:
    """Code has joined what is the same word for word; a model says which of the rest are the same in other words.

    They are shown kind by kind: only things of one kind can be the same.
    """
    things = sorted(things, key=lambda thing: KINDS.index(thing.kind))
    shown = [{"kind": thing.kind, "name": thing.name, "text": thing.text} for thing in things]
    return await session.draft(
        "research-same",
        SameDraft,
        lambda draft: regroup(things, to_partition(draft, len(things))),
        {"things": shown},
        phase=PHASE,
        about="proposals of the same thing",
    )


def dryness(counted: Saturation) -> str:
    """What the estimate says, in words: about this panel, never about the domain."""
    if counted.estimate is None or counted.high is None or counted.coverage is None:
        return "too few were asked to say how many more it could name"
    said = "it has no more ideas" if counted.dry else "it has more to say"
    return (
        f"about {counted.estimate:.0f} are to be expected of this panel in the long run (95% interval {counted.low:.0f} to "
        f"{counted.high:.0f}), and {counted.coverage:.0%} of what it named next would be known already: {said}"
    )


async def criticise(session: Session, panel: Panel, what: str, draft: str, *, phase: str) -> tuple[Point, ...]:
    """What experts and difficult users hold against a draft. what: the kind of text, as a noun phrase. draft: as Markdown."""
    readers = (*panel.experts, *panel.difficult_users)
    schema = schemas.schema_of(CritiqueDraft, "criticise")
    requests = [
        session.request(
            "criticise",
            session.slots(
                what=what,
                draft=draft,
                name=reader.name,
                background=reader.background,
                looks_for=reader.looks_for,
                behaves=reader.behaves,
            ),
            phase=phase,
            origin=Origin(f"{reader.id} reads the {what}"),
            schema=schema,
        )
        for reader in readers
    ]
    critiques = await session.door.ask_all_for(requests, lambda text: schemas.read(text, CritiqueDraft))
    return tuple(
        Point(by=reader.name, item=objection.about.strip(), what=objection.what, fix=objection.proposal, critic=True)
        for reader, critique in zip(readers, critiques, strict=True)
        for objection in critique.objections
    )
