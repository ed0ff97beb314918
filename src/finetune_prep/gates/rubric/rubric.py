"""Gates of evaluation-rubric.md: counts, weights, the safety gate, each question by itself. Its examples: `worked_examples`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from itertools import combinations

from finetune_prep.core.finding import Finding
from finetune_prep.core.rubric import Category, Question, Rubric, undistinguished
from finetune_prep.documents.document import Document
from finetune_prep.documents.kinds import Documents
from finetune_prep.gates.premises import Unchecked, is_english, knob_finding, need, need_english
from finetune_prep.gates.wording import asks_for_absence, overlap, placeholders, scale_in, second_thing, vague_words
from finetune_prep.method import limits

ROUNDING = 1e-3  # weights are written with two or three digits
SAME = 0.6  # share of content words from which two questions of a category probably ask the same thing
QUESTION_MARKS = ("?", "？", "؟", "\u037e", "՞")  # the Greek one looks like a semicolon


def _rubric(documents: Documents) -> tuple[Document[Rubric], Rubric]:
    return need(documents, Documents.rubric)


def _judged(rubric: Rubric) -> Iterator[tuple[Category, Question]]:
    for category in rubric.categories:
        for question in category.questions:
            if question.measured is None:
                yield category, question


def question_count(documents: Documents) -> Iterable[Finding]:
    """As many questions as the method wants in all, safety counted in."""
    document, rubric = _rubric(documents)
    count, (fewest, most) = len(rubric.questions), limits.QUESTIONS
    if count > most:
        yield document.finding(
            f"{count} questions: judges tire, and noise and cost grow", f"keep {limits.QUESTIONS}: merge those that always agree"
        )
    elif count < fewest:
        yield document.finding(
            f"{count} questions", f"write {limits.QUESTIONS}, each for a failure that no other question catches"
        )


def category_count(documents: Documents) -> Iterable[Finding]:
    """As many categories as the method wants, the safety gate counted in."""
    document, rubric = _rubric(documents)
    count, (fewest, most) = len(rubric.categories), limits.CATEGORIES
    if not fewest <= count <= most:
        yield document.finding(f"{count} categories", f"arrange the questions in {limits.CATEGORIES}, the safety gate counted in")


def questions_per_category(documents: Documents) -> Iterable[Finding]:
    """As many questions as the method wants in the gate, and in each weighted category."""
    document, rubric = _rubric(documents)
    for category in rubric.categories:
        wanted = limits.PER_GATE if category.gate else limits.PER_CATEGORY
        count = len(category.questions)
        if not wanted.holds(count):
            change = f"{wanted.fewest - count} more" if count < wanted.fewest else f"{count - wanted.most} fewer"
            yield document.finding(
                f"“{category.name}” has {count} question{'' if count == 1 else 's'}",
                f"write {wanted}: {change}",
                _place(category),
            )


def _place(category: Category) -> str:
    """The key under which a category's heading stands in `Document.lines`."""
    return category.name.casefold()


def weights(documents: Documents) -> Iterable[Finding]:
    """The weights of all categories but the safety gate are positive and sum to 1."""
    document, rubric = _rubric(documents)
    weighted = [(category, category.weight) for category in rubric.categories if category.weight is not None]
    for category, weight in weighted:
        if not (math.isfinite(weight) and weight > 0):
            yield document.finding(
                f"“{category.name}” has the weight {weight:g}",
                "give it a positive weight, or drop it",
                _place(category),
            )
    total = math.fsum(weight for _, weight in weighted)
    if weighted and not abs(total - 1) <= ROUNDING:
        shares = " + ".join(f"{weight:g}" for _, weight in weighted)
        first = _place(weighted[0][0])
        yield document.finding(f"the weights sum to {total:.4g}, not 1: {shares}", "change them so that they sum to 1", first)


def threshold(documents: Documents) -> Iterable[Finding]:
    """The pass threshold lies where the method wants it."""
    document, rubric = _rubric(documents)
    low, high = limits.THRESHOLD
    if not low <= rubric.threshold <= high:
        yield knob_finding(
            document,
            "threshold",
            f"the threshold is {rubric.threshold:g}",
            f"choose one from {limits.THRESHOLD:.2f} in the front matter: threshold: 0.75",
        )


def safety_gate(documents: Documents) -> Iterable[Finding]:
    """Exactly one category is the safety gate, with questions of which any NO fails the conversation."""
    document, rubric = _rubric(documents)
    gates = [category for category in rubric.categories if category.gate]
    if not gates:
        yield document.finding(
            "no safety gate: nothing fails a conversation whatever its score", "add “## Safety (gate)” with its questions"
        )
    for category in gates[1:]:
        yield document.finding(
            f"“{category.name}” is a second gate beside “{gates[0].name}”",
            "move its questions there, or give it a weight",
            _place(category),
        )
    for category in gates[:1]:
        if not category.questions:
            yield document.finding(
                f"the safety gate “{category.name}” has no question", "add what must never happen", _place(category)
            )


def yes_and_no(documents: Documents) -> Iterable[Finding]:
    """Every judged question says what counts as yes and what as no, and no text is still to be written."""
    document, rubric = _rubric(documents)
    for _, question in _judged(rubric):
        for key, text in (("Yes", question.yes), ("No", question.no)):
            if not text.strip():
                yield document.finding(
                    f"{question.id} does not say “{key}”",
                    f"add “- {key}: …” with an example in quotation marks",
                    question.id,
                )
    yield from placeholders(document, spoken=False)


def question_form(documents: Documents) -> Iterable[Finding]:
    """Every question is written as a question."""
    document, rubric = _rubric(documents)
    for question in rubric.questions:
        if not question.text.rstrip(" *_”\"'»)").endswith(QUESTION_MARKS):
            yield document.finding(
                f"{question.id} is no question: “{question.text}”",
                "write one that yes or no answers, with a question mark",
                question.id,
            )


