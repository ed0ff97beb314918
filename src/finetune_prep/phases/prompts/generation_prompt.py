"""Phase 5: the prompts of the assistant and of the simulated user, and the short prompt that ships with the data."""

from __future__ import annotations

from collections.abc import Awaitable
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
from finetune_prep.phases.examining.drafts import deciding, examine
from finetune_prep.phases.prompts.guidance_draft import GuidanceDraft, bare, to_prompt
from finetune_prep.phases.research.research import PANEL, sources_again
from finetune_prep.phases.session import Session
from finetune_prep.project.stamps import Items, Part
from finetune_prep.words import count_words

PHASE = KIND = "generation-prompt"
OF_FEW_SHOTS = deciding(PHASE, KIND, only="generation-prompt.few-shot")
OF_GUIDANCE = deciding(PHASE, KIND, skip=OF_FEW_SHOTS)
COMPILED = "Behavioral anchors"
WRITTEN = "Guidance and few-shots"
ABOUT_GUIDANCE = "role, grounding and guards"


async def generation_prompt(session: Session, *, overwrite: bool = False) -> None:
    """Write generation-prompt.md, user-prompt.md and system-prompt.md, each unless it exists (or `overwrite`).

    An existing generation prompt gets the present anchors put in, which needs no model.
    """
    layout = session.project.layout
    missing = {kind: overwrite or not layout.document(kind).exists() for kind in ("generation-prompt", "user-prompt")}
    writing = [_write_generation(session) if missing["generation-prompt"] else _recompile(session)]
    if missing["user-prompt"]:
        writing.append(_write_user(session))
    await together(writing)
    if overwrite or not layout.document("system-prompt").exists():
        await _write_system(session)


async def _write_generation(session: Session) -> None:
    """Guidance and few-shots. Few-shots that the judge does not pass go back to their writer, as often as the project allows."""
    project = session.project
    knowledge = project.value(Documents.knowledge)
    sources = await sources_again(session)
    slots = session.slots(frameworks=session.text("domain-frameworks", PANEL), sources=sources)

    # the first guidance is asked for beside the few-shots: it does not depend on them, only its examination does
    early = session.draft("generation-guidance", GuidanceDraft, _as_written, slots, phase=PHASE, about=ABOUT_GUIDANCE)
    asked: list[Awaitable[Any]] = [_few_shots(session, knowledge), early]
    shots, _ = await together(asked)
    guidance = await drafted(
        session,
        "generation-guidance",
        GuidanceDraft,
        _as_written,
        slots,
        lambda draft, first: examine(
            session, {KIND: documents.render(KIND, to_prompt(draft, knowledge, shots.value))}, OF_GUIDANCE
        ),
        phase=PHASE,
        about=ABOUT_GUIDANCE,
    )
    prompt = to_prompt(guidance.value, knowledge, shots.value)
    parts = [
        briefing.points("Gates that do not hold", (*guidance.left, *shots.left), f"finetune-prep check {KIND}"),
    ]
    briefing.write(project, PHASE, KIND, KINDS[KIND].path, parts)
    written_from = {
        "domain-frameworks": _items(session, "F", "T", "P", "DO"),
        "evaluation-rubric": project.items("evaluation-rubric"),
    }
    stamp = {
        COMPILED: Part(compiled=True, made_from={"domain-frameworks": _items(session, "DO")}),
        WRITTEN: Part(compiled=False, made_from=written_from),
    }
    project.write(KIND, documents.render(KIND, prompt), stamp)
    session.tell(
        f"generation prompt: {len(prompt.techniques)} techniques, {len(prompt.guards)} guards, {len(prompt.few_shots)} few-shots"
    )


def _as_written(draft: GuidanceDraft) -> GuidanceDraft:
    return draft


async def _few_shots(session: Session, knowledge: Knowledge) -> Drafted[tuple[Example, ...]]:
    """Exemplary conversations. A judge who has not seen them passes each, or its findings go back to the writer."""

    async def look_over(shots: tuple[Example, ...], first: bool) -> tuple[Point, ...]:
        alone = GenerationPrompt(title=knowledge.title, role=knowledge.title, few_shots=shots)
        return await examine(session, {KIND: documents.render(KIND, alone)}, OF_FEW_SHOTS)

    return await drafted(
        session,
        "generation-few-shots",
        FewShotsDraft,
        to_few_shots,
        session.slots(
            frameworks=session.text("domain-frameworks", PANEL),
            rubric=session.text("evaluation-rubric", "Examples"),
        ),
        look_over,
        phase=PHASE,
        about="few-shot conversations",
    )


async def _recompile(session: Session) -> None:
    """Put the present anchors into the prompt, if they are not what it was compiled from."""
    project = session.project
    made_from = {"domain-frameworks": _items(session, "DO")}
    if not project.drifted("generation-prompt", COMPILED, made_from):
        return
    knowledge = project.value(Documents.knowledge)
    prompt = project.value(Documents.generation_prompt)
    value = msgspec.structs.replace(prompt, always=bare(knowledge.always), never=bare(knowledge.never))
    project.recompile("generation-prompt", (COMPILED,), value, COMPILED, made_from)
    session.tell("generation prompt: the present anchors put in")


def _items(session: Session, *prefixes: str) -> Items:
    """The items of the domain reference whose ids begin so."""
    return {item: hash for item, hash in session.project.items("domain-frameworks").items() if item.startswith(prefixes)}


async def _write_user(session: Session) -> None:
    slots = session.slots(space=session.text("scenario-space"))
    request = session.request("generation-user-prompt", slots, phase=PHASE, origin=Origin("user prompt"))
    reply = await session.door.ask_for(request, _plain)
    made_from = {"scenario-space": session.project.items("scenario-space")}
    _write_plain(session, "user-prompt", "Simulated user", reply, made_from)


async def _write_system(session: Session) -> None:
    prompt = session.project.value(Documents.generation_prompt)
    slots = session.slots(role=prompt.role)
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
