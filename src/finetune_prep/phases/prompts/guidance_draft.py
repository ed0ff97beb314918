"""The guidance in the generation prompt."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec

from finetune_prep.core.knowledge import Anchor, Fact, Knowledge
from finetune_prep.core.prompts import GenerationPrompt, Guard, TechniqueUse
from finetune_prep.core.rubric import Example
from finetune_prep.method import limits
from finetune_prep.phases.drafting.draft import Strict, Text, counted, listed_ids


class TechniqueUseDraft(Strict, frozen=True):
    id: Text
    use_when: Text
    in_words: Text


class GuardDraft(Strict, frozen=True):
    when: Text
    then: Text
    counters: list[str]


class GuidanceDraft(Strict, frozen=True):
    ITEMS: ClassVar = {"techniques": "{item[id]}", "guards": "GD{0}"}

    role: Text
    grounding: Text
    techniques: list[TechniqueUseDraft]
    guards: Annotated[list[GuardDraft], counted(limits.GUARDS)]
    output: Text


def to_prompt(draft: GuidanceDraft, knowledge: Knowledge, few_shots: tuple[Example, ...]) -> GenerationPrompt:
    """The generation prompt with this guidance.

    Techniques stand in the order of the reference; one that it does not have is called by its id.
    """
    names = {technique.id: technique.name for technique in knowledge.techniques}
    places = {id: place for place, id in enumerate(names)}
    uses = sorted(draft.techniques, key=lambda use: places.get(use.id, len(places)))
    return GenerationPrompt(
        title=knowledge.title,
        role=draft.role,
        grounding=draft.grounding,
        techniques=tuple(
            TechniqueUse(id=use.id, name=names.get(use.id, use.id), use_when=use.use_when, in_words=use.in_words) for use in uses
        ),
        facts=unsourced(knowledge.facts),
        always=bare(knowledge.always),
        never=bare(knowledge.never),
        guards=tuple(
            Guard(
                id=f"GD{number}",
                when=guard.when,
                then=guard.then,
                counters=listed_ids(guard.counters, f"`counters` of GD{number}"),
            )
            for number, guard in enumerate(draft.guards, start=1)
        ),
        few_shots=few_shots,
        output=draft.output,
    )


def bare(anchors: tuple[Anchor, ...]) -> tuple[Anchor, ...]:
    """Anchors as a prompt shows them: without what they were drawn from."""
    return tuple(msgspec.structs.replace(anchor, drawn_from=()) for anchor in anchors)


def unsourced(facts: tuple[Fact, ...]) -> tuple[Fact, ...]:
    """Facts as a prompt shows them: where they come from has been checked."""
    return tuple(msgspec.structs.replace(fact, sources=(), confirmed_by="") for fact in facts)
