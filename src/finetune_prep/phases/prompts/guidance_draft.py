"""The guidance in the generation prompt."""

from __future__ import annotations

from typing import Annotated

from finetune_prep.core.knowledge import Knowledge
from finetune_prep.method import limits
from finetune_prep.phases.drafting.draft import Strict, Text, counted


class TechniqueUseDraft(Strict, frozen=True):
    id: Text
    use_when: Text
    in_words: Text


class GuardDraft(Strict, frozen=True):
    when: Text
    then: Text
    counters: list[str]


class GuidanceDraft(Strict, frozen=True):
    role: Text
    grounding: Text
    techniques: list[TechniqueUseDraft]
    guards: Annotated[list[GuardDraft], counted(limits.GUARDS)]
    output: Text


def check_guidance(draft: GuidanceDraft, knowledge: Knowledge) -> GuidanceDraft:
    """The draft itself, if every technique and every failure mode has its place in it."""
    wanted = [technique.id for technique in knowledge.techniques]
    given = [technique.id for technique in draft.techniques]
    if sorted(given) != sorted(wanted):
        raise ValueError(f"techniques must hold each of {', '.join(wanted)} once; it holds {', '.join(given)}.")
    modes = {mode.id for mode in knowledge.failure_modes}
    guarded = {mode for guard in draft.guards for mode in guard.counters}
    if unknown := sorted(guarded - modes):
        raise ValueError(f"There is no failure mode {', '.join(unknown)}.")
    if missed := sorted(modes - guarded, key=lambda mode: int(mode[2:])):
        raise ValueError(f"No guard counters {', '.join(missed)}.")
    return draft
