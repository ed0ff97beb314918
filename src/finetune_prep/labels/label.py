"""What somebody said of one conversation, and what of it holds when they have said several things.

A label is an event: nothing is ever taken back, later ones of the same labeller stand instead of earlier ones.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from finetune_prep.core.rubric import YesNo

Word = Literal[
    "pass",
    "fail",
    "defer",  # seen, and left for later
    "withdrawn",  # what this labeller said of the conversation before no longer holds
]
Stage = Literal[
    "blind",  # the labeller could not have seen the judge's verdict
    "revealed",  # could have
]
DECIDED: tuple[Word, ...] = ("pass", "fail")


class Labeller(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who labels. A model's labels never count as a person's."""

    name: str
    kind: Literal["person", "model"]


class Sampling(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """How a conversation came to be labelled: without this, no rate can be estimated from labels."""

    design: str
    """Name, size and seed of the draw: the same design over the same run draws the same conversations."""
    p: float
    """The probability with which the design draws this conversation."""
    repeat: bool = False
    """Drawn a second time: such a label measures the labeller and is no second opinion."""


class Label(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """One event of labelling, as it stands in labels.jsonl."""

    at: str
    """ISO time, UTC."""
    labeller: Labeller
    conversation_id: str
    """The hash of the text that was read: an edited conversation has another one."""
    scenario: str
    """The id of the scenario, which outlives an edit of the text."""
    rubric: str
    """The version of the rubric at that time."""
    stage: Stage
    label: Word
    judge: str = ""
    """The judge whose verdict was shown, "" while blind."""
    answers: dict[str, YesNo] = {}
    """Question → answer, of those that the labeller answered one by one."""
    note: str = ""
    """One line: why."""
    missed: tuple[str, ...] = ()
    """Failures in it that no question asks about, in the labeller's words."""
    seconds: float | None = None
    """From showing the conversation to the label, of a person; None if it was not measured."""
    sample: Sampling | None = None
    """None if it was picked by hand."""

    @property
    def repeat(self) -> bool:
        return self.sample is not None and self.sample.repeat


class Opinion(msgspec.Struct, frozen=True, kw_only=True):
    """What one labeller's labels of one conversation amount to."""

    blind: Label | None
    """The label that was given blind and holds, None if there is none: only these say anything about a judge."""
    latest: Label
    """The label that holds: pass, fail or defer."""
    repeats: tuple[Label, ...] = ()
    """Labels of a second reading."""

    @property
    def decided(self) -> bool:
        return self.latest.label in DECIDED


def opinions(labels: Iterable[Label]) -> dict[tuple[Labeller, str], Opinion]:
    """By labeller and conversation what holds, in the order of the first labels; what was withdrawn is left out."""
    found: dict[tuple[Labeller, str], Opinion] = {}
    for label in labels:
        key = (label.labeller, label.conversation_id)
        before = found.get(key)
        if label.repeat:
            if before is not None:
                again = () if label.label == "withdrawn" else (*before.repeats, label)
                found[key] = msgspec.structs.replace(before, repeats=again)
        elif label.label == "withdrawn":
            found.pop(key, None)
        elif before is None or (label.stage == "blind" and not before.decided):
            found[key] = Opinion(blind=label if label.stage == "blind" else None, latest=label)
        else:
            found[key] = msgspec.structs.replace(before, latest=label)
    return found


def sees_for_the_first_time(labels: Iterable[Label], labeller: Labeller, conversation: str) -> bool:
    """Whether the labeller has not been shown the verdict on this conversation: it is shown to those who have decided."""
    return not any(
        label.labeller == labeller and label.conversation_id == conversation and label.label in DECIDED for label in labels
    )
