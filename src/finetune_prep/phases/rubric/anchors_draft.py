"""Behavioral anchors."""

from __future__ import annotations

from typing import Annotated, ClassVar

from finetune_prep.core.knowledge import Anchor
from finetune_prep.method import limits
from finetune_prep.phases.drafting.draft import Strict, Text, counted, listed_ids


class AnchorDraft(Strict, frozen=True):
    text: Text
    unless: str
    drawn_from: list[str]


class AnchorsDraft(Strict, frozen=True):
    ITEMS: ClassVar = {"always": "DO{0}", "never": "DONT{0}"}

    always: Annotated[list[AnchorDraft], counted(limits.ALWAYS)]
    never: Annotated[list[AnchorDraft], counted(limits.NEVER)]


def to_anchors(draft: AnchorsDraft) -> tuple[tuple[Anchor, ...], tuple[Anchor, ...]]:
    """The always and the never list. Raises ValueError where an anchor is drawn from what is no id."""
    always, never = (
        tuple(
            Anchor(
                id=f"{prefix}{n}",
                text=_sentence(a.text),
                unless=_sentence(a.unless) if a.unless.strip() else "",
                drawn_from=listed_ids(a.drawn_from, f"`drawn_from` of {prefix}{n}"),
            )
            for n, a in enumerate(drafts, 1)
        )
        for prefix, drafts in (("DO", draft.always), ("DONT", draft.never))
    )
    return always, never


def _sentence(text: str) -> str:
    """One line, ending with a full stop."""
    line = " ".join(text.split())
    return line if line.endswith((".", "!", "?", "”", '"')) else f"{line}."
