"""Behavioral anchors."""

from __future__ import annotations

from typing import Annotated

from finetune_prep.core.knowledge import Anchor, Knowledge
from finetune_prep.method import limits
from finetune_prep.phases.drafting.draft import Strict, Text, counted


class AnchorDraft(Strict, frozen=True):
    text: Text
    drawn_from: list[str]


class AnchorsDraft(Strict, frozen=True):
    always: Annotated[list[AnchorDraft], counted(limits.ALWAYS)]
    never: Annotated[list[AnchorDraft], counted(limits.NEVER)]


def to_anchors(draft: AnchorsDraft, knowledge: Knowledge) -> tuple[tuple[Anchor, ...], tuple[Anchor, ...]]:
    """The always and the never list."""
    known = {technique.id for technique in knowledge.techniques} | {principle.id for principle in knowledge.principles}
    known |= {mode.id for mode in knowledge.failure_modes}
    for anchor in (*draft.always, *draft.never):
        if unknown := [item for item in anchor.drawn_from if item not in known]:
            raise ValueError(f"“{anchor.text}”: the reference has no {', '.join(unknown)}.")
    countered = {item for anchor in (*draft.always, *draft.never) for item in anchor.drawn_from}
    if missed := [mode.id for mode in knowledge.failure_modes if mode.id not in countered]:
        raise ValueError(f"No anchor counters {', '.join(missed)}; name them in drawn_from of an anchor that really does.")
    always, never = (
        tuple(
            Anchor(id=f"{prefix}{n}", text=_sentence(a.text), drawn_from=tuple(dict.fromkeys(a.drawn_from)))
            for n, a in enumerate(drafts, 1)
        )
        for prefix, drafts in (("DO", draft.always), ("DONT", draft.never))
    )
    return always, never


def _sentence(text: str) -> str:
    """One line, ending with a full stop."""
    line = " ".join(text.split())
    return line if line.endswith((".", "!", "?", "”", '"')) else f"{line}."
