"""Phase 5: the prompts of the assistant and of the simulated user, and the short prompt that ships with the data."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from finetune_prep import documents
from finetune_prep.core.knowledge import Knowledge
from finetune_prep.core.prompts import GenerationPrompt, PlainPrompt
from finetune_prep.core.request import Origin
from finetune_prep.core.rubric import Example
from finetune_prep.documents.kinds import KINDS, Documents
from finetune_prep.models.together import together
from finetune_prep.phases.drafting import briefing
from finetune_prep.phases.drafting.examples_draft import FewShotsDraft, to_few_shots
from finetune_prep.phases.drafting.revising import Drafted, Point, drafted
from finetune_prep.phases.examining.about_items import terms_text
from finetune_prep.phases.examining.drafts import deciding, examine
from finetune_prep.phases.prompts import material
from finetune_prep.phases.prompts.guidance_draft import GuidanceDraft, bare, to_prompt, unsourced
from finetune_prep.phases.session import Session
from finetune_prep.project.stamps import Items, Part
from finetune_prep.words import count_words

PHASE = KIND = "generation-prompt"
OF_BOTH = "generation-prompt.snippets", "generation-prompt.natural", "generation-prompt.stated"
OF_FEW_SHOTS = {*deciding(PHASE, KIND, only="generation-prompt.few-shot"), *deciding(PHASE, KIND, only="few-shots."), *OF_BOTH}
# that all parts are there can be said only of the whole
OF_GUIDANCE = {*deciding(PHASE, KIND, skip=(*OF_FEW_SHOTS, "generation-prompt.parts")), *OF_BOTH}
COMPILED, FACTS = "Behavioral anchors", "Facts"
EMBEDDED = ("DO", "FA")  # ids of what is put in word for word
WRITTEN = "Guidance and few-shots"
ABOUT_GUIDANCE = "role, grounding and guards"


async def generation_prompt(session: Session, *, overwrite: bool = False) -> None:
    """Write generation-prompt.md, user-prompt.md and system-prompt.md, each unless it exists (or `overwrite`).

    They are written at the same time: none of them depends on another. An existing generation prompt gets the present anchors
    and facts put in, which needs no model.
    """
    layout = session.project.layout
    write: dict[str, Callable[[Session], Awaitable[None]]] = {
        KIND: _write_generation,
        "user-prompt": _write_user,
        "system-prompt": _write_system,
    }
    writing = [write_it(session) for kind, write_it in write.items() if overwrite or not layout.document(kind).exists()]
    if layout.document(KIND).exists() and not overwrite:
        writing.append(_recompile(session))
    await together(writing)


async def _write_generation(session: Session) -> None:
    """Guidance and few-shots, side by side: each is examined by itself, and handed back as often as the project allows."""
    project = session.project
    knowledge = project.value(Documents.knowledge)
    asked: list[Awaitable[Drafted[Any]]] = [_guidance(session, knowledge), _few_shots(session, knowledge)]
    guidance, shots = await together(asked)
    prompt = to_prompt(guidance.value, knowledge, shots.value)
    parts = [
        briefing.points("Gates that do not hold", (*guidance.left, *shots.left), f"finetune-prep check {KIND}"),
    ]
    briefing.write(project, PHASE, KIND, KINDS[KIND].path, parts)
    written_from = {
        "domain-frameworks": _items(session, "F", "T", "P", "DO"),
        "evaluation-rubric": project.items("evaluation-rubric"),
        "scenario-space": _cases(session),
    }
    stamp = {
        COMPILED: Part(compiled=True, made_from={"domain-frameworks": _items(session, *EMBEDDED)}),
        WRITTEN: Part(compiled=False, made_from=written_from),
    }
    project.write(KIND, documents.render(KIND, prompt), stamp)
    session.tell(
        f"generation prompt: {len(prompt.techniques)} techniques, {len(prompt.guards)} guards, {len(prompt.few_shots)} few-shots"
    )


async def _guidance(session: Session, knowledge: Knowledge) -> Drafted[GuidanceDraft]:
    space = session.project.value(Documents.space)
    harmful = [f"{mode.id} “{mode.name}”" for mode in knowledge.failure_modes if mode.kind == "safety"]

    async def look_over(draft: GuidanceDraft, first: bool) -> tuple[Point, ...]:
        return await examine(session, {KIND: documents.render(KIND, to_prompt(draft, knowledge, ()))}, OF_GUIDANCE)

    return await drafted(
        session,
        "generation-guidance",
        GuidanceDraft,
        lambda draft: draft,
        session.slots_of_talks(
            frameworks=material.reference(session),
            cases=material.cases(space, expected=True),
            terms=terms_text(session.project.value(Documents.rubric)),
            safety=", ".join(harmful),
            gap=material.gap_example(space, session.brief.language),
        ),
        look_over,
        phase=PHASE,
        about=ABOUT_GUIDANCE,
    )


async def _few_shots(session: Session, knowledge: Knowledge) -> Drafted[tuple[Example, ...]]:
    """Exemplary conversations. A judge who has not seen them passes each, or its findings go back to the writer."""
    space = session.project.value(Documents.space)

    async def look_over(shots: tuple[Example, ...], first: bool) -> tuple[Point, ...]:
        alone = GenerationPrompt(title=knowledge.title, role=knowledge.title, few_shots=shots)
        return await examine(session, {KIND: documents.render(KIND, alone)}, OF_FEW_SHOTS)

    return await drafted(
        session,
        "generation-few-shots",
        FewShotsDraft,
        to_few_shots,
        session.slots_of_talks(
            frameworks=material.reference(session),
            space=material.users(session),
            cases=material.cases(space, expected=True),
            questions=material.questions(session.project.value(Documents.rubric)),
            lengths=material.lengths(space),
            gap=material.gap_example(space, session.brief.language),
        ),
        look_over,
        phase=PHASE,
        about="few-shot conversations",
    )


async def _recompile(session: Session) -> None:
    """Put the present anchors and facts into the prompt, if they are not what it was compiled from."""
    project = session.project
    made_from = {"domain-frameworks": _items(session, *EMBEDDED)}
    if not project.drifted("generation-prompt", COMPILED, made_from):
        return
    knowledge = project.value(Documents.knowledge)
    prompt = project.value(Documents.generation_prompt)
    value = msgspec.structs.replace(
        prompt, facts=unsourced(knowledge.facts), always=bare(knowledge.always), never=bare(knowledge.never)
    )
    sections = (COMPILED, FACTS) if prompt.facts or value.facts else (COMPILED,)
    project.recompile(KIND, sections, value, COMPILED, made_from)
    session.tell("generation prompt: the present anchors and facts put in")


def _items(session: Session, *prefixes: str) -> Items:
    """The items of the domain reference whose ids begin so."""
    return {item: hash for item, hash in session.project.items("domain-frameworks").items() if item.startswith(prefixes)}


def _cases(session: Session) -> Items:
    """What the scenario space expects in unusual cases, and how long talks are."""
    return {item: hash for item, hash in session.project.items("scenario-space").items() if item.startswith(("ED", "OS", "LN"))}


async def _write_user(session: Session) -> None:
    space = session.project.value(Documents.space)
    slots = session.slots_of_talks(
        space=material.users(session),
        cases=material.cases(space, expected=False),
        gap=material.gap_example(space, session.brief.language),
    )
    request = session.request("generation-user-prompt", slots, phase=PHASE, origin=Origin("user prompt"))
    reply = await session.door.ask_for(request, _plain)
    made_from = {"scenario-space": session.project.items("scenario-space")}
    _write_plain(session, "user-prompt", "Simulated user", reply, made_from)


async def _write_system(session: Session) -> None:
    slots = session.slots_of_talks(asked_for=material.asked_for(session))
    request = session.request("generation-system-prompt", slots, phase=PHASE, origin=Origin("system prompt"))
    reply = await session.door.ask_for(request, _plain)
    _write_plain(session, "system-prompt", "System prompt", reply, {"brief": session.project.items("brief")})


def _plain(text: str) -> str:
    """A prompt answered as plain text. Raises ValueError if there is none."""
    if not text.strip():
        raise ValueError("The answer is empty.")
    return text.strip()


def _write_plain(session: Session, kind: str, title: str, text: str, made_from: dict[str, dict[str, str]]) -> None:
    value = PlainPrompt(title=f"{title}: {session.brief.title}", text=text)
    session.project.write(kind, documents.render(kind, value), {"Text": Part(compiled=False, made_from=made_from)})
    session.tell(f"{kind.replace('-', ' ')}: {count_words(text)} words")
