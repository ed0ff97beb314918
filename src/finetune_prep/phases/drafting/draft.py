"""What models are asked to return in phases 1 to 5, one module per subject, and how it becomes core values.

Ids are given out here, by code. A draft only has to become a value: what it says is for the gates to judge, whose findings go
back to the writer. A `to_…` raises ValueError where no value can be built; that sentence goes back at once, and once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Literal

import msgspec
from msgspec import Meta

from finetune_prep.core.conversation import Conversation, Message
from finetune_prep.markdown import inline
from finetune_prep.method.limits import Range

Text = Annotated[str, Meta(min_length=1)]


def counted(range: Range[int]) -> Meta:
    """As many items of a list as the range holds."""
    return Meta(min_length=range.fewest, max_length=range.most)


def exactly(count: int) -> Meta:
    return Meta(min_length=count, max_length=count)


class Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of drafts: an unknown field is an error, so that nothing a model writes is dropped unseen.

    A text of white space alone is an error too: a document could not hold it.
    """

    ITEMS: ClassVar[Mapping[str, str]] = {}
    """Its lists of items that a revision may change one by one: the pattern of their ids by the list's name (see `patching`)."""

    def __post_init__(self) -> None:
        for field in self.__struct_fields__:
            value = getattr(self, field)
            if isinstance(value, str) and value and not value.strip():
                raise ValueError(f"`{field}` holds nothing but white space")


def listed_ids(named: Sequence[str], where: str) -> tuple[str, ...]:
    """Each of them once. Raises ValueError for words that no document could hold as an id; whether an id exists is for gates."""
    for text in named:
        if others := inline.listed(text).others:
            raise ValueError(f"{where}: “{others[0]}” is not an id; give nothing but ids, such as T1.1 or FM2.")
    return tuple(dict.fromkeys(named))


class Turn(Strict, frozen=True):
    speaker: Literal["user", "assistant"]
    text: Text


def to_conversation(turns: Sequence[Turn], where: str) -> Conversation:
    """A conversation that alternates, begins with the user and ends with the assistant."""
    expected = ["user", "assistant"] * (len(turns) // 2)
    if not turns or [turn.speaker for turn in turns] != expected:
        raise ValueError(f"{where}: turns must alternate, begin with the user and end with the assistant.")
    return Conversation(tuple(Message(turn.speaker, turn.text.strip()) for turn in turns))
