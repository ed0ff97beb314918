"""The second document of phase 1: what users bring, from the reference and from the situations that the panel proposed."""

from __future__ import annotations

import re

from finetune_prep import documents
from finetune_prep.core.scenarios.space import ScenarioSpace
from finetune_prep.documents.kinds import KINDS, Documents
from finetune_prep.phases.drafting import briefing
from finetune_prep.phases.drafting.revising import Point, drafted
from finetune_prep.phases.examining.drafts import deciding, examine
from finetune_prep.phases.research.scenario_space_draft import SpaceDraft, to_space
from finetune_prep.phases.session import Session
from finetune_prep.project.stamps import Part

PHASE = "research"
PANEL = "Panel"  # heading of the reference's section that says who was asked
LEFT_OUT = ("Behavioral anchors", PANEL, "Set aside")  # sections of the reference that say nothing of users
_SITUATION = re.compile(r"^- Situation (?P<number>[0-9]{1,4}): (?P<text>.+)$", re.MULTILINE)


def situation_line(number: int, text: str) -> str:
    """A situation that the panel proposed, as the reference keeps it. number: of all its proposals; the first is 1."""
    return f"- Situation {number}: {' '.join(text.split())}"


def situations(reference: str) -> dict[str, str]:
    """The situations that the panel proposed, by id ("PR7"), as the text of a reference keeps them."""
    return {f"PR{found['number']}": found["text"] for found in _SITUATION.finditer(documents.section(reference, PANEL))}


async def write_space(session: Session) -> None:
    """Write scenario-space.md."""
    project = session.project
    knowledge = project.value(Documents.knowledge)
    panel = situations(project.sound(Documents.knowledge).text)
    wanted = deciding(PHASE, "scenario-space")

    async def look_over(space: ScenarioSpace, first: bool) -> tuple[Point, ...]:
        return await examine(session, {"scenario-space": documents.render("scenario-space", space)}, wanted)

    result = await drafted(
        session,
        "research-scenario-space",
        SpaceDraft,
        lambda draft: to_space(draft, knowledge.title, panel),
        session.slots(
            frameworks=session.text("domain-frameworks", *LEFT_OUT),
            spans=session.brief.spans,
            panel=[{"id": id, "text": text} for id, text in panel.items()],
        ),
        look_over,
        phase=PHASE,
        about="scenario space",
    )
    space = result.value
    used = {item: text for item, text in project.items("domain-frameworks").items() if item.startswith(("T", "JOB"))}
    part = Part(compiled=False, made_from={"brief": project.items("brief"), "domain-frameworks": used})
    left = briefing.points("Gates that do not hold", result.left, "finetune-prep check scenario-space")
    briefing.write(project, PHASE, "scenario-space", KINDS["scenario-space"].path, [left])
    project.write("scenario-space", documents.render("scenario-space", space), {"Dimensions": part})
    session.tell(f"scenario space: {len(space.topics)} topics, {space.capacity:,} distinct scenarios")
