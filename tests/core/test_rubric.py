"""The score: a safety NO always fails, N/A leaves the denominator, missing is not NO, and a YES never costs anything."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finetune_prep.core.knowledge import FailureMode, Knowledge, Severity
from finetune_prep.core.measures import parse_rule
from finetune_prep.core.rubric import Category, Goal, Question, Rubric, Ruling, Term, YesNo, accepted, score, undistinguished
from tests.soak import examples

laws = settings(max_examples=examples(40))
Answers = dict[str, YesNo]


def category(name: str, code: str, weight: float | None, size: int) -> Category:
    questions = tuple(
        Question(id=f"{code}{n}", text=f"Is {code}{n} so?", yes="so", no="not so", na="never asked") for n in range(1, size + 1)
    )
    return Category(name=name, weight=weight, questions=questions)


def rubric_of(*weights: float, threshold: float = 0.75, na_counts: bool = False) -> Rubric:
    """Categories A, B, … of two questions each with these weights, and a safety gate of two that stands last."""
    weighted = [category(chr(65 + n), chr(65 + n) * 2, weight, 2) for n, weight in enumerate(weights)]
    return Rubric(title="R", threshold=threshold, na_counts=na_counts, categories=(*weighted, category("Safety", "SF", None, 2)))


@st.composite
def judged(draw: st.DrawFn) -> tuple[Rubric, Answers]:
    weights = draw(st.lists(st.floats(0.01, 1.0), min_size=1, max_size=4))
    rubric = rubric_of(*weights, threshold=draw(st.sampled_from([0.7, 0.75, 0.8])), na_counts=draw(st.booleans()))
    answers: Answers = {question.id: draw(st.sampled_from(["yes", "no", "na"])) for question in rubric.questions}
    return rubric, answers


def all_yes(rubric: Rubric, **others: YesNo) -> Answers:
    answers: Answers = {question.id: "yes" for question in rubric.questions}
    return answers | others


RUBRIC = rubric_of(0.5, 0.3, 0.2)


@laws
@given(judged(), st.data())
def test_turning_a_no_into_a_yes_never_lowers_the_score_and_never_fails_what_passed(
    case: tuple[Rubric, Answers], data: st.DataObject
) -> None:
    rubric, answers = case
    mended = data.draw(st.sampled_from(sorted(answers)))
    better: Answers = answers | {mended: "yes"} if answers[mended] == "no" else answers
    before, after = score(rubric, answers), score(rubric, better)
    assert after.passed >= before.passed
    if before.value is not None:
        assert after.value is not None
        assert after.value >= before.value - 1e-12


@laws
@given(judged())
def test_a_score_lies_between_zero_and_one_and_agrees_with_what_it_says(case: tuple[Rubric, Answers]) -> None:
    rubric, answers = case
    result = score(rubric, answers)
    assert result.value is None or 0 <= result.value <= 1
    assert set(result.failed) == {question for question, answer in answers.items() if answer == "no"}
    assert set(result.safety_failed) <= set(result.failed)
    if result.passed:
        assert result.value is not None
        assert result.value >= rubric.threshold - 1e-9
        assert not result.safety_failed


@laws
@given(judged())
def test_any_safety_no_fails_whatever_the_score(case: tuple[Rubric, Answers]) -> None:
    rubric, answers = case
    result = score(rubric, answers | {"SF2": "no"})
    assert not result.passed
    assert "SF2" in result.safety_failed


@laws
@given(judged(), st.floats(0.1, 50))
def test_only_the_proportions_of_weights_count(case: tuple[Rubric, Answers], factor: float) -> None:
    rubric, answers = case
    scaled = tuple(
        msgspec.structs.replace(part, weight=None if part.weight is None else part.weight * factor) for part in rubric.categories
    )
    value = score(rubric, answers).value
    assert score(msgspec.structs.replace(rubric, categories=scaled), answers).value == pytest.approx(value, abs=1e-9)


@laws
@given(judged(), st.data())
def test_a_missing_answer_is_an_error_and_not_a_no(case: tuple[Rubric, Answers], data: st.DataObject) -> None:
    rubric, answers = case
    missing = data.draw(st.sampled_from(sorted(answers)))
    with pytest.raises(KeyError, match=missing):
        score(rubric, {question: answer for question, answer in answers.items() if question != missing})


def test_a_category_is_its_share_of_yes_and_the_score_their_weighted_mean() -> None:
    result = score(RUBRIC, all_yes(RUBRIC, AA1="no", BB1="no", BB2="no"))
    assert result.categories == {"A": 0.5, "B": 0.0, "C": 1.0}
    assert result.value == pytest.approx(0.5 * 0.5 + 0.2)
    assert result.failed == ("AA1", "BB1", "BB2")


def test_not_applicable_leaves_the_denominator() -> None:
    assert score(RUBRIC, all_yes(RUBRIC, AA1="no", AA2="na")).categories["A"] == 0.0
    assert score(RUBRIC, all_yes(RUBRIC, AA2="na")).categories["A"] == 1.0


def test_a_category_with_nothing_to_assess_leaves_the_mean_and_the_other_weights_are_renormalised() -> None:
    result = score(RUBRIC, all_yes(RUBRIC, AA1="na", AA2="na", BB1="no"))
    assert result.categories["A"] is None
    assert result.value == pytest.approx((0.3 * 0.5 + 0.2 * 1) / 0.5)


def test_where_nothing_was_assessed_there_is_no_score_and_no_pass() -> None:
    result = score(RUBRIC, dict.fromkeys(all_yes(RUBRIC), "na"))
    assert (result.value, result.passed, result.failed) == (None, False, ())


def test_a_rubric_may_say_that_not_applicable_counts_as_yes() -> None:
    counting = rubric_of(0.5, 0.5, na_counts=True)
    result = score(counting, all_yes(counting, AA1="na", AA2="no", BB1="na", BB2="na"))
    assert result.categories == {"A": 0.5, "B": 1.0}


def test_safety_questions_that_do_not_apply_do_not_fail() -> None:
    assert score(RUBRIC, all_yes(RUBRIC, SF1="na", SF2="na")).passed


def test_a_rubric_without_a_question_gives_no_score() -> None:
    assert score(Rubric(title="R", threshold=0.7), {}).value is None
    assert score(Rubric(title="R", threshold=0.7, categories=(Category(name="A", weight=1.0),)), {}).passed is False


@pytest.mark.parametrize("threshold", [0.7, 0.75, 0.8])
def test_a_score_that_equals_the_threshold_passes_however_its_sum_is_rounded(threshold: float) -> None:
    """Ten categories of .1, as many right as the threshold says: .1 + .1 + … is .7999999999999999 in binary."""
    parts = round(threshold * 20)
    rubric = Rubric(
        title="R", threshold=threshold, categories=tuple(category(f"K{n}", f"K{chr(65 + n)}", 0.05, 1) for n in range(20))
    )
    answers: Answers = {question.id: "yes" if n < parts else "no" for n, question in enumerate(rubric.questions)}
    assert score(rubric, answers).passed
    answers[rubric.questions[0].id] = "no"
    assert not score(rubric, answers).passed


def test_answers_to_questions_of_no_rubric_change_nothing() -> None:
    assert score(RUBRIC, all_yes(RUBRIC, XX1="no")) == score(RUBRIC, all_yes(RUBRIC))


def test_safety_questions_come_first_and_the_rest_in_document_order() -> None:
    assert [question.id for question in RUBRIC.questions] == ["SF1", "SF2", "AA1", "AA2", "BB1", "BB2", "CC1", "CC2"]


def test_judged_and_measured_questions_are_all_the_questions() -> None:
    measured = Question(id="LN1", text="Is every reply short?", measured=parse_rule("words per reply <= 80"))
    rubric = msgspec.structs.replace(
        RUBRIC, categories=(*RUBRIC.categories, Category(name="Length", weight=0.1, questions=(measured,)))
    )
    assert rubric.measured == (measured,)
    assert set(rubric.judged) | {measured} == set(rubric.questions)


def test_the_version_changes_with_whatever_may_change_a_verdict_or_a_score_and_with_nothing_else() -> None:
    first = RUBRIC.categories[0]
    asked_otherwise = msgspec.structs.replace(first.questions[0], yes="something else")
    ruled = msgspec.structs.replace(first.questions[0], rulings=(RULING,))
    of_absence = msgspec.structs.replace(first.questions[0], form="absence")
    applying = msgspec.structs.replace(first.questions[0], applies="TP1")
    changes: list[dict[str, object]] = [
        {"threshold": 0.7},
        {"na_counts": True},
        {"terms": (Term("Next step", "one action"),)},
        {"categories": (msgspec.structs.replace(first, weight=0.4), *RUBRIC.categories[1:])},
        *(
            {"categories": (msgspec.structs.replace(first, questions=(changed, *first.questions[1:])), *RUBRIC.categories[1:])}
            for changed in (asked_otherwise, ruled, of_absence, applying)
        ),
        {"categories": RUBRIC.categories[1:]},
    ]
    versions = {msgspec.structs.replace(RUBRIC, **change).version for change in changes}
    assert len(versions | {RUBRIC.version}) == len(changes) + 1
    assert msgspec.structs.replace(RUBRIC, title="Another", goals=(Goal("G1", "Felt heard"),)).version == RUBRIC.version
    traced = msgspec.structs.replace(first.questions[0], checks=("DO1",), catches=("FM1",))
    same = msgspec.structs.replace(first, questions=(traced, *first.questions[1:]))
    assert (
        msgspec.structs.replace(RUBRIC, categories=(same, *RUBRIC.categories[1:]), accept_passed=True).version == RUBRIC.version
    )


RULING = Ruling(answer="no", user="It broke.", assistant="Sorry.", why="Nothing is named.", unlike=("AA2",))
GRAVE: tuple[Severity, ...] = ("minor", "critical", "serious")
KNOWLEDGE = Knowledge(
    title="K",
    failure_modes=tuple(
        FailureMode(id=f"FM{n}", name="x", kind="AI", instance="x", counter="x", severity=severity)
        for n, severity in enumerate(GRAVE, 1)
    ),
)


def catching(rubric: Rubric, **catches: str) -> Rubric:
    """The rubric, its questions catching these failure modes."""
    categories = tuple(
        msgspec.structs.replace(
            part,
            questions=tuple(msgspec.structs.replace(q, catches=tuple(catches.get(q.id, "").split())) for q in part.questions),
        )
        for part in rubric.categories
    )
    return msgspec.structs.replace(rubric, categories=categories)


def test_a_question_is_as_grave_as_the_gravest_failure_that_it_catches() -> None:
    rubric = catching(RUBRIC, AA1="FM1", AA2="FM1 FM3", BB1="FM3 FM2", BB2="FM9")
    found = {question.id: rubric.gravity(question, KNOWLEDGE) for question in rubric.questions}
    assert [found[id] for id in ("AA1", "AA2", "BB1", "BB2", "CC1")] == ["minor", "serious", "critical", "minor", "minor"]
    assert rubric.grave(KNOWLEDGE) == {"AA2", "BB1"}
    assert msgspec.structs.replace(rubric, accept_passed=True).grave(KNOWLEDGE) == frozenset()


def test_accepted_is_passed_without_a_no_to_a_grave_question() -> None:
    """One serious NO may pass by the threshold, and is no training row."""
    grave = frozenset({"AA1", "SF1"})
    assert accepted(score(RUBRIC, all_yes(RUBRIC)), grave)
    assert accepted(score(RUBRIC, all_yes(RUBRIC, BB1="no")), grave)
    flawed = score(RUBRIC, all_yes(RUBRIC, AA1="no"))
    assert flawed.passed
    assert not accepted(flawed, grave)
    assert not accepted(score(RUBRIC, all_yes(RUBRIC, SF2="no")), grave)


def test_a_ruling_tells_its_question_from_those_it_is_unlike() -> None:
    part = RUBRIC.categories[0]
    assert undistinguished(part, ()) == [("AA1", "AA2")]
    ruled = msgspec.structs.replace(part.questions[0], rulings=(RULING,))
    assert undistinguished(msgspec.structs.replace(part, questions=(ruled, part.questions[1])), ()) == []


def test_to_which_topics_a_question_is_sure_to_apply() -> None:
    ask = Question(id="AA1", text="So?", yes="so", no="not so")
    assert (ask.topics, ask.applies_to("TP1")) == ((), True)
    some = msgspec.structs.replace(ask, applies="TP1, TP3")
    assert (some.topics, some.applies_to("TP1"), some.applies_to("TP2")) == (("TP1", "TP3"), True, False)
    when = msgspec.structs.replace(ask, applies="when TP1 is about money")
    assert (when.topics, when.applies_to("TP1")) == ((), False)


def test_a_judge_reads_the_rulings_and_nothing_that_is_for_gates() -> None:
    ask = Question(
        id="AA1", text="So?", yes="so", no="not so", na="never", applies="TP1", form="absence", checks=("DO1",), catches=("FM1",),
        rulings=(RULING,),
    )  # fmt: skip
    asked = ask.as_asked
    assert (asked.text, asked.na, asked.rulings[0].why, asked.rulings[0].unlike) == ("So?", "never", "Nothing is named.", ())
    assert (asked.applies, asked.form, asked.checks, asked.catches) == ("always", "presence", (), ())
