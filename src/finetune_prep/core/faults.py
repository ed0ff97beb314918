"""What makes a conversation unusable before any judge sees it. A fault has a name and is counted; it is never a low score."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

from finetune_prep.core.conversation import Conversation

Fault = Literal["empty turn", "wrong order", "reasoning text", "speaker label", "copied text"]
COPIED_WORDS = 25  # a run of this many words of a few-shot in a reply is no coincidence
_REASONING = re.compile(r"</?(?:think|thinking|reasoning|analysis|scratchpad)\b[^>]*>|<[|｜][^\s<>]{1,40}[|｜]>", re.IGNORECASE)
_LABEL = re.compile(r"\s*(?:\*\*)?(?:user|customer|assistant|agent|ai)(?:\*\*)?\s*:", re.IGNORECASE)


def find_fault(conversation: Conversation, examples: Iterable[Conversation] = ()) -> tuple[Fault, str] | None:
    """The first fault with its place in words, None if there is none. examples: few-shots, of which nothing may be copied."""
    expected = ("user", "assistant") * (len(conversation.messages) // 2)
    if not conversation.messages or tuple(message.role for message in conversation.messages) != expected:
        return "wrong order", "turns must alternate, beginning with the user and ending with the assistant"
    for number, message in enumerate(conversation.messages, start=1):
        if not any(character.isprintable() and not character.isspace() for character in message.content):
            return "empty turn", f"turn {number} is empty"
        if found := _REASONING.search(message.content):
            return "reasoning text", f"turn {number} holds “{found[0]}”"
        if _LABEL.match(message.content):
            return "speaker label", f"turn {number} begins with the name of a speaker"
    taught = {run for example in examples for reply in example.spoken_by("assistant") for run in _runs(reply)}
    for reply in conversation.spoken_by("assistant"):
        if copied := next((run for run in _runs(reply) if run in taught), None):
            return "copied text", f"“{' '.join(copied)}” stands in a few-shot"
    return None


def _runs(text: str) -> list[tuple[str, ...]]:
    words = re.findall(r"[^\W_]+", text.casefold())
    return [tuple(words[start : start + COPIED_WORDS]) for start in range(len(words) - COPIED_WORDS + 1)]
