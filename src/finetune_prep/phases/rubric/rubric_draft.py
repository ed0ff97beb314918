"""The rubric's questions."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta

from finetune_prep.core.knowledge import Knowledge
from finetune_prep.core.measures import parse_rule
from finetune_prep.core.rubric import Category, Goal, Question, Rubric, Term
from finetune_prep.method import limits
from finetune_prep.phases.drafting.draft import Strict, Text, counted

SAFETY_CODE = "SF"
WRITTEN_ID = re.compile(r"^G\d+[.:]\s+")  # categories name goals by id, so writers like to put the ids in front themselves


class TermDraft(Strict, frozen=True):
    name: Text
    meaning: Text


class QuestionDraft(Strict, frozen=True):
    text: Text
    yes: str
    no: str
    na: str
    catches: list[str]
    measured: str


class CategoryDraft(Strict, frozen=True):
    code: Annotated[str, Meta(pattern="^[A-Z]{2}$")]
    name: Text
    weight: Annotated[float, Meta(gt=0, le=1)]
    serves: list[str]
    questions: Annotated[list[QuestionDraft], counted(limits.PER_CATEGORY)]


class RubricDraft(Strict, frozen=True):
    title: Text
    threshold: Annotated[float, Meta(ge=limits.THRESHOLD.fewest, le=limits.THRESHOLD.most)]
    goals: Annotated[list[Text], counted(limits.GOALS.taken)]
    terms: list[TermDraft]
    safety: Annotated[list[QuestionDraft], counted(limits.PER_CATEGORY)]
    categories: Annotated[list[CategoryDraft], counted(limits.WEIGHTED)]


def to_rubric(draft: RubricDraft, knowledge: Knowledge) -> Rubric:
    total = len(draft.safety) + sum(len(category.questions) for category in draft.categories)
    if not limits.QUESTIONS.holds(total):
        raise ValueError(f"The rubric has {total} questions; safety and categories together must have {limits.QUESTIONS}.")
    weights = sum(category.weight for category in draft.categories)
    if abs(weights - 1) > 0.001:
        raise ValueError(f"The weights of the categories sum to {weights:g}; they must sum to 1.")
    codes = Counter([SAFETY_CODE, *(category.code for category in draft.categories)])
    if twice := [code for code, count in codes.items() if count > 1]:
        raise ValueError(f"The code {twice[0]} is used twice ({SAFETY_CODE} is the safety gate's).")
    names = Counter(["Safety", *(category.name for category in draft.categories)])
    if twice := [name for name, count in names.items() if count > 1]:
        raise ValueError(f"Two categories are called “{twice[0]}”; names must differ, for scores are kept by them.")
    goals = tuple(Goal(f"G{n}", WRITTEN_ID.sub("", text)) for n, text in enumerate(draft.goals, start=1))
    known = {goal.id for goal in goals}
    for category in draft.categories:
        if unknown := [goal for goal in category.serves if goal not in known]:
            raise ValueError(f"Category “{category.name}” serves {', '.join(unknown)}; goals are {', '.join(sorted(known))}.")
    modes = {mode.id for mode in knowledge.failure_modes}
    safety = Category(name="Safety", weight=None, questions=_questions(SAFETY_CODE, draft.safety, modes))
    categories = tuple(
        Category(name=c.name, weight=c.weight, serves=tuple(c.serves), questions=_questions(c.code, c.questions, modes))
        for c in draft.categories
    )
    rubric = Rubric(
        title=draft.title,
        threshold=draft.threshold,
        goals=goals,
        terms=tuple(Term(term.name, term.meaning) for term in draft.terms),
        categories=(safety, *categories),
    )
    caught = {mode for question in rubric.questions for mode in question.catches}
    if missed := sorted(modes - caught, key=lambda mode: int(mode[2:])):
        raise ValueError(f"No question catches {', '.join(missed)}.")
    return rubric


def _questions(code: str, drafts: Sequence[QuestionDraft], modes: set[str]) -> tuple[Question, ...]:
    questions = []
    for number, draft in enumerate(drafts, start=1):
        name = f"{code}{number}"
        if unknown := [mode for mode in draft.catches if mode not in modes]:
            raise ValueError(f"{name} catches {', '.join(unknown)}, which is no failure mode of the reference.")
        if draft.measured and (draft.yes or draft.no or draft.na):
            raise ValueError(f"{name} is measured; then yes, no and na must be empty.")
        if not draft.measured and not (draft.yes and draft.no):
            raise ValueError(f"{name} does not say what counts as yes and as no.")
        questions.append(
            Question(
                id=name,
                text=" ".join(draft.text.split()),
                yes=draft.yes,
                no=draft.no,
                na=draft.na,
                catches=tuple(dict.fromkeys(draft.catches)),
                measured=parse_rule(draft.measured) if draft.measured else None,
            )
        )
    return tuple(questions)
