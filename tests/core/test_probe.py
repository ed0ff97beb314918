"""An edit of a conversation: one message in other words, and no other byte."""

from __future__ import annotations

import pytest

from finetune_prep.core.conversation import Conversation, Message
from finetune_prep.core.probe import changed_turns, edited
from tests.statistics.probing.test_plan import talk

TALK = talk(0)


def test_an_edit_changes_one_message_and_no_other_byte() -> None:
    before = Conversation((*TALK.messages[:4], Message("user", "Back again ", "[Monday]"), Message("assistant", "Yes.\n")))
    after = edited(before, 4, "Another answer")
    assert changed_turns(before, after) == (4,)
    assert [message for number, message in enumerate(after.messages, 1) if number != 4] == [
        message for number, message in enumerate(before.messages, 1) if number != 4
    ]
    assert edited(before, 5, "Back").messages[4].gap == "[Monday]"


@pytest.mark.parametrize(
    ("turn", "text", "why"), [(7, "x", "no message 7"), (2, " ", "empty"), (2, "Answer  0.0 ", "the same as before")]
)
def test_what_is_no_edit_is_refused(turn: int, text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        edited(TALK, turn, text)


def test_a_conversation_that_grew_is_no_edit() -> None:
    with pytest.raises(ValueError, match="6 messages became 8"):
        changed_turns(TALK, TALK.then("user", "More").then("assistant", "No"))
