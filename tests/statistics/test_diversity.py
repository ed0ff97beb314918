"""What texts have in common, by hand-counted texts."""

from __future__ import annotations

import gzip

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finetune_prep.statistics.diversity import COMPRESSED, compression, diversity, document_frequency
from tests.soak import examples
from tests.statistics.simulated import dice

laws = settings(max_examples=examples(40))
TALKS = (
    "That is not nothing. Take your time and tell me more. You are doing fine.",
    "That is not nothing, at all. What happened then? You are doing fine.",
    "I hear you. That is not nothing for a first week. Tell me more, you are doing fine.",
    "Return it within 30 days with the receipt.",
)


def test_what_stands_in_most_texts_is_named_once() -> None:
    found = diversity(TALKS)
    assert found.texts == 4
    assert (found.phrases[0].words, found.phrases[0].texts, found.phrases[0].share) == ("that is not nothing", 3, 0.75)
    named = [habit.words for habit in found.phrases]
    assert "you are doing fine" in named
    assert "is not nothing" not in named  # it stands in the longer one, as often


def test_openings_and_endings() -> None:
    found = diversity(TALKS)
    assert [(habit.words, habit.texts) for habit in found.openings] == [("that is not nothing", 2)]
    assert [(habit.words, habit.share) for habit in found.endings] == [("you are doing fine", 0.75)]


def test_a_phrase_counts_once_a_text() -> None:
    counts = document_frequency([["a", "b", "a", "b", "a", "b"], ["a", "b"]])
    assert counts["a", "b"] == 2
    assert counts["b", "a"] == 1


def test_texts_that_repeat_themselves_compress_better_at_the_same_length() -> None:
    chance = dice("texts")
    words = [f"word{number}" for number in range(4000)]
    mixed = [" ".join(chance.choice(words, 60)) for _ in range(300)]
    alike = [
        f"Thank you for reaching out about {chance.choice(words)}. I am happy to help you with that today." for _ in range(900)
    ]
    one, other = compression(mixed), compression(alike)
    assert one is not None and other is not None
    assert other > 2 * one
    assert compression(mixed[:200]) == compression([*mixed[:200], *alike])  # what comes behind the length counts nothing


def test_too_little_text_has_no_ratio() -> None:
    assert compression(["short"]) is None
    assert compression(["x" * COMPRESSED]) == pytest.approx(COMPRESSED / len(gzip.compress(b"x" * COMPRESSED, mtime=0)))


@laws
@given(st.lists(st.text(alphabet="ab c.", max_size=30), max_size=12))
def test_shares_are_shares(texts: list[str]) -> None:
    found = diversity(texts)
    for habit in (*found.phrases, *found.openings, *found.endings):
        assert 2 <= habit.texts <= len(texts)
        assert habit.share == habit.texts / len(texts)


def test_no_text_has_no_habits() -> None:
    found = diversity([])
    assert (found.texts, found.compression, found.phrases, found.openings, found.endings) == (0, None, (), (), ())
