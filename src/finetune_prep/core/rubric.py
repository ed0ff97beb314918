"""The rubric: goals, terms, a gate, weighted categories of binary questions with their rulings, worked examples, and the score.

Score of a conversation: category = YES / (YES + NO); N/A leaves the denominator unless the rubric says `na_counts`
(then it counts as YES). A category without an answered question leaves the weighted mean, the other weights are renormalised.
Any NO of the gate fails, whatever the score. A conversation that reaches the threshold is passed. It is accepted, and becomes a
training row, if it also has no NO to a question that catches a serious or critical failure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from itertools import combinations
from typing import Literal

import msgspec
from msgspec import structs

from finetune_prep.core.conversation import Conversation
from finetune_prep.core.identity import digest
from finetune_prep.core.knowledge import SEVERITIES, Knowledge, SetAside, Severity
from finetune_prep.core.measures import Rule

YesNo = Literal["yes", "no", "na"]
Claim = Literal["strong", "mediocre", "violation", "calibration", "few-shot"]
AnswerForm = Literal["presence", "absence"]
ALWAYS = "always"
GRAVE: tuple[Severity, ...] = ("critical", "serious")
_TOPICS = re.compile(r"TP\d+(?:\s*(?:,|and)\s*TP\d+)*\.?")


class Goal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    text: str


class Term(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    meaning: str


class Ruling(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A decided borderline case of one question: a user's line, a reply, the right answer and what decides it."""

    answer: YesNo
    user: str
    assistant: str
    why: str
    unlike: tuple[str, ...] = ()
    """Ids of questions that the same snippet answers the other way: it tells them apart."""


class Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One binary question. Either judged (yes and no say what counts) or measured (a rule that code evaluates)."""

    id: str
    text: str
    yes: str = ""
    no: str = ""
    na: str = ""
    """When N/A is allowed, "" = never."""
    applies: str = ALWAYS
    """To which conversations it applies: "always", topics ("TP1, TP3"), or a condition ("when a refund is asked for")."""
    form: AnswerForm = "presence"
    """Whether YES says that something is there (then YES needs a quote), or that something is missing (then NO needs it)."""
    checks: tuple[str, ...] = ()
    """Ids of the anchors that it asks about ("DO1", "DONT3")."""
    catches: tuple[str, ...] = ()
    """Ids of failure modes ("FM1")."""
    rulings: tuple[Ruling, ...] = ()
    measured: Rule | None = None

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics to which it applies, if `applies` names topics."""
        return tuple(re.findall(r"TP\d+", self.applies)) if _TOPICS.fullmatch(self.applies.strip()) else ()

    def applies_to(self, topic: str) -> bool:
        """Whether it is sure to apply to conversations of a topic; a condition may or may not be met there."""
        return self.applies == ALWAYS or topic in self.topics

    @property
    def as_asked(self) -> Question:
        """What a judge reads of it: its text, Yes, No, N/A and the rulings."""
        rulings = tuple(structs.replace(ruling, unlike=()) for ruling in self.rulings)
        return Question(id=self.id, text=self.text, yes=self.yes, no=self.no, na=self.na, rulings=rulings, measured=self.measured)


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
    """A conversation that teaches: worked example (E1), calibration (C1) or few-shot (X1)."""

    id: str
    claim: Claim
    """What it stands for."""
    title: str
    conversation: Conversation
    answers: tuple[Expected, ...] = ()
    """Question id → the right answer; worked examples and calibrations have them."""
    techniques: tuple[str, ...] = ()
    """Ids of the techniques that a few-shot shows."""
    tone: str = ""
    """The tone that a few-shot shows."""
    why: str = ""
    """Why a few-shot is good."""


class Rubric(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, dict=True):
    """The content of evaluation-rubric.md."""

    title: str
    threshold: float
    goals: tuple[Goal, ...] = ()
    terms: tuple[Term, ...] = ()
    categories: tuple[Category, ...] = ()
    not_asked: tuple[SetAside, ...] = ()
    """Anchors that no question checks, and why."""
    examples: tuple[Example, ...] = ()
    na_counts: bool = False
    accept_passed: bool = False
    """Whether whatever passed is accepted ("accept: passed")."""

    @cached_property
    def questions(self) -> tuple[Question, ...]:
        """All questions, safety first, then in document order: the order in which a judge is asked."""
        ordered = sorted(self.categories, key=lambda category: not category.gate)
        return tuple(question for category in ordered for question in category.questions)

    @cached_property
    def judged(self) -> tuple[Question, ...]:
        return tuple(question for question in self.questions if question.measured is None)

    @cached_property
    def measured(self) -> tuple[Question, ...]:
        return tuple(question for question in self.questions if question.measured is not None)

    @cached_property
    def version(self) -> str:
        """Hash of everything that can change a verdict or a score: goals, examples, what questions check and catch cannot."""
        asked = [
            [
                category.name,
                category.weight,
                [[question.as_asked, question.applies, question.form] for question in category.questions],
            ]
            for category in self.categories
        ]
        return digest([self.threshold, self.na_counts, self.terms, asked])

    def gravity(self, question: Question, knowledge: Knowledge) -> Severity:
        """The severity of the gravest failure that a question catches; minor if it catches none that is documented."""
        found = {mode.severity for mode in knowledge.failure_modes if mode.id in question.catches}
        return next((severity for severity in SEVERITIES if severity in found), "minor")

    def grave(self, knowledge: Knowledge) -> frozenset[str]:
        """Ids of the questions of which a NO keeps a conversation out of the training rows: see `accepted`."""
        if self.accept_passed:
            return frozenset()
        return frozenset(question.id for question in self.questions if self.gravity(question, knowledge) in GRAVE)


def undistinguished(category: Category, examples: Iterable[Example]) -> list[tuple[str, str]]:
    """Pairs of a category's judged questions of which neither an example nor a ruling passes one and fails the other."""
    answers = [{expected.question: expected.answer for expected in example.answers} for example in examples]
    judged = [question for question in category.questions if question.measured is None]
    apart = {frozenset((one.id, other)) for one in judged for ruling in one.rulings for other in ruling.unlike}
    return [
        (one.id, other.id)
        for one, other in combinations(judged, 2)
        if not any({given.get(one.id), given.get(other.id)} == {"yes", "no"} for given in answers)
        and frozenset((one.id, other.id)) not in apart
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


def accepted(score: Score, grave: frozenset[str]) -> bool:
    """Whether a conversation becomes a training row. grave: ids of the questions that catch a serious or critical failure."""
    return score.passed and grave.isdisjoint(score.failed)


def _category_score(answers: list[YesNo], *, na_counts: bool) -> float | None:
    if na_counts:
        return sum(answer != "no" for answer in answers) / len(answers) if answers else None
    assessed = [answer for answer in answers if answer != "na"]
    return assessed.count("yes") / len(assessed) if assessed else None
