"""What is said beside the pass rate: N/A, thin verdicts, special cases, evidence, and the habits of the replies."""

from __future__ import annotations

from typing import Any

import msgspec

from finetune_prep.core.conversation import Conversation, Message
from finetune_prep.core.rubric import Category, Question, Rubric
from finetune_prep.core.sample import Sample
from finetune_prep.exports.figures import figures_of, in_sentences
from finetune_prep.exports.talks.row import Row
from tests.exports.samples import SCENARIOS

RUBRIC = Rubric(
    title="R",
    threshold=0.75,
    categories=(
        Category(name="Gate", weight=None, questions=(Question(id="GT1", text="?", yes="y", no="n"),)),
        Category(
            name="Fit", weight=1.0, questions=tuple(Question(id=f"FT{n}", text="?", yes="y", no="n", na="x") for n in (1, 2, 3))
        ),
    ),
)
ORDER = [question.id for question in RUBRIC.questions]


def row(answers: str, reply: str = "It leaves today.", *, failed: tuple[str, ...] = (), **fields: Any) -> Row:
    """answers: y, n, - (N/A) or ? (missing) for GT1, FT1, FT2, FT3."""
    given = dict(zip(ORDER, ({"y": "yes", "n": "no", "-": "na", "?": None}[one] for one in answers), strict=True))
    talk = Conversation((Message("user", "Where is my bowl now?"), Message("assistant", reply)))
    sample = Sample(scenario=SCENARIOS[0], state="accepted", conversation=talk, score=1.0, failed=failed)
    return Row(sample=sample, answers=given, **fields)


def said(*rows: Row, few_shots: Any = ()) -> str:
    return "\n".join(in_sentences(figures_of(RUBRIC, rows, few_shots)))


def test_the_share_of_na_and_the_median_conversation() -> None:
    assert "17% of the answers are N/A; in the median conversation, 75% of the questions apply.\n" in said(
        row("yyy-"), row("yyy-"), row("yyyy")
    )
    assert "apply. Broader questions would decide more." in said(row("yy--"), row("yyy-"))


def test_a_verdict_that_could_not_be_read_is_in_no_share() -> None:
    assert "25% of the answers are N/A" in said(row("yyy-"), row("????"))
    assert "N/A" not in said(row("????"))


def test_thin_verdicts_are_counted() -> None:
    assert "1 judged conversation is thin: a single question decided a category.\n" in said(row("yy--"), *[row("yyyy")] * 9)
    text = said(row("yy--"), row("yn--"), row("yyyy"))
    assert "2 judged conversations are thin: a single question decided a category. Too many categories depend on one" in text
    assert " thin" not in said(row("yyy-"))


def test_only_what_the_case_alone_rejects_is_counted_apart() -> None:
    text = said(row("yyyy", failed=("CASE",)), row("nyyy", failed=("GT1", "CASE")), row("yyyy"))
    assert "1 was rejected only because the assistant did not do what the special case requires." in text
    low = msgspec.structs.replace(row("ynnn", failed=("FT1", "CASE")).sample, score=0.2)
    assert "special case" not in said(Row(sample=low))


def test_answers_without_their_quote_are_counted() -> None:
    assert "1 answer lacks a quote from the conversation." in said(row("yyyy", unsupported=("FT1",)))
    assert "2 answers lack a quote from the conversation." in said(row("yyyy", unsupported=("FT1", "FT2")))


def test_habits_are_named_with_the_few_shots_that_show_them() -> None:
    shot = Conversation((Message("user", "Hi"), Message("assistant", "We look into it. It is your call now.")))
    text = said(
        row("yyyy", "The green bowl left. It is your call now."),
        row("yyyy", "Your cup is packed. That is your call now."),
        row("yyyy", "Tomorrow. What else can I do for you?"),
        few_shots=[("X1", shot), ("X2", row("yyyy").sample.conversation)],
    )
    assert "67% of the replies end with “your call now”. Few-shot X1 teaches the model this habit." in text
    assert "and 33% end with a question." in text
    assert "begin with" not in text


def test_a_habit_that_no_few_shot_shows_names_none() -> None:
    text = said(*[row("yyyy", "It leaves today. Which one is it?")] * 2)
    assert "100% of the replies begin with “it leaves today”.\n" in text
    assert "and 100% end with a question." in text
    assert text.count("a question") == 1


def test_a_closing_question_that_few_shots_teach_is_counted_once() -> None:
    asks = Conversation((Message("user", "Hi"), Message("assistant", "It leaves today. Which one is it?")))
    text = said(
        *[row("yyyy", f"{day} it leaves. {which}?") for day, which in (("Today", "This one"), ("Tomorrow", "The blue one"))],
        few_shots=[("X3", asks), ("X4", asks)],
    )
    assert text.count("100%") == 1 + text.count("of the questions apply")
    assert "and 100% end with a question.\nFew-shots X3 and X4 teach the model this habit." in text


def test_a_question_that_is_taken_to_apply_always_and_seldom_does_is_named() -> None:
    rows = [row("yyy-"), row("yyy-"), row("yyyy")]
    assert "FT3 was N/A in 67%, although it should always apply" in said(*rows)
    fit = RUBRIC.categories[1]
    told = msgspec.structs.replace(fit, questions=(*fit.questions[:2], msgspec.structs.replace(fit.questions[2], applies="TP1")))
    rubric = msgspec.structs.replace(RUBRIC, categories=(RUBRIC.categories[0], told))
    assert "FT3" not in "\n".join(in_sentences(figures_of(rubric, rows)))
