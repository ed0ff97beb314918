"""The rubric's questions and the rulings below them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from finetune_prep.core.knowledge import SetAside
from finetune_prep.core.measures import parse_rule
from finetune_prep.core.rubric import ALWAYS, AnswerForm, Category, Goal, Question, Rubric, Ruling, Term, YesNo
from finetune_prep.method import limits
from finetune_prep.phases.drafting.draft import Strict, Text, counted, listed_ids

SAFETY_CODE = "SF"
WRITTEN_ID = re.compile(r"^G\d+[.:]\s+")  # categories name goals by id, so writers like to put the ids in front themselves


class FaultDraft(Strict, frozen=True):
    """A reply that must not pass. It is thought out before the questions, which are tested by it; no document keeps it."""

    of: list[str]
    user: Text
    reply: Text


class TermDraft(Strict, frozen=True):
    name: Text
    meaning: Text


class QuestionDraft(Strict, frozen=True):
    text: Text
    yes: str
    no: str
    na: str
    applies: str
    form: AnswerForm
    checks: list[str]
    catches: list[str]
    measured: str


class CategoryDraft(Strict, frozen=True):
    ITEMS: ClassVar = {"questions": "{parent[code]}{1}"}

    code: Annotated[str, Meta(pattern="^[A-Z]{2}$")]
    name: Text
    weight: Annotated[float, Meta(gt=0, le=1)]
    serves: list[str]
    questions: Annotated[list[QuestionDraft], counted(limits.PER_CATEGORY)]


class NotAskedDraft(Strict, frozen=True):
    anchor: Text
    because: Text


class RubricDraft(Strict, frozen=True):
    ITEMS: ClassVar = {"goals": "G{0}", "terms": "{item[name]}", "gate": "SF{0}", "categories": "{item[code]}"}

    faults: Annotated[list[FaultDraft], counted(limits.FAULTS.taken)]
    title: Text
    threshold: Annotated[float, Meta(ge=limits.THRESHOLD.fewest, le=limits.THRESHOLD.most)]
    goals: Annotated[list[Text], counted(limits.GOALS.taken)]
    terms: list[TermDraft]
    gate: Annotated[list[QuestionDraft], counted(limits.PER_GATE)]
    categories: Annotated[list[CategoryDraft], counted(limits.WEIGHTED)]
    not_asked: list[NotAskedDraft]


def to_rubric(draft: RubricDraft) -> Rubric:
    """Raises ValueError where questions could not be told apart, or scores be kept: codes and names must differ."""
    codes = Counter([SAFETY_CODE, *(category.code for category in draft.categories)])
    if twice := [code for code, count in codes.items() if count > 1]:
        raise ValueError(f"The code {twice[0]} is used twice ({SAFETY_CODE} is the safety gate's).")
    names = Counter(["Safety", *(category.name for category in draft.categories)])
    if twice := [name for name, count in names.items() if count > 1]:
        raise ValueError(f"Two categories are called “{twice[0]}”; names must differ, for scores are kept by them.")
    goals = tuple(Goal(f"G{n}", WRITTEN_ID.sub("", text)) for n, text in enumerate(draft.goals, start=1))
    named = {goal for category in draft.categories for goal in category.serves}
    protects = tuple(goal.id for goal in goals if goal.id not in named)  # a draft has no place to say what the gate serves
    safety = Category(name="Safety", weight=None, serves=protects, questions=_questions(SAFETY_CODE, draft.gate))
    categories = (
        Category(
            name=c.name,
            weight=c.weight,
            serves=listed_ids(c.serves, f"`serves` of {c.code}"),
            questions=_questions(c.code, c.questions),
        )
        for c in draft.categories
    )
    return Rubric(
        title=draft.title,
        threshold=draft.threshold,
        goals=goals,
        terms=tuple(Term(term.name, term.meaning) for term in draft.terms),
        categories=(safety, *categories),
        not_asked=tuple(SetAside(left.anchor, "", left.because) for left in draft.not_asked),
    )


def _questions(code: str, drafts: Sequence[QuestionDraft]) -> tuple[Question, ...]:
    return tuple(_question(f"{code}{number}", draft) for number, draft in enumerate(drafts, start=1))


def _question(id: str, draft: QuestionDraft) -> Question:
    """Raises ValueError if it cannot be told whether a judge or the program answers it, or if it cannot be measured."""
    if draft.measured and (draft.yes or draft.no or draft.na):
        raise ValueError(f"{id} is measured; then yes, no and na must be empty.")
    return Question(
        id=id,
        text=" ".join(draft.text.split()),
        yes=draft.yes,
        no=draft.no,
        na=draft.na,
        applies=draft.applies.strip() or ALWAYS,
        form=draft.form,
        checks=listed_ids(draft.checks, f"`checks` of {id}"),
        catches=listed_ids(draft.catches, f"`catches` of {id}"),
        measured=parse_rule(draft.measured) if draft.measured else None,
    )


class RulingDraft(Strict, frozen=True):
    question: Text
    user: Text
    assistant: Text
    answer: YesNo
    why: Text
    unlike: list[str]


class RulingsDraft(Strict, frozen=True):
    ITEMS: ClassVar = {"rulings": "{item[question]}-{0}"}

    rulings: list[RulingDraft]


def to_rulings(draft: RulingsDraft, rubric: Rubric) -> Rubric:
    """The rubric with these rulings below its questions. Raises ValueError for a ruling of a question that no judge is asked."""
    by_question: dict[str, list[Ruling]] = {question.id: [] for question in rubric.judged}
    for ruled in draft.rulings:
        if ruled.question not in by_question:
            raise ValueError(f"A ruling is about {ruled.question}; the questions are {', '.join(by_question)}.")
        ruling = Ruling(
            answer=ruled.answer,
            user=ruled.user,
            assistant=ruled.assistant,
            why=ruled.why,
            unlike=listed_ids(ruled.unlike, f"`unlike` of a ruling of {ruled.question}"),
        )
        by_question[ruled.question].append(ruling)
    return msgspec.structs.replace(rubric, categories=tuple(_ruled(category, by_question) for category in rubric.categories))


def _ruled(category: Category, by_question: Mapping[str, Sequence[Ruling]]) -> Category:
    questions = tuple(
        msgspec.structs.replace(question, rulings=tuple(by_question.get(question.id, ()))) for question in category.questions
    )
    return msgspec.structs.replace(category, questions=questions)
