"""What is read of conversations that a model is to imitate: snippets of the reference, few-shots, techniques in words.

Each reading shows what the conversations are held against before them: rules, or the facts that may be stated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from finetune_prep.core.conversation import Conversation
from finetune_prep.core.knowledge import Knowledge, Technique
from finetune_prep.core.prompts import Brief
from finetune_prep.core.rubric import Example
from finetune_prep.documents import render
from finetune_prep.documents.kinds import Documents
from finetune_prep.phases.examining.gate_requests import sound
from finetune_prep.phases.examining.opinions import Item, Reading

NONE = "(none)"


def few_shots_and_rules(documents: Documents) -> Iterator[Reading]:
    """Every few-shot against everything that the assistant never does, and against what would do grave harm."""
    knowledge = sound(documents, Documents.knowledge).value
    prompt = sound(documents, Documents.generation_prompt).value
    rules = [
        f"- {anchor.id}: Never: {anchor.text}" + (f" Except: {anchor.unless}" if anchor.unless else "")
        for anchor in knowledge.never
    ]
    rules += [
        f"- {mode.id}: Never what happened here ({mode.name}): {mode.instance}"
        for mode in knowledge.failure_modes
        if mode.severity == "critical"
    ]
    items = tuple(Item(example.id, _talk(example.conversation), example.id) for example in prompt.few_shots)
    yield Reading("few-shots", items if rules else (), {"rules": "\n".join(rules)})


def snippets_of_reference(documents: Documents) -> Iterator[Reading]:
    """The conversations in which the reference shows its techniques."""
    knowledge = sound(documents, Documents.knowledge).value
    frame = _what_is_known(knowledge, sound(documents, Documents.brief).value)
    items = (
        Item(technique.id, f"{_shows(technique)}\n\n" + "\n\n".join(map(_talk, technique.snippets)), technique.id)
        for technique in knowledge.techniques
        if technique.snippets
    )
    yield Reading("snippets", tuple(items), frame)


def snippets_of_prompt(documents: Documents) -> Iterator[Reading]:
    """The techniques as the generation prompt words them, and its few-shots: two requests, as two people write them."""
    knowledge = sound(documents, Documents.knowledge).value
    prompt = sound(documents, Documents.generation_prompt).value
    frame = _what_is_known(knowledge, sound(documents, Documents.brief).value)
    techniques = {technique.id: technique for technique in knowledge.techniques}
    spoken = (
        Item(use.id, f"{_shows(techniques[use.id])}\n\nAssistant, where this fits: {use.in_words}", use.id)
        for use in prompt.techniques
        if use.id in techniques
    )
    yield Reading("techniques in words", tuple(spoken), frame)
    shown = (Item(example.id, _few_shot(example, techniques), example.id) for example in prompt.few_shots)
    yield Reading("few-shots", tuple(shown), frame)


def spoken_in_prompt(documents: Documents) -> Iterator[Reading]:
    """How the assistant sounds: the techniques in words and the few-shots, two requests as above, nothing else beside them."""
    prompt = sound(documents, Documents.generation_prompt).value
    spoken = (Item(use.id, f"Assistant: {use.in_words}", use.id) for use in prompt.techniques)
    yield Reading("techniques in words", tuple(spoken))
    yield Reading("few-shots", tuple(Item(example.id, _talk(example.conversation), example.id) for example in prompt.few_shots))


def terms_and_prompt(documents: Documents) -> Iterator[Reading]:
    """Every term of the judge's, and before them all that the assistant is told but for the few-shots, which tell no rules."""
    rubric = sound(documents, Documents.rubric).value
    prompt = msgspec.structs.replace(sound(documents, Documents.generation_prompt).value, few_shots=())
    items = tuple(Item(term.name, term.meaning, "") for term in rubric.terms)
    yield Reading("terms", items, {"prompt": render("generation-prompt", prompt)})


def _few_shot(example: Example, techniques: dict[str, Technique]) -> str:
    shows = "\n".join(_shows(techniques[id]) for id in example.techniques if id in techniques)
    return f"{shows}\n\n{_talk(example.conversation)}".strip()


def _what_is_known(knowledge: Knowledge, brief: Brief) -> dict[str, str]:
    facts = [f"- {fact.name}: {fact.value}" + (f" ({fact.scope})" if fact.scope else "") for fact in knowledge.facts]
    rules = [f"- {principle.text}" for principle in knowledge.principles]
    return {"brief": brief.text.strip(), "facts": "\n".join(facts) or NONE, "principles": "\n".join(rules) or NONE}


def _shows(technique: Technique) -> str:
    return f"It is there to show {technique.id}, {technique.name}: {technique.does}"


def _talk(conversation: Conversation) -> str:
    return "\n\n".join(f"{message.role.capitalize()}: {message.content}" for message in conversation.messages)


TALKS: dict[str, Callable[[Documents], Iterator[Reading]]] = {
    "research.snippets": snippets_of_reference,
    "few-shots.no-never": few_shots_and_rules,
    "generation-prompt.snippets": snippets_of_prompt,
    "generation-prompt.natural": spoken_in_prompt,
    "generation-prompt.terms-known": terms_and_prompt,
}
