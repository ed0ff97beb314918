"""What makes two texts say different things in much the same words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune_prep.phases.research.oppositions import clash, related
from finetune_prep.phases.research.word_forms import stems, tokens


def words(text: str) -> tuple[str, ...]:
    return stems(tokens(text), "en")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Offer the refund in the first reply.", "Do not offer the refund in the first reply."),
        ("Offer the refund.", "Refuse any wish for the refund."),
        ("Tell what is clear to you.", "Tell what is unclear to you."),
        ("Answer within 14 days and thank them.", "They have waited: the limit is 30 days."),
        ("Explain the rule before asking for a photo.", "Explain the rule after asking for a photo."),
        ("Trust the user more than the page.", "Trust the page more than the user."),
        ("Name the date.", "Name the price."),
    ],
)
def test_clashes(one: str, other: str) -> None:
    assert clash(words(one), words(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ask something that cannot be answered with yes or no.", "Begin with what or how."),
        ("Answer within 14 days.", "Answer within 14 days, by name."),
        ("Say what is known.", "Tell them which facts are not in doubt and where each of them was found."),
        ("Thank the customer for the photo.", ""),
    ],
)
def test_no_clash(one: str, other: str) -> None:
    assert not clash(words(one), words(other))


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("Open question", "Question of guilt", True),
        ("Check the list", "Checklist", True),
        ("Accept", "Refuse", True),
        ("要道歉", "不要道歉", True),
        ("Open question", "Invitation to tell", False),
        ("", "Open question", False),
    ],
)
def test_related_names(one: str, other: str, expected: bool) -> None:
    assert related(words(one), words(other)) == expected == related(words(other), words(one))


@given(
    *[st.lists(st.sampled_from(["not", "before", "offer", "refuse", "3", "4", "day", "clear", "unclear", "a", "b"]), max_size=8)]
    * 2
)
def test_a_clash_is_mutual(one: list[str], other: list[str]) -> None:
    assert clash(tuple(one), tuple(other)) == clash(tuple(other), tuple(one))
    assert related(tuple(one), tuple(other)) == related(tuple(other), tuple(one))
