"""How steady a judge is: small readings by hand, intervals against references, and judges whose noise is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from finetune_prep.core.measures import parse_rule
from finetune_prep.core.rubric import Category, Question, Rubric
from finetune_prep.statistics.judging.noise import Said, clustered, in_words, noise, steadiness
from tests.soak import SOAK
from tests.statistics.simulated import dice, slack
from tests.statistics.test_rubric_health import rows, rubric_of

REPETITIONS = 4000 if SOAK else 200


def pairs(first: list[str], second: list[str]) -> list[tuple[Said, Said]]:
    return [(Said(one), Said(other)) for one, other in zip(rows(*first), rows(*second), strict=True)]


def test_answers_decisions_and_questions_by_hand() -> None:
    """Of four conversations one fails by the gate the second time, and one passes after all; three of 16 answers are others."""
    found = noise(rubric_of(1, 3), pairs(["yyyy", "yyyy", "ynny", "yyyy"], ["yyyy", "nyyy", "yyyy", "yyyy"]), judge="larch-1")
    assert (found.n, found.answers, found.changed, found.same.value) == (4, 16, 3, 13 / 16)
    assert (found.decisions.k, found.decisions.n, found.to_fail) == (2, 4, 1)
    assert [(question.id, question.gate, question.flips.k) for question in found.questions] == [
        ("Q0", True, 1), ("Q1", False, 1), ("Q2", False, 1), ("Q3", False, 0),
    ]  # fmt: skip
    low, high = proportion_confint(2, 4, method="beta")
    assert (found.decisions.low, found.decisions.high) == pytest.approx((low, high))


def test_a_special_case_that_was_met_once_changes_the_decision() -> None:
    (answers,) = rows("yyyy")
    found = noise(rubric_of(1, 3), [(Said(answers, "yes"), Said(answers, "no"))])
    assert (found.decisions.k, found.to_fail, found.changed) == (1, 1, 0)


def test_what_a_program_measures_cannot_change_and_is_left_out() -> None:
    questions = (Question(id="Q1", text="?"), Question(id="Q2", text="?", measured=parse_rule("words per reply <= 40")))
    rubric = Rubric(title="R", threshold=0.5, categories=(Category(name="C", weight=1.0, questions=questions),))
    found = noise(rubric, pairs(["yy", "yn"], ["ny", "yn"]))
    assert ([question.id for question in found.questions], found.answers) == (["Q1"], 2)


def test_nothing_read_twice_says_nothing() -> None:
    found = noise(rubric_of(1, 3), [], unread=2, waiting=1)
    assert (found.drawn, found.n, found.same.value, found.questions) == (3, 0, None, ())
    assert in_words(found) == ("Judged twice: none yet (1 outstanding, 2 without a second verdict that counts).",)


@pytest.mark.parametrize(
    ("flips", "n", "word", "more"),
    [(0, 28, "too few to say", 1), (0, 29, "steady", 0), (0, 10, "too few to say", 19), (1, 46, "steady", 0),
     (6, 10, "noisy", 0), (2, 10, "too few to say", 0), (4, 12, "noisy", 0), (3, 12, "too few to say", 0), (1, 20, "too few to say", 26)],
)  # fmt: skip
def test_noisy_steady_or_too_few(flips: int, n: int, word: str, more: int) -> None:
    """The words rest on one-sided exact bounds, here from scipy: above .10 for certain, below it for certain, or neither."""
    assert steadiness(flips, n) == (word, more)
    low = stats.beta.ppf(0.05, flips, n - flips + 1) if flips else 0.0
    high = stats.beta.ppf(0.95, flips + 1, n - flips)
    assert (low > 0.1, high < 0.1) == (word == "noisy", word == "steady")
    if more:
        assert stats.beta.ppf(0.95, flips + 1, n + more - flips) < 0.1 <= stats.beta.ppf(0.95, flips + 1, n + more - 1 - flips)


def test_the_interval_of_all_answers_rests_on_conversations() -> None:
    """Where all answers of a conversation go together it is the exact interval of the conversations; 18 times the answers add none."""
    low, high = proportion_confint(9, 10, method="beta")
    together = clustered(9 * 18, 10 * 18, 10)
    assert (together.low, together.high, together.n) == (pytest.approx(low), pytest.approx(high), 10)
    seen = 10 * 173 / 180  # between two counts it lies where scipy's Beta puts it
    found = clustered(173, 180, 10)
    assert found.low == pytest.approx(stats.beta.ppf(0.025, seen, 11 - seen))
    assert found.high == pytest.approx(stats.beta.ppf(0.975, seen + 1, 10 - seen))


@pytest.mark.parametrize("share", [0.0, 0.02, 0.2])
def test_planted_noise_is_found_and_steady_questions_are_spared(share: float) -> None:
    """A question that flips in 40% is called noisy at 30 conversations in 95%; one that flips in 0, 2 or 20% is hardly ever where
    it is not above .10; and the intervals hold the truth, although some conversations are harder than others.
    """
    chance, n, questions = dice(share), 30, 12
    found = accused = held = 0
    rubric = rubric_of(2, questions - 2)
    for _ in range(REPETITIONS):
        hard = chance.beta(1, 4, n) * 5 if share else np.ones(n)  # mean 1: in some conversations nearly everything may flip
        rates = np.minimum(np.outer(hard, np.full(questions, share)), 1)
        rates[:, -1] = 0.4
        flipped = chance.random((n, questions)) < rates
        second = ["".join("n" if flip else "y" for flip in row) for row in flipped]
        result = noise(rubric, pairs(["y" * questions] * n, second))
        found += result.questions[-1].word == "noisy"
        accused += result.questions[0].word == "noisy"
        truth = 1 - float(rates.mean())
        held += result.same.low <= truth <= result.same.high
    print(f"flips {share}: found {found / REPETITIONS:.3f}, accused {accused / REPETITIONS:.3f}, held {held / REPETITIONS:.3f}")
    assert found / REPETITIONS >= 0.95 - slack(0.95, REPETITIONS)
    assert held / REPETITIONS >= 0.95 - slack(0.95, REPETITIONS)
    if share <= 0.1:
        assert accused / REPETITIONS <= 0.05 + slack(0.05, REPETITIONS)


def test_what_few_conversations_cannot_say_is_said() -> None:
    said = " ".join(in_words(noise(rubric_of(1, 3), pairs(["yyyy"] * 10, ["yyyy"] * 10), judge="larch-1")))
    assert said.startswith(
        "Judged twice by larch-1: 10 conversations. 40 of 40 answers were the same (100%, 95% interval 69% to 100%)"
    )
    assert "0 of 10 changed between pass and fail (95% interval 0% to 31%)" in said
    assert said.endswith("10 are too few to say whether any question is noisy; 29 without a change show that one is not.")
    noisy = " ".join(in_words(noise(rubric_of(1, 3), pairs(["yyyy"] * 30, ["yyyn"] * 15 + ["yyyy"] * 15))))
    assert "Q3 is noisy: answered differently in 15 of 30 (95% interval 31% to 69%)." in noisy
    assert "too few" not in noisy
