"""Conversations in the shape every chat model and trainer knows: a list of messages with a role and a text."""

from __future__ import annotations

from typing import Literal

import msgspec

from finetune_prep.core.identity import digest

Speaker = Literal["system", "user", "assistant"]


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    role: Speaker
    content: str
    gap: str = ""
    """The line that says how much time has passed before it ("[Thursday, 6 days later]"), "" for none."""

    @property
    def shown(self) -> str:
        """The message as user, assistant and judge see it: below the line with its gap."""
        return f"{self.gap}\n\n{self.content}" if self.gap else self.content


class Conversation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Turns between one user and one assistant. Its `id` is the hash of its messages."""

    messages: tuple[Message, ...]

    @property
    def id(self) -> str:
        return digest([[message.role, message.shown] for message in self.messages])

    @property
    def exchanges(self) -> int:
        """Number of assistant turns."""
        return sum(message.role == "assistant" for message in self.messages)

    def spoken_by(self, role: Speaker) -> tuple[str, ...]:
        """The texts of one side, in order."""
        return tuple(message.content for message in self.messages if message.role == role)

    def then(self, role: Speaker, content: str, gap: str = "") -> Conversation:
        """This conversation with one more turn."""
        return Conversation((*self.messages, Message(role, content, gap)))

    def plain(self, *, show_gaps: bool) -> Conversation:
        """The same with the lines of its gaps in the text of the messages, or without them."""
        return Conversation(
            tuple(Message(message.role, message.shown if show_gaps else message.content) for message in self.messages)
        )
