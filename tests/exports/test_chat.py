"""Chat JSON Lines: a row per conversation in the form that trainers read, with the short system prompt in front."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finetune_prep.core.conversation import Conversation, Message
from finetune_prep.exports.chat import rows
from tests.soak import examples

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
conversations = st.lists(st.tuples(texts, texts), min_size=1, max_size=3).map(
    lambda pairs: Conversation(
        tuple(Message(role, text) for pair in pairs for role, text in zip(("user", "assistant"), pair, strict=True))
    )
)


@settings(max_examples=examples(40))
@given(st.lists(conversations, max_size=4), texts)
def test_every_row_is_one_line_with_all_that_was_said(talks: list[Conversation], system: str) -> None:
    """Line separators of Unicode in a turn must not end the row."""
    data = rows(talks, system)
    read = [json.loads(line) for line in data.split(b"\n")[:-1]]
    assert data == b"" or data.endswith(b"\n")
    assert len(read) == len(talks)
    for row, talk in zip(read, talks, strict=True):
        assert list(row) == ["messages"]
        assert row["messages"][0] == {"role": "system", "content": system}
        assert row["messages"][1:] == [{"role": message.role, "content": message.content} for message in talk.messages]


def test_a_row_looks_as_trainers_expect() -> None:
    talk = Conversation((Message("user", "Grüße"), Message("assistant", "Hello")))
    expected = (
        '{"messages":[{"role":"system","content":"You help."},{"role":"user","content":"Grüße"},'
        '{"role":"assistant","content":"Hello"}]}\n'
    )
    assert rows([talk], "You help.").decode() == expected


@pytest.mark.parametrize(
    "roles",
    [(), ("user",), ("assistant", "user"), ("user", "assistant", "assistant"), ("system", "user", "assistant"), ("user", "user")],
)
def test_a_conversation_that_a_trainer_would_learn_wrongly_from_is_refused(roles: tuple[str, ...]) -> None:
    talk = Conversation(tuple(Message(role, "text") for role in roles))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=f"{talk.id} does not alternate"):
        rows([talk], "You help.")
