"""What makes a row train wrongly in one of the trainers, most often without a word. Each trap has a name, and is counted.

What a trainer does with such a row is said in docs/exports.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from finetune_prep.core.conversation import Message

Talk = Sequence[Message]
THINKING = re.compile(r"</?(?:think|thinking|thought|reasoning|analysis|scratchpad)\b[^<>]*>|\[/?THINK\]", re.IGNORECASE)
MEDIA = re.compile(r"<(?:image|video|audio|image_soft_token|audio_soft_token)>|\[(?:IMG|IMG_BREAK|IMG_END|AUDIO)\]")
MARKUP = re.compile(
    r"<[|｜][^<>\n]{1,60}[|｜]>"  # <|im_end|> and its kin
    r"|<\|[a-z_]{1,30}>|<[a-z_]{1,30}\|>"  # halves of pairs: <|turn> … <turn|>
    r"|</?s>|<(?:bos|eos|pad|unk|mask|sop|eop)>|<(?:BOS|EOS|PAD|UNK)_TOKEN>|<(?:start|end)_of_turn>"
    r"|\[/?INST\]|<</?SYS>>|\[gMASK\]|\[/?(?:SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS)\]"
)
HALF = re.compile("[\ud800-\udfff]")


class Trap(NamedTuple):
    """Something in a row that a trainer stumbles over."""

    name: str
    does: str
    """What comes of it."""
    in_it: Callable[[Talk], bool]


def _any(pattern: re.Pattern[str]) -> Callable[[Talk], bool]:
    """Whether a pattern, of which every alternative begins with a bracket, is found in a message."""
    return lambda talk: any(
        ("<" in message.content or "[" in message.content) and pattern.search(message.content) is not None for message in talk
    )


def _surrogate(talk: Talk) -> bool:
    return any(not message.content.isascii() and HALF.search(message.content) for message in talk)


def _out_of_order(talk: Talk) -> bool:
    turns = [message.role for message in talk]
    if turns[:1] == ["system"]:
        turns = turns[1:]
    return not turns or turns != ["user", "assistant"] * (len(turns) // 2)


def _blank(talk: Talk) -> bool:
    return any(not any(character.isprintable() and not character.isspace() for character in message.content) for message in talk)


def _at_an_edge(talk: Talk) -> bool:
    return any(message.role == "assistant" and message.content != message.content.strip() for message in talk)


TRAPS = (
    Trap("turns out of order", "it is dropped, or the user's words are trained", _out_of_order),
    Trap("half a character", "the file cannot be loaded", _surrogate),
    Trap("an empty turn", "the turn is skipped, or its label lands on other words", _blank),
    Trap("white space around a reply", "templates trim it, and the reply is no longer found", _at_an_edge),
    Trap("tags of thinking", "templates cut it out, or the model learns to say the tag", _any(THINKING)),
    Trap("a placeholder for media", "trainers look for the picture", _any(MEDIA)),
    Trap("chat markup", "the tokenizer takes it for the end or the start of a turn", _any(MARKUP)),
)
DOUBLE = "the same as an earlier row"
"""The one trap that is not in a row by itself."""


def trap_in(talk: Talk) -> Trap | None:
    """The first trap of a conversation, its system prompt included; None if it can be trained."""
    return next((trap for trap in TRAPS if trap.in_it(talk)), None)
