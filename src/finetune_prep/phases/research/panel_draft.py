"""Who sits on the panel, what its experts propose, which proposals are the same thing, and what readers hold against a draft."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import Annotated, Literal, get_args

from msgspec import Meta

from finetune_prep.method import limits
from finetune_prep.phases.drafting.draft import Strict, Text, counted, exactly
from finetune_prep.phases.research.proposals import Proposal

ProposalKind = Literal["framework", "technique", "situation", "failure"]
KINDS: tuple[str, ...] = get_args(ProposalKind)
ExpertKind = Literal["practitioner", "researcher", "advocate", "safety", "evaluation"]


class ExpertDraft(Strict, frozen=True):
    kind: ExpertKind
    name: Text
    background: Text
    looks_for: Text


class DifficultUserDraft(Strict, frozen=True):
    name: Text
    background: Text
    behaves: Text


class PanelDraft(Strict, frozen=True):
    experts: Annotated[list[ExpertDraft], exactly(limits.EXPERTS)]
    difficult_users: Annotated[list[DifficultUserDraft], exactly(limits.DIFFICULT_USERS)]


def check_panel(draft: PanelDraft) -> PanelDraft:
    """The draft itself, if every seat is taken and no name is used twice."""
    seats = Counter(expert.kind for expert in draft.experts)
    if seats != limits.SEATS:
        wanted = ", ".join(f"{count} {kind}" for kind, count in limits.SEATS.items())
        raise ValueError(f"The kinds of the experts are {', '.join(expert.kind for expert in draft.experts)}; wanted: {wanted}.")
    names = Counter([expert.name for expert in draft.experts] + [user.name for user in draft.difficult_users])
    if twice := [name for name, count in names.items() if count > 1]:
        raise ValueError(f"Two of the panel are called “{twice[0]}”; names must differ.")
    return draft


class ProposalDraft(Strict, frozen=True):
    kind: ProposalKind
    name: Text
    text: Text
    claims: list[str]


class ProposalsDraft(Strict, frozen=True):
    proposals: Annotated[list[ProposalDraft], counted(limits.PROPOSALS.taken)]


def to_proposals(draft: ProposalsDraft, by: str, claims: Collection[str]) -> tuple[Proposal, ...]:
    """by: who proposes, and in which sitting. claims: the numbers that exist."""
    for proposal in draft.proposals:
        if unknown := [claim for claim in proposal.claims if claim not in claims]:
            raise ValueError(f"“{proposal.name}”: there is no claim {', '.join(unknown)}; use the numbers of the list.")
    return tuple(
        Proposal(
            kind=proposal.kind,
            name=" ".join(proposal.name.split()),
            text=" ".join(proposal.text.split()),
            claims=tuple(dict.fromkeys(proposal.claims)),
            by=(by,),
        )
        for proposal in draft.proposals
    )


class SameDraft(Strict, frozen=True):
    groups: list[Annotated[list[int], Meta(min_length=2)]]


def to_partition(draft: SameDraft, count: int) -> list[list[int]]:
    """Groups of the numbers 1 to `count`, each number once: those that were not named stand alone."""
    named = Counter(number for group in draft.groups for number in group)
    if wrong := [number for number, times in named.items() if times > 1 or not 1 <= number <= count]:
        raise ValueError(f"The numbers go from 1 to {count}, and each stands in one group at most; not so: {wrong[0]}.")
    return [*map(sorted, draft.groups), *([number] for number in range(1, count + 1) if number not in named)]


class ObjectionDraft(Strict, frozen=True):
    kind: Literal["missing", "harmful", "unserved", "wrong"]
    about: str
    what: Text
    proposal: Text


class CritiqueDraft(Strict, frozen=True):
    objections: Annotated[list[ObjectionDraft], Meta(max_length=limits.OBJECTIONS)]
