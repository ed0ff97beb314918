"""Conversations: who said what, and an identity that holds every word of it."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from finetune_prep.core.conversation import Conversation, Message
from tests.soak import examples

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)
conversations = st.lists(st.tuples(st.sampled_from(["system", "user", "assistant"]), texts), max_size=5).map(
    lambda turns: Conversation(tuple(Message(role, text) for role, text in turns))
)


@settings(max_examples=examples(40))
@given(conversations, conversations)
def test_two_conversations_have_one_id_exactly_if_they_are_equal(one: Conversation, other: Conversation) -> None:
    assert (one.id == other.id) is (one == other)


@settings(max_examples=examples(40))
@given(conversations, st.sampled_from(["user", "assistant"]), texts)
def test_a_further_turn_makes_another_conversation_and_leaves_the_first_as_it_was(
    one: Conversation, role: Any, text: str
) -> None:
    before = one.messages
    longer = one.then(role, text)
    assert longer.messages == (*before, Message(role, text))
    assert one.messages == before
    assert longer.id != one.id


def test_speaker_and_text_cannot_be_confused() -> None:
    ids = {
        Conversation((Message("user", "a"), Message("user", "b"))).id,
        Conversation((Message("user", "ab"),)).id,
        Conversation((Message("user", "a\nuser: b"),)).id,
        Conversation((Message("assistant", "a"), Message("user", "b"))).id,
    }
    assert len(ids) == 4


def test_turns_are_given_by_speaker_in_order() -> None:
    talk = Conversation(()).then("user", "one").then("assistant", "two").then("user", "three").then("assistant", "four")
    assert talk.spoken_by("user") == ("one", "three")
    assert talk.spoken_by("assistant") == ("two", "four")
    assert talk.spoken_by("system") == ()
    assert talk.exchanges == 2
    assert Conversation(()).exchanges == 0


def test_a_conversation_survives_json_and_refuses_what_it_does_not_know() -> None:
    talk = Conversation((Message("user", "Grüße 🙂\u2028"),))
    assert msgspec.json.decode(msgspec.json.encode(talk), type=Conversation) == talk
