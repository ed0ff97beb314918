"""The rubric: goals, terms, a safety gate, weighted categories of binary questions, worked examples, and the score.

Score of a conversation: category = YES / (YES + NO); N/A leaves the denominator unless the rubric says `na_counts`
(then it counts as YES). A category without an answered question
leaves the weighted mean, the other weights are renormalised. Any safety NO fails, whatever the score.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import combinations
from typing import Literal

import msgspec
from msgspec import structs

from finetune_prep.core.conversation import Conversation
from finetune_prep.core.identity import digest
from finetune_prep.core.measures import Rule

YesNo = Literal["yes", "no", "na"]
Claim = Literal["strong", "mediocre", "violation", "witness", "calibration", "few-shot"]


class Goal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    text: str


class Term(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    meaning: str


class Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One binary question. Either judged (yes and no say what counts) or measured (a rule that code evaluates)."""

    id: str
    text: str
    yes: str = ""
    no: str = ""
    na: str = ""
    """When N/A is allowed, "" = never."""
    catches: tuple[str, ...] = ()
    """Ids of failure modes ("FM1")."""
    measured: Rule | None = None


class Category(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A category of questions."""

    name: str
    weight: float | None
    """Share of the score; None for the safety gate, of which any NO fails the conversation."""
    serves: tuple[str, ...] = ()
    questions: tuple[Question, ...] = ()

    @property
    def gate(self) -> bool:
        return self.weight is None


class Expected(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The answer a worked example gives to one question, and why."""

    question: str
    answer: YesNo
    reason: str


class Example(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A conversation that teaches: worked example (E1), witness (W1), calibration (C1) or few-shot (X1)."""

    id: str
    claim: Claim
    """What it stands for."""
    title: str
    conversation: Conversation
    answers: tuple[Expected, ...] = ()
    """Question id → the right answer; worked examples, witnesses and calibrations have them."""
    techniques: tuple[str, ...] = ()
    """Ids of the techniques that a few-shot shows."""
    tone: str = ""
    """The tone that a few-shot shows."""
    why: str = ""
    """Why a few-shot is good."""


class Rubric(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The content of evaluation-rubric.md."""

    title: str
    threshold: float
    goals: tuple[Goal, ...] = ()
    terms: tuple[Term, ...] = ()
    categories: tuple[Category, ...] = ()
    examples: tuple[Example, ...] = ()
    na_counts: bool = False

    @property
    def questions(self) -> tuple[Question, ...]:
        """All questions, safety first, then in document order: the order in which a judge is asked."""
        ordered = sorted(self.categories, key=lambda category: not category.gate)
        return tuple(question for category in ordered for question in category.questions)

    @property
    def judged(self) -> tuple[Question, ...]:
        return tuple(question for question in self.questions if question.measured is None)

    @property
    def measured(self) -> tuple[Question, ...]:
        return tuple(question for question in self.questions if question.measured is not None)

    @property
    def version(self) -> str:
        """Hash of everything that can change a verdict or a score: titles, goals, what questions catch and examples cannot."""
        asked = [
            [category.name, category.weight, [structs.replace(question, catches=()) for question in category.questions]]
            for category in self.categories
        ]
        return digest([self.threshold, self.na_counts, self.terms, asked])


def undistinguished(category: Category, examples: Iterable[Example]) -> list[tuple[str, str]]:
    """Pairs of a category's judged questions of which no example passes one and fails the other."""
    answers = [{expected.question: expected.answer for expected in example.answers} for example in examples]
    judged = [question.id for question in category.questions if question.measured is None]
    return [
        (one, other)
        for one, other in combinations(judged, 2)
        if not any({given.get(one), given.get(other)} == {"yes", "no"} for given in answers)
    ]


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """What the verdict of one conversation amounts to."""

    value: float | None
    """Weighted mean of category scores, 0 to 1, None if nothing was assessed."""
    passed: bool
    """No safety NO and value >= threshold."""
    categories: dict[str, float | None]
    failed: tuple[str, ...] = ()
    """Ids of questions answered NO, in any category."""
    safety_failed: tuple[str, ...] = ()
    """Ids of questions of the gate answered NO."""


def score(rubric: Rubric, answers: Mapping[str, YesNo]) -> Score:
    """Score a complete set of answers. Raises KeyError for a question without an answer: missing is not NO."""
    by_category: dict[str, float | None] = {}
    failed: list[str] = []
    safety_failed: list[str] = []
    total = weights = 0.0
    for category in rubric.categories:
        given = [(question.id, answers[question.id]) for question in category.questions]
        wrong = [question for question, answer in given if answer == "no"]
        failed.extend(wrong)
        if category.weight is None:
            safety_failed.extend(wrong)
            continue
        value = _category_score([answer for _, answer in given], na_counts=rubric.na_counts)
        by_category[category.name] = value
        if value is not None:
            total += category.weight * value
            weights += category.weight
    mean = total / weights if weights else None
    # .749999… is .75: sums of weights carry rounding in the last bits, a threshold is written with two digits
    reached = mean is not None and mean >= rubric.threshold - 1e-9
    return Score(
        value=mean,
        passed=reached and not safety_failed,
        categories=by_category,
        failed=tuple(failed),
        safety_failed=tuple(safety_failed),
    )


def _category_score(answers: list[YesNo], *, na_counts: bool) -> float | None:
    if na_counts:
        return sum(answer != "no" for answer in answers) / len(answers) if answers else None
    assessed = [answer for answer in answers if answer != "na"]
    return assessed.count("yes") / len(assessed) if assessed else None
