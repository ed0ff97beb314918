"""Proposals of the same thing become one, with all their sources.

Code joins what is the same word for word; what says the same in other words is for a model to group. Nothing here measures
likeness: a pair that differs in one word – a "not", a number, another object – is more alike than most true pairs are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import msgspec


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that belongs into the reference."""

    kind: str
    """What it is: "framework", "technique", "situation" or "failure"."""
    name: str
    text: str
    claims: tuple[str, ...] = ()
    """Numbers of the claims it rests on ("S02.4"), each once."""
    by: tuple[str, ...] = ()
    """Who proposed it, and in which sitting ("EX1.2"), each once."""


def distinct(proposals: Iterable[Proposal]) -> tuple[Proposal, ...]:
    """Those with the same kind and the same words as one, whatever their case and spaces; in order of the first of each."""
    alike: defaultdict[tuple[str, str, str], list[Proposal]] = defaultdict(list)
    for proposal in proposals:
        alike[proposal.kind, _folded(proposal.name), _folded(proposal.text)].append(proposal)
    return tuple(map(_joined, alike.values()))


def regroup(proposals: Sequence[Proposal], groups: Iterable[Sequence[int]]) -> tuple[Proposal, ...]:
    """Join what a model says is the same. groups: numbers of proposals, the first being 1; every number in exactly one group.

    Proposals in order of their first number. Raises ValueError, for the model to read, if a group mixes kinds.
    """
    ordered = sorted(map(sorted, groups))
    for group in ordered:
        kinds = list(dict.fromkeys(proposals[number - 1].kind for number in group))
        if len(kinds) > 1:
            numbers = ", ".join(map(str, group))
            raise ValueError(f"Split the group {numbers}: it holds things of different kinds ({', '.join(kinds)}).")
    return tuple(_joined([proposals[number - 1] for number in group]) for group in ordered)


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def _joined(proposals: Sequence[Proposal]) -> Proposal:
    """One in the words of the longest, with the claims and the people of all."""
    return msgspec.structs.replace(
        max(proposals, key=lambda proposal: (len(proposal.text), proposal.text, proposal.name)),
        claims=tuple(dict.fromkeys(claim for proposal in proposals for claim in proposal.claims)),
        by=tuple(dict.fromkeys(expert for proposal in proposals for expert in proposal.by)),
    )
