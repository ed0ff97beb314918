"""Chat JSON Lines: `{"messages": [{"role": "system", …}, {"role": "user", …}, {"role": "assistant", …}]}`, a row per line.

Rows carry the short system
prompt; the long generation prompt is what is being distilled and never part of the data.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from finetune_prep.core.conversation import Conversation, Message


class Row(msgspec.Struct, frozen=True):
    messages: tuple[Message, ...]


def rows(conversations: Iterable[Conversation], system_prompt: str) -> bytes:
    """The file's content, rows in the order given. Raises ValueError for a conversation a trainer would learn wrongly from."""
    return b"".join(msgspec.json.encode(_row(conversation, system_prompt)) + b"\n" for conversation in conversations)


def _row(conversation: Conversation, system_prompt: str) -> Row:
    roles = [message.role for message in conversation.messages]
    if not roles or roles != ["user", "assistant"] * (len(roles) // 2):
        raise ValueError(f"conversation {conversation.id} does not alternate from user to assistant")
    return Row((Message("system", system_prompt), *conversation.messages))
