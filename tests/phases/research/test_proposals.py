"""Proposals become one: word for word by code, else as a model says; the laws of putting them together."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finetune_prep.phases.research.proposals import Proposal, distinct, regroup
from tests.soak import examples

laws = settings(max_examples=examples(60))


def proposal(name: str, text: str, *, kind: str = "technique", claims: tuple[str, ...] = (), by: str = "EX1.1") -> Proposal:
    return Proposal(kind=kind, name=name, text=text, claims=claims, by=(by,))


def test_the_same_words_are_one_thing_with_the_claims_and_experts_of_all() -> None:
    one = proposal("Open question", "Ask what, how or which.", claims=("S01.1", "S01.2"), by="EX1.1")
    other = proposal("open  question", "ask what,\nhow or which.", claims=("S01.2", "S02.1"), by="EX2.1")
    (found,) = distinct([one, other, one])
    assert (found.claims, found.by) == (("S01.1", "S01.2", "S02.1"), ("EX1.1", "EX2.1"))


@pytest.mark.parametrize(
    "other",
    [
        proposal("Open question", "Do not ask."),
        proposal("Open questions", "Ask."),
        proposal("Open question", "Ask.", kind="failure"),
    ],
)
def test_another_word_or_another_kind_is_another_thing(other: Proposal) -> None:
    assert distinct([proposal("Open question", "Ask."), other]) == (proposal("Open question", "Ask."), other)


@st.composite
def panels(draw: st.DrawFn) -> list[Proposal]:
    """Proposals in few words, so that many of them are the same or nearly so."""
    names, texts = st.sampled_from(["Care", "care", "Open question"]), st.sampled_from(["Ask.", "ask. ", "Do not ask.", "Tell."])
    rows = draw(st.lists(st.tuples(st.sampled_from(["technique", "failure"]), names, texts, st.sampled_from("ABC")), max_size=14))
    return [
        proposal(name, text, kind=kind, claims=(f"C{n % 4}", f"own{n}"), by=by) for n, (kind, name, text, by) in enumerate(rows)
    ]


def content(proposals: Sequence[Proposal]) -> set[tuple[object, ...]]:
    return {(one.kind, one.name, one.text, frozenset(one.claims), frozenset(one.by)) for one in proposals}


@laws
@given(panels(), st.randoms(use_true_random=False))
def test_the_order_of_proposals_decides_nothing_but_the_order_of_things(panel: list[Proposal], stream: random.Random) -> None:
    shuffled = stream.sample(panel, len(panel))
    assert content(distinct(shuffled)) == content(distinct(panel))


@laws
@given(panels())
def test_nothing_is_lost_and_nothing_doubled(panel: list[Proposal]) -> None:
    found = distinct(panel)
    assert {claim for one in found for claim in one.claims} == {claim for one in panel for claim in one.claims}
    assert {(one.kind, one.name, one.text) for one in found} <= {(one.kind, one.name, one.text) for one in panel}
    for one in found:
        assert len(set(one.claims)) == len(one.claims)
        assert len(set(one.by)) == len(one.by)
    for one in panel:
        (owner,) = (thing for thing in found if one.claims[-1] in thing.claims)
        assert (owner.kind, {*one.claims} <= {*owner.claims}, {*one.by} <= {*owner.by}) == (one.kind, True, True)


@laws
@given(panels())
def test_joining_what_was_joined_changes_nothing(panel: list[Proposal]) -> None:
    once = distinct(panel)
    assert distinct(once) == once


def listed(count: int) -> tuple[Proposal, ...]:
    kinds = ["technique"] * (count - 1) + ["failure"]
    return tuple(
        proposal(f"N{n}", "x" * n, kind=kind, claims=(f"C{n}", "C"), by=f"E{n % 2}") for n, kind in enumerate(kinds, start=1)
    )


def test_a_models_groups_are_applied() -> None:
    first, second, third = regroup(listed(5), [[4], [3, 1, 2], [5]])
    assert first == Proposal(kind="technique", name="N3", text="xxx", claims=("C1", "C", "C2", "C3"), by=("E1", "E0"))
    assert (second, third) == listed(5)[3:]


def test_a_group_of_different_kinds_is_answered_with_what_to_do() -> None:
    with pytest.raises(ValueError, match=r"Split the group 4, 5: it holds things of different kinds \(technique, failure\)\."):
        regroup(listed(5), [[1, 2, 3], [5, 4]])


@laws
@given(panels())
def test_groups_of_one_change_nothing(panel: list[Proposal]) -> None:
    found = distinct(panel)
    assert regroup(found, [[number] for number in range(1, len(found) + 1)]) == found
