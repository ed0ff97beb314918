"""Health of a rubric: small answers by hand, and rubrics with planted faults among sound questions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from finetune_prep.core.rubric import Category, Question, Rubric, YesNo
from finetune_prep.statistics.rubric_health import RubricHealth, liveliness, rubric_health
from finetune_prep.statistics.scoring import Answers
from tests.soak import SOAK
from tests.statistics.simulated import dice, slack

REPETITIONS = 4000 if SOAK else 60
SOUND = (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.9, 0.95, 0.95, 0.95)  # rates of YES of the sound questions; the first two are the gate
PLANTED = ("dead", "dead NO", "reversed", "copy", "noisy")
CONVERSATIONS, REPEATS = 100, 20


def rubric_of(gate: int, others: int) -> Rubric:
    questions = [Question(id=f"Q{number}", text="?", na="never") for number in range(gate + others)]
    categories = [Category(name="Gate", weight=None, questions=tuple(questions[:gate]))] if gate else []
    return Rubric(
        title="R", threshold=0.75, categories=(*categories, Category(name="Rest", weight=1.0, questions=tuple(questions[gate:])))
    )


def rows(*texts: str) -> list[Answers]:
    said: dict[str, YesNo | None] = {"y": "yes", "n": "no", "-": "na", "?": None}
    return [tuple(said[sign] for sign in text) for text in texts]


def test_counts_by_hand() -> None:
    health = rubric_health(rubric_of(1, 3), rows("yyyy", "yyn-", "nyyy", "y?yy"))
    gate, first, second, third = health.questions
    assert (health.conversations, health.complete, health.repeats) == (4, 3, 0)
    assert (gate.yes.k, gate.yes.n, gate.life, gate.more) == (3, 4, "gate", 0)
    assert (first.yes.k, first.yes.n, first.missing) == (3, 3, 1)
    assert (second.yes.k, second.yes.n) == (3, 4)
    assert (third.na, third.missing, third.flips, third.noisy) == (1, 0, None, False)


def test_a_question_that_decides_alone() -> None:
    """The second fails by Q2 alone; so does the third by the gate, Q0."""
    health = rubric_health(rubric_of(1, 3), rows("yyyy", "yyny", "nyyy"))
    assert [question.deciding for question in health.questions] == [1, 0, 1, 0]


def test_a_second_reading_that_differs() -> None:
    readings = rows(*["yyyy"] * 20)
    again = rows(*["yyyn"] * 10, *["yyyy"] * 9, "yy?y")
    last = rubric_health(rubric_of(1, 3), readings, list(zip(readings, again, strict=True))).questions
    assert [(question.flips.k, question.flips.n) for question in last if question.flips] == [(0, 20), (0, 20), (0, 19), (10, 20)]
    assert [question.noisy for question in last] == [False, False, False, True]


@pytest.mark.parametrize(
    ("yes", "n", "life", "more"),
    [
        (100, 100, "dead", 0),
        (0, 100, "dead", 0),
        (20, 20, "too few to say", 39),  # 59 alike leave less than .05 for the other answer
        (99, 100, "dead", 0),
        (98, 100, "too few to say", 24),
        (90, 100, "alive", 0),
        (50, 100, "alive", 0),
        (0, 0, "too few to say", 59),
    ],
)
def test_what_tells_nothing_apart(yes: int, n: int, life: str, more: int) -> None:
    assert liveliness(yes, n) == (life, more)


def test_one_odd_conversation_makes_no_twins() -> None:
    """Phi is 1 for two questions that both fail the same one conversation."""
    health = rubric_health(rubric_of(0, 3), rows(*["yyy"] * 99, "nny"))
    assert health.redundant == ()


@pytest.mark.parametrize(("pairs", "accused"), [(4, False), (10, True)])
def test_a_handful_of_conversations_accuses_no_question(pairs: int, accused: bool) -> None:
    first, *_ = rubric_health(rubric_of(0, 3), rows(*["nyy", "ynn"] * pairs)).questions
    assert first.reversed == accused


def test_nothing_was_answered() -> None:
    health = rubric_health(rubric_of(1, 2), [])
    assert [question.yes.value for question in health.questions] == [None] * 3
    assert not any(question.reversed or question.noisy for question in health.questions)


def answers(chance: np.random.Generator, rates: tuple[float, ...]) -> np.ndarray:
    """YES where the quality of the conversation and chance together are above what the question asks for."""
    quality = chance.normal(size=(CONVERSATIONS, 1))
    luck = chance.normal(size=(CONVERSATIONS, len(rates)))
    cuts = [float(np.quantile(_NORMAL, 1 - rate)) for rate in rates]
    return np.asarray(0.65 * quality + np.sqrt(1 - 0.65**2) * luck > cuts)


_NORMAL = np.sort(dice("normal").normal(size=400_000))


def planted(number: int) -> RubricHealth:
    """Ten sound questions; then one always YES, one never, one the wrong way round, a copy of a sound one, one answered by a coin."""
    chance = dice("planted", number)
    sound = answers(chance, (*SOUND, 0.7))
    noise = chance.random(CONVERSATIONS) < 0.005
    coin = chance.random(CONVERSATIONS) < 0.5
    columns = [
        *sound[:, :10].T,
        np.ones(CONVERSATIONS, bool),
        np.zeros(CONVERSATIONS, bool),
        ~sound[:, 10],
        sound[:, 2] ^ noise,
        coin,
    ]
    first = np.array(columns).T
    again = first[:REPEATS] ^ (chance.random((REPEATS, len(columns))) < 0.03)  # what sound questions flip
    again[:, -1] = chance.random(REPEATS) < 0.5
    words: list[Any] = [[tuple("yes" if flag else "no" for flag in row) for row in table.tolist()] for table in (first, again)]
    return rubric_health(rubric_of(2, 13), words[0], list(zip(words[0][:REPEATS], words[1], strict=True)))


def test_planted_faults_are_found_and_sound_questions_left_alone() -> None:
    found = dict.fromkeys(PLANTED, 0)
    accused = np.zeros(10)
    for number in range(REPETITIONS):
        health = planted(number)
        dead, never, reversed_, _, noisy = health.questions[10:]
        twins = {(twin.one, twin.other) for twin in health.redundant}
        found["dead"] += dead.life == "dead"
        found["dead NO"] += never.life == "dead"
        found["reversed"] += reversed_.reversed
        found["copy"] += ("Q2", "Q13") in twins
        found["noisy"] += noisy.noisy
        wrong = {id for pair in twins - {("Q2", "Q13")} for id in pair}
        for place, question in enumerate(health.questions[:10]):
            accused[place] += question.life == "dead" or question.reversed or question.noisy or question.id in wrong
    print({name: count / REPETITIONS for name, count in found.items()}, (accused / REPETITIONS).tolist())
    assert min(found.values()) / REPETITIONS >= 0.95 - slack(0.95, REPETITIONS)
    assert max(accused) / REPETITIONS <= 0.05 + slack(0.05, REPETITIONS)
