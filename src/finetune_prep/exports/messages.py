"""Chat JSON Lines: `{"messages": [{"role": "system", …}, {"role": "user", …}, {"role": "assistant", …}]}` and nothing else.

Rows carry the short system prompt; the long generation prompt is what is being distilled and never part of the data.
"""

from __future__ import annotations

from collections.abc import Mapping

from finetune_prep.core.conversation import Conversation
from finetune_prep.core.sample import Sample

COLUMNS = ("messages",)


def row(sample: Sample, talk: Conversation) -> dict[str, object] | str:
    """The row of an accepted sample. talk: its conversation with the system prompt in front. A str: why there is none."""
    if sample.state != "accepted":
        return sample.state
    return {"messages": talk.messages}


def talk_of(row: Mapping[str, object]) -> object:
    """The conversation that a row trains, as it stands in it."""
    return row["messages"]
