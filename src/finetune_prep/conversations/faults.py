"""What makes a conversation unusable before any judge sees it. A fault has a name and is counted; it is never a low score."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Literal

from finetune_prep.conversations.stated import CONTACTS, Stated, unknown
from finetune_prep.conversations.unwritten import unwritten
from finetune_prep.core.conversation import Conversation
from finetune_prep.words import split_words

Fault = Literal["empty turn", "wrong order", "reasoning text", "speaker label", "placeholder", "unknown contact", "copied text"]
COPIED_RUN = 12  # words in a row that stand in a few-shot, too, are no coincidence
COPIED_SHARE = 0.5  # of the assistant's words in such runs; a set sentence, as in a crisis, is wanted and no copy of a talk
_REASONING = re.compile(
    r"</?(?:\w+:)?(?:think|thinking|reasoning|analysis|scratchpad)\b[^>]*>|<[|｜][^\s<>]{1,40}[|｜]>", re.IGNORECASE
)
_LABEL = re.compile(r"\s*(?:\*\*)?(?:user|human|customer|assistant|agent|ai)(?:\*\*)?\s*:", re.IGNORECASE)
_NEXT_TURN = re.compile(r"\n[ \t]*\n[ \t]*(?:\*\*)?(?:user|human|assistant)(?:\*\*)?[ \t]*:", re.IGNORECASE)


def find_fault(
    conversation: Conversation, examples: Iterable[Conversation] = (), known: Sequence[str] | None = None
) -> tuple[Fault, str] | None:
    """The first fault with its place in words, None if there is none.

    examples: few-shots, of which nothing may be copied. known: texts whose contacts a reply may give, beside those of the users'
    own messages; None = it is not known which it may.
    """
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
        if found := _NEXT_TURN.search(message.content):
            return "speaker label", f"turn {number} goes on with a turn of its own: “{found[0].strip()}”"
        if message.role == "assistant" and (blank := unwritten(message.content)):
            return "placeholder", f"turn {number} holds “{blank}”, which somebody was to fill in"
    for number, given in _made_up(conversation, known):
        if given.kind in CONTACTS:
            what = f"turn {number} gives the {given.kind} “{given.text}”, which stands in no fact and no message"
            return "unknown contact", what
    taught = _taught(tuple(examples))
    replies = [split_words(reply.casefold()) for reply in conversation.spoken_by("assistant")]
    copied = sum(
        len({place + n for place, run in enumerate(_runs(reply)) if run in taught for n in range(COPIED_RUN)})
        for reply in replies
    )
    if copied > COPIED_SHARE * (said := sum(map(len, replies))):
        return "copied text", f"{copied} of {said} words of the assistant stand in few-shots"
    return None


@lru_cache(maxsize=8)
def _taught(examples: tuple[Conversation, ...]) -> frozenset[tuple[str, ...]]:
    """The runs of words in the few-shots' replies: the same few-shots are looked at for every conversation of a run."""
    return frozenset(
        run for example in examples for reply in example.spoken_by("assistant") for run in _runs(split_words(reply.casefold()))
    )


def odd_figures(conversation: Conversation, known: Sequence[str]) -> tuple[str, ...]:
    """Prices and percentages of replies that stand neither in the known texts nor in the users' messages, as they are written.

    A price may be a multiple of a known one, or a sum. A person looks at them: much can be true that stands nowhere.
    """
    return tuple(dict.fromkeys(found.text for _, found in _made_up(conversation, known) if found.kind not in CONTACTS))


def _made_up(conversation: Conversation, known: Sequence[str] | None) -> Iterator[tuple[int, Stated]]:
    """What replies state that stands neither in the known texts nor in the users' messages so far, with the turn's number."""
    if known is None:
        return
    heard: list[str] = []
    for number, message in enumerate(conversation.messages, start=1):
        if message.role == "assistant":
            yield from ((number, found) for found in unknown(message.content, known, heard))
        else:
            heard.append(message.content)


def _runs(words: list[str]) -> list[tuple[str, ...]]:
    return [tuple(words[start : start + COPIED_RUN]) for start in range(len(words) - COPIED_RUN + 1)]
