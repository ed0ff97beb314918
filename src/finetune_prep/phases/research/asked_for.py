"""What the brief asks for, item by item: jobs, limits and risks, each with the words of the brief it stands on."""

from __future__ import annotations

from finetune_prep.core.knowledge import Wish
from finetune_prep.phases.research.knowledge_draft import AskedForDraft, to_wishes
from finetune_prep.phases.session import Session

PHASE = "research"


async def asked_for(session: Session) -> tuple[Wish, ...]:
    """The brief as a list: jobs, then limits, then risks. A person corrects it in the document."""
    brief = session.brief
    text = f"{brief.title}\n\n{brief.text}"
    return await session.draft(
        "research-asked-for",
        AskedForDraft,
        lambda draft: to_wishes(draft, text),
        session.slots(),
        phase=PHASE,
        about="what the brief asks for",
    )


def wishes_text(wishes: tuple[Wish, ...]) -> str:
    """As they go into prompts."""
    return "\n".join(f"- {wish.id}: {wish.text} “{wish.sources[0].quote}”" for wish in wishes)
