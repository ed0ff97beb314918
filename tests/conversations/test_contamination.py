"""Texts that must not be trained, found in conversations: word for word, in parts, and not where a phrase is everybody's."""

from __future__ import annotations

import random

import pytest

from finetune_prep.conversations.contamination import Contamination, Text
from finetune_prep.core.conversation import Conversation, Message
from tests.conversations.test_near import base

EXAM = base(random.Random("exam"))[:40]


def talk(words: list[str], seed: int = 0) -> Conversation:
    return Conversation((Message("user", " ".join(base(random.Random(seed))[:30])), Message("assistant", " ".join(words))))


def held_against(
    texts: list[str], talks: list[Conversation], *, any_run: bool = True, given: list[str] | None = None
) -> list[tuple[str, str]]:
    items = [Text(f"exam:{n}", text) for n, text in enumerate(texts, start=1)]
    found = Contamination(items, any_run=any_run, given=given or ())
    for number, said in enumerate(talks):
        found.take(str(number), said)
    return [(one.conversation, one.where) for one in found.found()]


def test_a_text_word_for_word() -> None:
    talks = [talk(base(random.Random(n))) for n in range(10)] + [talk([*base(random.Random(77))[:20], *EXAM])]
    assert held_against([" ".join(EXAM)], talks) == [("10", "exam:1")]
    assert held_against([" ".join(EXAM).upper()], talks) == [("10", "exam:1")]


@pytest.mark.parametrize(("words", "found"), [(13, True), (12, False)])
def test_a_run_of_thirteen_words_and_one_of_twelve(words: int, found: bool) -> None:
    said = [*base(random.Random(5))[:30], *EXAM[10 : 10 + words], *base(random.Random(6))[:30]]
    assert bool(held_against([" ".join(EXAM)], [talk(said)])) is found


def test_four_fifths_of_a_text_in_pieces() -> None:
    """Each piece is shorter than thirteen words; together they are most of the text."""
    text = EXAM[:20]
    said = [*text[:12], "otherwise", *text[5:17], "again", *text[9:20]]
    assert held_against([" ".join(text)], [talk(said)], any_run=False) == [("0", "exam:1")]
    assert held_against([" ".join(text)], [talk([*text[:12]])], any_run=False) == []


def test_what_many_say_is_a_set_phrase() -> None:
    phrase = EXAM[:15]
    talks = [talk([*base(random.Random(n))[:20], *phrase], n) for n in range(20)]
    assert held_against([" ".join(EXAM)], talks) == []
    assert len(held_against([" ".join(EXAM)], talks[:3])) == 3


def test_what_both_were_given_proves_nothing() -> None:
    """A letter that a card has its user paste, with a word or two around it; what stands beside it is a copy all the same."""
    letter = EXAM[:20]
    said = talk([*base(random.Random(8))[:20], *EXAM[:22]])
    assert held_against([" ".join(EXAM)], [said]) == [("0", "exam:1")]
    assert held_against([" ".join(EXAM)], [said], given=[" ".join(letter)]) == []
    assert held_against([" ".join(letter)], [said], given=[" ".join(letter)]) == []
    assert held_against([" ".join(EXAM)], [talk(EXAM)], given=[" ".join(letter)]) == [("0", "exam:1")]


def test_short_texts_are_counted_and_not_looked_for() -> None:
    found = Contamination([Text("exam:1", "Is it glazed?"), Text("exam:2", " ".join(EXAM))])
    assert (len(found), found.too_short) == (1, 1)
