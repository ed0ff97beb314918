"""Phase 2: turn frameworks, principles and failure modes into observable always and never behaviours."""

from __future__ import annotations

import msgspec

from finetune_prep import documents
from finetune_prep.core.knowledge import Anchor, Knowledge
from finetune_prep.documents import set_aside
from finetune_prep.documents.kinds import Documents
from finetune_prep.markdown.inline import prefix
from finetune_prep.phases.drafting import briefing
from finetune_prep.phases.drafting.revising import drafted
from finetune_prep.phases.examining.drafts import deciding, examine
from finetune_prep.phases.research.research import PANEL
from finetune_prep.phases.rubric.anchors_draft import AnchorsDraft, to_anchors
from finetune_prep.phases.session import Session
from finetune_prep.project.stamps import Part

PHASE = "anchors"
SECTION = "Behavioral anchors"
DRAWN_FROM = ("T", "P", "FM")  # letters of the items that anchors come from
WANTED = deciding(PHASE, "domain-frameworks")
Anchors = tuple[tuple[Anchor, ...], tuple[Anchor, ...]]


async def anchors(session: Session, *, overwrite: bool = False) -> None:
    """Add the section "Behavioral anchors" to domain-frameworks.md, unless it has one (or `overwrite`)."""
    project = session.project
    document = project.sound(Documents.knowledge)
    knowledge = project.value(Documents.knowledge)
    if knowledge.anchors and not overwrite:
        return
    result = await drafted(
        session,
        "anchors",
        AnchorsDraft,
        to_anchors,
        session.slots(frameworks=session.text("domain-frameworks", SECTION, PANEL, set_aside.SECTION)),
        lambda anchors, first: examine(session, {"domain-frameworks": _with(document.text, knowledge, anchors)}, WANTED),
        phase=PHASE,
        about="behavioral anchors",
    )
    always, never = result.value
    text = _with(document.text, knowledge, result.value)
    stamp = project.stamp("domain-frameworks")
    drawn_from = {item: hash for item, hash in project.items("domain-frameworks").items() if prefix(item) in DRAWN_FROM}
    parts = (stamp.parts if stamp else {}) | {SECTION: Part(compiled=False, made_from={"domain-frameworks": drawn_from})}
    left = briefing.points("Gates that do not hold", result.left, "finetune-prep check domain-frameworks")
    briefing.write(project, PHASE, "behavioral-anchors", document.path, [left])
    project.write("domain-frameworks", text, parts)
    session.tell(f"behavioral anchors: {len(always)} always, {len(never)} never")


def _with(text: str, knowledge: Knowledge, anchors: Anchors) -> str:
    """The document's text with these anchors in their section, and every other line as it is."""
    always, never = anchors
    rendered = documents.render("domain-frameworks", msgspec.structs.replace(knowledge, always=always, never=never))
    return documents.replace_section(text, SECTION, documents.section(rendered, SECTION), before="Sources")
