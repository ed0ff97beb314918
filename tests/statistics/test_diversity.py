"""What texts have in common, by hand-counted texts."""

from __future__ import annotations

import gzip

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finetune_prep.core.conversation import Conversation, Message
from finetune_prep.statistics.diversity import (
    COMPRESSED,
    compression,
    diversity,
    document_frequency,
    habits,
    last_sentence,
)
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


def talks(*pairs: tuple[str, str]) -> list[Conversation]:
    return [Conversation((Message("user", said), Message("assistant", reply))) for said, reply in pairs]


def test_habits_are_the_three_words_at_either_end_of_the_replies() -> None:
    found = habits(
        talks(
            ("The bowl is cracked.", "Thank you for writing. The kiln room looks at it. It's your call then."),
            ("And my cup?", "THANK YOU, for that: a photograph helps, and then it's your call, then!"),
            ("When?", "Tomorrow by noon."),
        )
    )
    assert found.replies == 3
    assert [(habit.words, habit.texts) for habit in found.openings] == [("thank you for", 2)]
    assert [(habit.words, habit.texts) for habit in found.endings] == [("your call then", 2)]
    assert [(kind, habit.words) for kind, habit in found.too_often] == [
        ("opening", "thank you for"),
        ("ending", "your call then"),
    ]


def test_length_is_measured_against_the_message_that_is_answered() -> None:
    found = habits(talks(("One two", "one two three four"), ("One", "one two three"), ("One two", "one")))
    assert found.length == pytest.approx((2 + 3 + 0.5) / 3)
    assert found.over_twice == pytest.approx(1 / 3)


def test_every_reply_of_a_conversation_counts_and_the_users_words_do_not() -> None:
    turns = ("Is it?", "It is so. Is it?", "Is it not?", "It is not. Is it?")
    said = Conversation(tuple(Message("assistant" if n % 2 else "user", text) for n, text in enumerate(turns)))
    found = habits([said])
    assert (found.replies, found.on_a_question) == (2, 1.0)
    assert [(habit.words, habit.share) for habit in found.last_sentences] == [("a question", 1.0)]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Yes. What do you think?", "a question"),
        ("What do you think? I'd wait.", "“i'd …”"),
        ("“Does it fit?” ", "a question"),
        ("Does it fit? 🙂", "a question"),
        ("**Does it fit?**", "a question"),
        ("Good luck!", "an exclamation"),
        ("First this.\n\nTake care", "“take …”"),
        ("好的。你想要哪一个？", "a question"),
        ("你好吗？很好。", "“很 …”"),
        ("¿Cuándo llega?", "a question"),
        ("…", ""),
        ("", ""),
    ],
)
def test_the_kind_of_a_last_sentence(text: str, kind: str) -> None:
    assert last_sentence(text) == kind


def test_without_a_reply_there_is_no_habit() -> None:
    found = habits([Conversation((Message("user", "Hello?"),))])
    assert (found.replies, found.too_often, found.on_a_question, found.length, found.over_twice) == (0, (), None, None, None)
