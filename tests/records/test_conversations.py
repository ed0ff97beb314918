"""Conversations of anybody's making."""

from __future__ import annotations

from pathlib import Path

from finetune_prep.core.conversation import Conversation, Message
from finetune_prep.records.conversations import read_conversations, spoken
from tests.records.judged import lines

TURNS = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Good day."}]
TALK = Conversation((Message("user", "Hello"), Message("assistant", "Good day.")))


def test_three_shapes(tmp_path: Path) -> None:
    shared = [{"from": "human", "value": "Hello"}, {"from": "gpt", "value": "Good day."}]
    rows = (
        {"id": "a", "messages": TURNS, "group": "g"},
        {"id": "b", "conversations": shared},
        {"scenario": {"id": "s"}, "state": "accepted", "conversation": {"messages": TURNS}},
        {"scenario": {"id": "s"}, "state": "failed"},
    )
    found = read_conversations(lines(tmp_path / "c.jsonl", *rows))
    assert [(talk.id, talk.conversation) for talk in found.rows] == [("a", TALK), ("b", TALK), (TALK.id, TALK)]
    assert found.rows[0].group == "g"
    assert found.mapping == ("role human → role user (1 time)", "role gpt → role assistant (1 time)")
    assert found.findings == ()
    assert found.hashes == {"a": TALK.id, "b": TALK.id, TALK.id: TALK.id}


def test_what_is_no_conversation_is_named_with_its_line(tmp_path: Path) -> None:
    rows = (
        {"id": "a", "messages": TURNS},
        {"id": "b", "text": "Hello"},
        {"id": "c", "messages": [{"role": "user"}]},
        {"id": "a", "messages": TURNS},
        {"id": "0" * 32, "messages": TURNS},
    )
    found = read_conversations(lines(tmp_path / "c.jsonl", *rows))
    assert [talk.id for talk in found.rows] == ["a"]
    assert [(finding.line, finding.what) for finding in found.findings] == [
        (2, "this row holds no conversation"),
        (3, "turn 1 has no role and text that can be read"),
        (4, "a second conversation a; the one in line 1 counts"),
        (5, "the text of 000000000000 is not the one that its id stands for: it was changed"),
    ]


def test_system_messages_are_not_spoken(tmp_path: Path) -> None:
    rows = ({"id": "a", "messages": [{"role": "system", "content": "Be kind."}, *TURNS]},)
    [(talk, said)] = spoken(read_conversations(lines(tmp_path / "c.jsonl", *rows)))
    assert len(talk.conversation.messages) == 3
    assert said == TALK
