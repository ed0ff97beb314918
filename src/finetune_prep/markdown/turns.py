"""Conversations as people read them: a blockquote with bold speakers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from finetune_prep.core.conversation import Conversation, Message, Speaker
from finetune_prep.markdown.inline import without_controls
from finetune_prep.markdown.tree import Quote

_SPEAKERS: dict[str, Speaker] = {"user": "user", "assistant": "assistant", "system": "system"}
_NAME = r"(?:\*\*|__)(?:user|assistant|system)(?::(?:\*\*|__)|(?:\*\*|__):)"
_TURN = re.compile(rf"\s{{0,3}}(?P<speaker>{_NAME})(?P<text>.*)", re.IGNORECASE | re.DOTALL)
_GUARDED = re.compile(rf"(?P<indent>\s{{0,3}})(?P<guards>\\*)(?P<rest>{_NAME}.*)", re.IGNORECASE | re.DOTALL)


class Talk(NamedTuple):
    """A conversation and where it stands."""

    line: int
    """Where it begins, 1-based."""
    conversation: Conversation


def spoken(content: str) -> str:
    """A turn as a document can hold it: LF line ends, no control characters, no white space around it."""
    return without_controls(content).strip()


def render_conversation(conversation: Conversation) -> str:
    """A blockquote; turns are parted by a line with nothing but `>`."""
    turns = [_render_turn(message) for message in conversation.messages]
    return "\n>\n".join(turns)


def _render_turn(message: Message) -> str:
    first, *rest = spoken(message.content).split("\n")
    speaker = f"**{message.role.capitalize()}:**"
    lines = [f"{speaker} {first}" if first else speaker, *(_guard_speaker(line) for line in rest)]
    return "\n".join(f"> {line}" if line else ">" for line in lines)


def _guard_speaker(line: str) -> str:
    found = _GUARDED.fullmatch(line)
    return f"{found['indent']}\\{found['guards']}{found['rest']}" if found else line


def _unguard_speaker(line: str) -> str:
    found = _GUARDED.fullmatch(line)
    return f"{found['indent']}{found['guards'][1:]}{found['rest']}" if found and found["guards"] else line


def starts_with_speaker(quote: Quote) -> bool:
    first = next((line for line in quote.lines if line.strip()), "")
    return _TURN.fullmatch(first) is not None


def read_conversation(quotes: Sequence[Quote]) -> Conversation:
    """The conversation that stands in one blockquote, or goes on over several. Text before the first speaker is no turn."""
    messages: list[Message] = []
    role: Speaker | None = None
    content: list[str] = []
    for line in [line for quote in quotes for line in (*quote.lines, "")]:
        if turn := _TURN.fullmatch(line):
            if role:
                messages.append(Message(role, "\n".join(content).strip()))
            role, content = _SPEAKERS[turn["speaker"].strip("*_:").lower()], [turn["text"].lstrip()]
        else:
            content.append(_unguard_speaker(line))
    if role:
        messages.append(Message(role, "\n".join(content).strip()))
    return Conversation(tuple(messages))


def talks(quotes: Sequence[Quote]) -> list[Talk]:
    """The conversations of an item. A quote that begins with the assistant after one that ends on the user goes on with it."""
    found: list[Talk] = []
    for quote in quotes:
        if not starts_with_speaker(quote):
            continue
        conversation = read_conversation([quote])
        before = found[-1].conversation.messages if found else ()
        if before and before[-1].role == "user" and conversation.messages[0].role == "assistant":
            found[-1] = Talk(found[-1].line, Conversation((*before, *conversation.messages)))
        else:
            found.append(Talk(quote.line, conversation))
    return found
