"""Phase 2: turn frameworks, principles and failure modes into observable always and never behaviours."""

from __future__ import annotations

import msgspec

from finetune_prep import documents
from finetune_prep.core.knowledge import Knowledge
from finetune_prep.phases.drafts.anchors import AnchorsDraft, to_anchors
from finetune_prep.phases.workshop import Workshop
from finetune_prep.project.stamps import Part

PHASE = "anchors"
SECTION = "Behavioral anchors"


async def anchors(shop: Workshop, *, overwrite: bool = False) -> None:
    """Add the section "Behavioral anchors" to domain-frameworks.md, unless it has one (or `overwrite`)."""
    project = shop.project
    document = project.sound("domain-frameworks")
    knowledge: Knowledge = project.value("domain-frameworks")
    if knowledge.anchors and not overwrite:
        return
    slots = shop.slots(frameworks=shop.text("domain-frameworks", without=SECTION))
    always, never = await shop.draft(
        "anchors", AnchorsDraft, lambda draft: to_anchors(draft, knowledge), slots, phase=PHASE, about="behavioral anchors"
    )
    rendered = documents.render("domain-frameworks", msgspec.structs.replace(knowledge, always=always, never=never))
    text = documents.replace_section(document.text, SECTION, documents.section(rendered, SECTION), before="Sources")
    stamp = project.stamp("domain-frameworks")
    drawn_from = {item: hash for item, hash in project.items("domain-frameworks").items() if item.startswith(("T", "P", "FM"))}
    parts = (stamp.parts if stamp else {}) | {SECTION: Part(compiled=False, made_from={"domain-frameworks": drawn_from})}
    project.write("domain-frameworks", text, parts)
    shop.tell(f"behavioral anchors: {len(always)} always, {len(never)} never")
