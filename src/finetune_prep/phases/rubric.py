"""Phase 3: binary questions in weighted categories with a safety gate, and worked examples that show they work."""

from __future__ import annotations

import msgspec

from finetune_prep import documents
from finetune_prep.core import measures
from finetune_prep.core.knowledge import Knowledge
from finetune_prep.core.rubric import Rubric
from finetune_prep.phases.drafts.examples import ExamplesDraft, to_examples
from finetune_prep.phases.drafts.rubric import RubricDraft, to_rubric
from finetune_prep.phases.workshop import Workshop
from finetune_prep.project.stamps import Part

PHASE = "rubric"


async def rubric(shop: Workshop, *, overwrite: bool = False) -> None:
    """Write evaluation-rubric.md, unless it exists (or `overwrite`)."""
    project = shop.project
    if project.layout.document("evaluation-rubric").exists() and not overwrite:
        return
    knowledge: Knowledge = project.value("domain-frameworks")
    questions: Rubric = await shop.draft(
        "rubric-questions",
        RubricDraft,
        lambda draft: to_rubric(draft, knowledge),
        shop.slots(
            frameworks=shop.text("domain-frameworks"), space=shop.text("scenario-space"), metrics="; ".join(measures.FORMS)
        ),
        phase=PHASE,
        about="rubric questions",
    )
    examples = await shop.draft(
        "rubric-examples",
        ExamplesDraft,
        lambda draft: to_examples(draft, questions),
        shop.slots(
            rubric=documents.body(documents.render("evaluation-rubric", questions)).strip(),
            questions=", ".join(question.id for question in questions.judged),
            threshold=questions.threshold,
            language=shop.brief.language,
        ),
        phase=PHASE,
        about="worked examples",
    )
    complete = msgspec.structs.replace(questions, examples=examples)
    made_from = {"domain-frameworks": project.items("domain-frameworks"), "scenario-space": project.items("scenario-space")}
    text = documents.render("evaluation-rubric", complete)
    project.write("evaluation-rubric", text, {"Questions": Part(compiled=False, made_from=made_from)})
    shop.tell(
        f"rubric: {len(complete.questions)} questions in {len(complete.categories)} categories, {len(examples)} worked examples"
    )
