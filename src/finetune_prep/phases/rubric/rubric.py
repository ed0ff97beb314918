"""Phase 3: binary questions in a gate and weighted categories, rulings on borderline cases, and worked examples."""

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
from finetune_prep.phases.rubric.rubric_draft import RubricDraft, RulingsDraft, to_rubric, to_rulings
from finetune_prep.phases.session import Session
from finetune_prep.project.stamps import Part

PHASE = "rubric"
KIND = "evaluation-rubric"
READ = "rubric.one-thing"  # a judge reads the questions
OF_RULINGS = deciding(PHASE, KIND, only="rulings.") | {"rubric.pairs-apart", "rubric.rulings-agree"}
OF_QUESTIONS = (deciding(PHASE, KIND, only="rubric.") | deciding(PHASE, KIND, only="chain.")) - OF_RULINGS
OF_EXAMPLES = deciding(PHASE, KIND, only="worked-examples.")


async def rubric(session: Session, *, overwrite: bool = False) -> None:
    """Write evaluation-rubric.md, unless it exists (or `overwrite`)."""
    project = session.project
    if project.layout.document(KIND).exists() and not overwrite:
        return
    questions = await _questions(session)
    complete, left = await _shown(session, questions.value)
    text = documents.render(KIND, complete)
    found = await examine(session, {KIND: text}, (READ, "rubric.pairs-apart"))
    all_left = dict.fromkeys((*questions.left, *left, *found))
    parts = [
        briefing.points("Gates that do not hold", all_left, f"finetune-prep check {KIND}"),
        briefing.objections(questions),
    ]
    briefing.write(project, PHASE, KIND, KINDS[KIND].path, parts)
    made_from = {"domain-frameworks": project.items("domain-frameworks"), "scenario-space": project.items("scenario-space")}
    project.write(KIND, text, {"Questions": Part(compiled=False, made_from=made_from)})
    ruled = sum(len(question.rulings) for question in complete.questions)
    session.tell(
        f"rubric: {len(complete.questions)} questions in {len(complete.categories)} categories, {ruled} rulings, "
        f"{len(complete.examples)} worked examples"
    )


async def _questions(session: Session) -> Drafted[Rubric]:
    """Questions without rulings and examples: read by the panel and a judge, revised.

    What the last revision changed is read by the judge together with the finished rubric.
    """
    panel = await convene(session)
    looks = 0

    async def look_over(draft: Rubric, first: bool) -> tuple[Point, ...]:
        nonlocal looks
        last = looks == session.project.config.revisions
        looks += 1
        text = documents.render(KIND, draft)
        wanted = OF_QUESTIONS - {READ} if last and not first else OF_QUESTIONS
        asked: list[Awaitable[tuple[Point, ...]]] = [examine(session, {KIND: text}, wanted)]
        if first:
            asked.append(criticise(session, panel, "rubric", documents.body(text).strip(), phase=PHASE))
        return tuple(point for points in await together(asked) for point in points)

    return await drafted(
        session,
        "rubric-questions",
        RubricDraft,
        to_rubric,
        session.slots_of_talks(
            frameworks=session.text("domain-frameworks", PANEL),
            space=session.text("scenario-space"),
            metrics=measures.forms(session.brief.language),
        ),
        look_over,
        phase=PHASE,
        about="rubric questions",
    )


async def _shown(session: Session, questions: Rubric) -> tuple[Rubric, tuple[Point, ...]]:
    """The rubric with rulings and worked examples, and what is left to fix in these.

    Both need the questions alone and are asked for at once: by batch files, that saves two rounds.
    """
    rulings: list[Drafted[Rubric]] = []
    examples: list[Drafted[tuple[Example, ...]]] = []

    async def rule() -> None:
        rulings.append(await _rulings(session, questions))

    async def work_through() -> None:
        examples.append(await _examples(session, questions))

    await together((rule(), work_through()))
    complete = msgspec.structs.replace(rulings[0].value, examples=examples[0].value)
    return complete, (*rulings[0].left, *examples[0].left)


async def _rulings(session: Session, questions: Rubric) -> Drafted[Rubric]:
    """The rubric with its borderline cases decided; a judge who is not shown the answers decides them once more."""

    async def look_over(ruled: Rubric, first: bool) -> tuple[Point, ...]:
        return await examine(session, {KIND: documents.render(KIND, ruled)}, OF_RULINGS)

    return await drafted(
        session,
        "rubric-rulings",
        RulingsDraft,
        lambda draft: to_rulings(draft, questions),
        session.slots_of_talks(rubric=_body(questions), questions=_names(questions)),
        look_over,
        phase=PHASE,
        about="rulings",
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
        session.slots_of_talks(rubric=_body(questions), questions=_names(questions), threshold=questions.threshold),
        look_over,
        phase=PHASE,
        about="worked examples",
    )


def _body(rubric: Rubric) -> str:
    return documents.body(documents.render(KIND, rubric)).strip()


def _names(rubric: Rubric) -> str:
    return ", ".join(question.id for question in rubric.judged)
