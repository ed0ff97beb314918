"""KTO's JSON Lines: `{"prompt": […], "completion": [the reply], "label": true}`, label false for a reply that failed the rubric.

A verdict is one of a whole conversation. Only where it has a single reply is it known which one passed or failed, so longer ones
have no row here.
"""

from __future__ import annotations

from collections.abc import Mapping

from finetune_prep.core.conversation import Conversation
from finetune_prep.core.sample import Sample

COLUMNS = ("prompt", "completion", "label")
LONGER = "with more than one reply"
NO_VERDICT = "rejected without a question that applied"


def row(sample: Sample, talk: Conversation) -> dict[str, object] | str:
    """The row of a sample with a verdict. talk: its conversation with the system prompt in front. A str: why there is none."""
    if sample.state not in ("accepted", "rejected"):
        return sample.state
    if sample.state == "rejected" and not sample.failed and sample.score is None:
        return NO_VERDICT
    if talk.exchanges != 1:
        return LONGER
    return {"prompt": talk.messages[:-1], "completion": talk.messages[-1:], "label": sample.state == "accepted"}


def talk_of(row: Mapping[str, object]) -> object:
    """The conversation that a row trains, as it stands in it; None if it is no row."""
    prompt, completion = row["prompt"], row["completion"]
    if not isinstance(prompt, list) or not isinstance(completion, list) or not isinstance(row["label"], bool):
        return None
    return [*prompt, *completion] if len(completion) == 1 else None
