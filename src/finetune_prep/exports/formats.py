"""The table of export formats: a format is one row here and one module beside it, and everything else reads this."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from finetune_prep.core.conversation import Conversation
from finetune_prep.exports import chat


class Format(NamedTuple):
    """A form in which accepted conversations are written for a trainer."""

    name: str
    """As `export --format` says it."""
    file: str
    """Name of the file in dataset/."""
    shape: str
    """In what form rows are, for the card."""
    readers: str
    """Who reads it, for whoever chooses."""
    write: Callable[[Iterable[Conversation], str], bytes]
    """From conversations, in their order, and the system prompt to the file's content. Raises ValueError for a conversation
    that a trainer would learn wrongly from."""


FORMATS: dict[str, Format] = {
    row.name: row
    for row in (
        Format("chat", "train.jsonl", "chat format", "OpenAI, TRL's SFTTrainer, Axolotl, Unsloth, LLaMA-Factory", chat.rows),
    )
}  # fmt: skip
DEFAULT = "chat"
