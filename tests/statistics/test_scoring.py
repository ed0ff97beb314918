"""Scoring many sets of answers gives what `score` gives for each, and names the questions that decide alone."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from finetune_prep.core.rubric import Category, Question, Rubric, YesNo, score
from finetune_prep.core.verdict import thin
from finetune_prep.statistics.scoring import Scoring
from tests.soak import examples

laws = settings(max_examples=examples(100))


@st.composite
def rubrics(draw: st.DrawFn) -> Rubric:
    categories = []
    for number in range(draw(st.integers(1, 4))):
        questions = tuple(Question(id=f"C{number}{place}", text="?") for place in range(1, 1 + draw(st.integers(1, 4))))
        weight = draw(st.sampled_from([None, 0.1, 0.25, 0.3, 0.5]))
        categories.append(Category(name=f"Category {number}", weight=weight, questions=questions))
    threshold = draw(st.sampled_from([0.5, 0.7, 0.75, 0.8, 1.0]))
    return Rubric(title="R", threshold=threshold, categories=tuple(categories), na_counts=draw(st.booleans()))


@st.composite
def answered(draw: st.DrawFn) -> tuple[Rubric, tuple[YesNo, ...]]:
    rubric = draw(rubrics())
    answer = st.sampled_from(["yes", "yes", "no", "na"])
    return rubric, tuple(draw(answer) for _ in rubric.questions)  # type: ignore[misc]


def without(rubric: Rubric, id: str) -> Rubric:
    left = tuple(
        structs.replace(category, questions=tuple(question for question in category.questions if question.id != id))
        for category in rubric.categories
    )
    return structs.replace(rubric, categories=left)


@laws
@given(answered())
def test_it_is_the_score_of_each(case: tuple[Rubric, tuple[YesNo, ...]]) -> None:
    rubric, answers = case
    known = score(rubric, dict(zip([question.id for question in rubric.questions], answers, strict=True)))
    assert Scoring(rubric).value(answers) == known.value
    assert Scoring(rubric).passed(answers) == known.passed
    assert Scoring(rubric).decide(answers)[:2] == (known.value, known.passed)


@laws
@given(answered())
def test_a_question_decides_if_leaving_it_out_turns_the_verdict(case: tuple[Rubric, tuple[YesNo, ...]]) -> None:
    rubric, answers = case
    given_answers = dict(zip([question.id for question in rubric.questions], answers, strict=True))
    passed = score(rubric, given_answers).passed
    turned = [
        place
        for place, question in enumerate(rubric.questions)
        if score(without(rubric, question.id), given_answers).passed != passed
    ]
    assert sorted(Scoring(rubric).decide(answers).deciding) == turned


@laws
@given(answered())
def test_a_conversation_is_thin_where_a_category_of_it_is(case: tuple[Rubric, tuple[YesNo, ...]]) -> None:
    rubric, answers = case
    by_id = {question.id: answer for question, answer in zip(rubric.questions, answers, strict=True)}
    found = Scoring(rubric).applied([answers])
    assert found is not None
    assert found.thin == bool(thin(rubric, by_id))
    assert found.na == answers.count("na") / len(answers) == pytest.approx(1 - found.median)


def test_how_far_a_rubric_applied_is_counted_over_all_its_verdicts() -> None:
    rubric = Rubric(
        title="R",
        threshold=0.75,
        categories=(
            Category(name="Fit", weight=1.0, questions=tuple(Question(id=f"FT{n}", text="?") for n in (1, 2, 3))),
            Category(name="Gate", weight=None, questions=(Question(id="GT1", text="?"),)),
        ),
    )
    found = Scoring(rubric).applied([("yes", "yes", "yes", "no"), ("yes", "yes", "na", "na"), ("na", "yes", "no", "yes")])
    assert found == (3, 0.25, 0.75, 1)
    assert Scoring(rubric).applied([]) is None
