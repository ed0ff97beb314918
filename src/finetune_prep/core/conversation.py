"""Conversations in the shape every chat model and trainer knows: a list of messages with a role and a text."""

from __future__ import annotations

from typing import Literal

import msgspec

from finetune_prep.core.identity import digest

Speaker = Literal["system", "user", "assistant"]


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    role: Speaker
    content: str


class Conversation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Turns between one user and one assistant. Its `id` is the hash of its messages."""

    messages: tuple[Message, ...]

    @property
    def id(self) -> str:
        return digest([[message.role, message.content] for message in self.messages])

    @property
    def exchanges(self) -> int:
        """Number of assistant turns."""
        return sum(message.role == "assistant" for message in self.messages)

    def spoken_by(self, role: Speaker) -> tuple[str, ...]:
        """The texts of one side, in order."""
        return tuple(message.content for message in self.messages if message.role == role)

    def then(self, role: Speaker, content: str) -> Conversation:
        """This conversation with one more turn."""
        return Conversation((*self.messages, Message(role, content)))
