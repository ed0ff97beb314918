"""Quotations in reasons: whatever stands in quotation marks must stand in the conversation that it speaks of. In any language."""

from __future__ import annotations

import re

from finetune_prep.core.conversation import Conversation, Message
from finetune_prep.core.quotes import find_quote
from finetune_prep.core.rubric import Ruling
from finetune_prep.core.verdict import ELLIPSIS

_QUOTED = re.compile(r"„([^“”„]+)[“”]|“([^”“]+)”|\"([^\"]+)\"|«([^»]+)»|»([^«]+)«|「([^」]+)」|『([^』]+)』")
FIX = "quote words that stand there, or say it without quotation marks"


def misquoted(reason: str, conversation: Conversation) -> list[str]:
    """What a text quotes and the conversation does not hold. An ellipsis joins several quotations; each part must be there."""
    texts = [message.content for message in conversation.messages]
    quoted = (next(text for text in found.groups() if text) for found in _QUOTED.finditer(reason))
    return [quote for quote in quoted if not all(_stands(part, texts) for part in ELLIPSIS.split(quote))]


def snippet(ruling: Ruling) -> Conversation:
    """What a ruling is about, as a conversation."""
    return Conversation((Message("user", ruling.user), Message("assistant", ruling.assistant)))


def _stands(part: str, texts: list[str]) -> bool:
    """Signs alone, such as “?!”, are looked for as they are."""
    if not any(character.isalnum() for character in part):
        return not part.strip() or any(part.strip() in text for text in texts)
    return any(find_quote(part.strip(), text).exact for text in texts)