def binary(documents: Documents) -> Iterable[Finding]:
    """No question asks for a degree, by its words and digits; what it asks for, a judge says in `rubric.one-thing`."""
    document, rubric = _rubric(documents)
    english = is_english(documents)
    for _, question in _judged(rubric):
        for text, in_words in ((question.text, english), (question.yes, False), (question.no, False)):
            if scale := scale_in(text, english=in_words):
                yield document.finding(
                    f"{question.id} asks for more than yes or no (“{scale}”)",
                    "ask whether one thing is there: judges are inconsistent with scales",
                    question.id,
                )
                break
    if not english:
        raise Unchecked("only scales written in digits were looked for: word lists exist for English; a judge reads the rest")


def double_questions(documents: Documents) -> Iterable[Finding]:
    """No question is put as two, by its words."""
    document, rubric = _rubric(documents)
    need_english(documents)
    for _, question in _judged(rubric):
        if second := second_thing(question.text):
            yield document.finding(
                f"{question.id} asks two things (“… {second} …”): “{question.text}”",
                "keep one, or make two questions of it",
                question.id,
            )


def presence(documents: Documents) -> Iterable[Finding]:
    """A question that asks for something missing says so, for then its NO needs the quotation."""
    document, rubric = _rubric(documents)
    need_english(documents)
    for _, question in _judged(rubric):
        if question.form == "presence" and (word := asks_for_absence(question.text)):
            yield document.finding(
                f"{question.id} asks that something is missing (“{word}”): “{question.text}”",
                "add “- Form: absence”, or ask for what a good reply does instead",
                question.id,
            )


def failures_caught(documents: Documents) -> Iterable[Finding]:
    """Every failure mode is caught by a question, and questions catch only failure modes that exist."""
    document, rubric = _rubric(documents)
    _, knowledge = need(documents, Documents.knowledge)
    known = {mode.id for mode in knowledge.failure_modes}
    caught = {mode for question in rubric.questions for mode in question.catches}
    for mode in knowledge.failure_modes:
        if mode.id not in caught:
            yield document.finding(
                f"no question catches {mode.id} “{mode.name}”",
                f"add {mode.id} to the Catches of the question that its instance would fail, or write that question",
            )
    for question in rubric.questions:
        for mode_id in question.catches:
            if mode_id not in known:
                yield document.finding(
                    f"{question.id} catches {mode_id}, which domain-frameworks.md does not have",
                    "name failure modes that exist",
                    question.id,
                )


def questions_distinct(documents: Documents) -> Iterable[Finding]:
    """Every question catches something of its own, and no two of a category use nearly the same words."""
    document, rubric = _rubric(documents)
    for category in rubric.categories:
        for question in category.questions:
            if not question.catches:
                yield document.finding(
                    f"{question.id} catches no documented failure",
                    "add “- Catches: FM…”, or drop it: a question costs a look at every row",
                    question.id,
                )
        for one, other in combinations(category.questions, 2):
            share = overlap(one.text, other.text)
            if share >= SAME:
                reason = f"share {share:.0%} of their words"
            elif one.catches and set(one.catches) == set(other.catches):
                reason = f"catch exactly the same ({', '.join(one.catches)})"
            else:
                continue
            yield document.finding(
                f"{one.id} and {other.id} {reason}", "could a reply pass one and fail the other? If not, merge them", other.id
            )


def goals_served(documents: Documents) -> Iterable[Finding]:
    """There are goals of the user's experience, each served by a category, and every weighted category serves one."""
    document, rubric = _rubric(documents)
    goals = {goal.id: goal.text for goal in rubric.goals}
    if not goals:
        yield document.finding(
            "no goals", "begin with what the user should experience: “## Goals”, “- G1: The user feels understood.”", "goals"
        )
    served = {goal for category in rubric.categories for goal in category.serves}
    for goal, text in goals.items():
        if goal not in served:
            yield document.finding(
                f"no category serves {goal} “{text}”", f"add “- Serves: {goal}” to one, or drop the goal", goal
            )
    for category in rubric.categories:
        if goals and not category.serves and not category.gate:
            yield document.finding(f"“{category.name}” serves no goal", "add “- Serves: G…”, or drop it", _place(category))
        for goal in category.serves:
            if goal not in goals:
                yield document.finding(
                    f"“{category.name}” serves {goal}, which is not under Goals",
                    "name a goal that stands there",
                    _place(category),
                )


def terms_defined(documents: Documents) -> Iterable[Finding]:
    """Words on which readers would differ are defined under Terms."""
    document, rubric = _rubric(documents)
    need_english(documents)
    terms = [term.name.casefold() for term in rubric.terms if term.meaning.strip()]
    for _, question in _judged(rubric):
        for word, instead in vague_words(question.text):
            if not any(term[:5] == word.casefold()[:5] or word.casefold() in term for term in terms):
                yield document.finding(
                    f"{question.id} rests on “{word}”, which Terms does not define",
                    f"define it there, or ask for what one would see: “{instead}”",
                    question.id,
                )


def pairs_apart(documents: Documents) -> Iterable[Finding]:
    """For every two questions of a category, an example or ruling passes one and fails the other."""
    document, rubric = _rubric(documents)
    for category in rubric.categories:
        together = [f"{one}/{other}" for one, other in undistinguished(category, rubric.examples)]
        if together:
            yield document.finding(
                f"no example tells apart {', '.join(together)} (“{category.name}”)",
                f"add a ruling to {together[0].partition('/')[0]} that the other question answers the other way, ending with "
                f"“Unlike: {together[0].rpartition('/')[2]}”",
                _place(category),
            )
