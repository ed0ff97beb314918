"""Phase 3: binary questions in weighted categories with a safety gate, and conversations that show they work and differ."""

from __future__ import annotations

from collections.abc import Awaitable

import msgspec

from finetune_prep import documents
from finetune_prep.core import measures
from finetune_prep.core.rubric import Example, Rubric
from finetune_prep.documents.kinds import KINDS
from finetune_prep.models.together import together
from finetune_prep.phases.drafting import briefing
from finetune_prep.phases.drafting.examples_draft import ExamplesDraft, to_examples
from finetune_prep.phases.drafting.revising import Drafted, Point, drafted
from finetune_prep.phases.examining.drafts import deciding, examine
from finetune_prep.phases.research.panel import convene, criticise
from finetune_prep.phases.research.research import PANEL
from finetune_prep.phases.rubric.rubric_draft import RubricDraft, to_rubric
from finetune_prep.phases.session import Session
from finetune_prep.project.stamps import Part

PHASE = "rubric"
KIND = "evaluation-rubric"
OF_PAIRS = "rubric.pairs-apart"
OF_QUESTIONS = deciding(PHASE, KIND, only="rubric.", skip=(OF_PAIRS,))
OF_EXAMPLES = deciding(PHASE, KIND, only="worked-examples.")


async def rubric(session: Session, *, overwrite: bool = False) -> None:
    """Write evaluation-rubric.md, unless it exists (or `overwrite`)."""
    project = session.project
    if project.layout.document(KIND).exists() and not overwrite:
        return
    questions = await _questions(session)
    examples = await _examples(session, questions.value)
    complete = msgspec.structs.replace(questions.value, examples=examples.value)
    text = documents.render(KIND, complete)
    found = await examine(session, {KIND: text}, (OF_PAIRS,))
    left = dict.fromkeys((*questions.left, *examples.left, *found))
    parts = [
        briefing.points("Gates that do not hold", left, f"finetune-prep check {KIND}"),
        briefing.objections(questions),
    ]
    briefing.write(project, PHASE, KIND, KINDS[KIND].path, parts)
    made_from = {"domain-frameworks": project.items("domain-frameworks"), "scenario-space": project.items("scenario-space")}
    project.write(KIND, text, {"Questions": Part(compiled=False, made_from=made_from)})
    session.tell(
        f"rubric: {len(complete.questions)} questions in {len(complete.categories)} categories, "
        f"{len(examples.value)} worked examples"
    )


async def _questions(session: Session) -> Drafted[Rubric]:
    """Questions without examples: read by the panel, examined, revised."""
    panel = await convene(session)

    async def look_over(draft: Rubric, first: bool) -> tuple[Point, ...]:
        text = documents.render(KIND, draft)
        asked: list[Awaitable[tuple[Point, ...]]] = [examine(session, {KIND: text}, OF_QUESTIONS)]
        if first:
            asked.append(criticise(session, panel, "rubric", documents.body(text).strip(), phase=PHASE))
        return tuple(point for points in await together(asked) for point in points)

    return await drafted(
        session,
        "rubric-questions",
        RubricDraft,
        to_rubric,
        session.slots(
            frameworks=session.text("domain-frameworks", PANEL),
            space=session.text("scenario-space"),
            metrics=measures.forms(session.brief.language),
        ),
        look_over,
        phase=PHASE,
        about="rubric questions",
    )


async def _examples(session: Session, questions: Rubric) -> Drafted[tuple[Example, ...]]:
    """A strong, a mediocre and a violating conversation, scored by the program."""

    async def look_over(examples: tuple[Example, ...], first: bool) -> tuple[Point, ...]:
        text = documents.render(KIND, msgspec.structs.replace(questions, examples=examples))
        return await examine(session, {KIND: text}, OF_EXAMPLES)

    return await drafted(
        session,
        "rubric-examples",
        ExamplesDraft,
        lambda draft: to_examples(draft, questions),
        session.slots(
            rubric=documents.body(documents.render(KIND, questions)).strip(),
            questions=", ".join(question.id for question in questions.judged),
            threshold=questions.threshold,
        ),
        look_over,
        phase=PHASE,
        about="worked examples",
    )
