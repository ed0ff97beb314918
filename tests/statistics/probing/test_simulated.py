"""Simulated questions whose eyes are known: they get the words that they should.

1,000 of each under FINETUNE_PREP_SOAK=1, a small fixed sample in the everyday suite.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from finetune_prep.statistics.probing.plan import breaking
from finetune_prep.statistics.probing.words import Count, Word, alarms_easily, mixed_with, word_of
from tests.soak import SOAK
from tests.statistics.probing.test_plan import talk
from tests.statistics.simulated import dice, slack

QUESTIONS = 1000 if SOAK else 100
VALID = 0.85  # share of edits that a verifier finds to be what they were to be
TALKS = tuple(talk(number) for number in range(24))
GATE_AND_OTHERS = [(True, 16), (True, 25), (True, 34), (False, 6), (False, 11)]


def words(sees: float, *, gate: bool, wanted: int, valid: float = VALID, rerun: float = 0.0) -> Counter[Word]:
    """The words of simulated questions that see this share of faults. rerun: how often a judge says NO for no reason."""
    chance: Any = dice(sees, gate, wanted, valid, rerun)
    found: Counter[Word] = Counter()
    edits = breaking("Q", ("DO1",), TALKS, wanted)
    for _ in range(QUESTIONS):
        counting = [edit for edit in edits if chance.random() < valid][:wanted]
        seen = sum(chance.random() < max(sees, rerun) for _ in counting)
        found[word_of(seen, len(counting), gate=gate, wanted=wanted)] += 1
    return found


@pytest.mark.parametrize(("gate", "wanted"), GATE_AND_OTHERS)
@pytest.mark.parametrize("rerun", [0.0, 0.1])
def test_a_question_that_sees_nothing_is_never_said_to_see(gate: bool, wanted: int, rerun: float) -> None:
    found = words(0.0, gate=gate, wanted=wanted, rerun=rerun)
    assert found["sees"] == 0
    if not rerun:
        assert found["blind"] >= (0.95 - slack(0.95, QUESTIONS)) * QUESTIONS


@pytest.mark.parametrize(("gate", "wanted"), GATE_AND_OTHERS)
def test_a_question_that_sees_everything_is_never_called_blind(gate: bool, wanted: int) -> None:
    found = words(1.0, gate=gate, wanted=wanted)
    assert found["blind"] == 0
    assert found["sees"] >= (0.95 - slack(0.95, QUESTIONS)) * QUESTIONS


@pytest.mark.parametrize(
    ("gate", "wanted", "fewest"), [(True, 16, 0.68), (True, 25, 0.88), (True, 34, 0.95), (False, 6, 0.86), (False, 11, 0.95)]
)
def test_larger_plans_forgive_a_question_that_misses_one_in_fifty(gate: bool, wanted: int, fewest: float) -> None:
    """Of questions that see .98, chance alone lets so many see: .72, .91, .97 on the gate, .89, .98 elsewhere."""
    found = words(0.98, gate=gate, wanted=wanted, valid=1.0)
    assert found["sees"] >= (fewest - slack(fewest, QUESTIONS)) * QUESTIONS
    assert found["blind"] == 0


def test_a_question_that_sees_half_is_seldom_said_to_see() -> None:
    """.5 ** 6 = 1.6% elsewhere, one in 65,000 on the gate."""
    assert words(0.5, gate=False, wanted=6)["sees"] <= (0.03 + slack(0.016, QUESTIONS)) * QUESTIONS
    assert words(0.5, gate=True, wanted=16)["sees"] == 0


def test_a_question_that_cannot_be_broken_is_not_measured() -> None:
    assert words(1.0, gate=True, wanted=16, valid=0.1) == {"not measured": QUESTIONS}


def test_few_sound_questions_are_accused_of_alarms() -> None:
    """As many NOs for no reason on neutral edits as when asking again: one in ten, as re-runs of sound judges flip."""
    chance: Any = dice("alarms")
    accused = sum(
        alarms_easily(Count(int(chance.binomial(24, 0.1)), 24), Count(int(chance.binomial(24, 0.1)), 24))
        for _ in range(QUESTIONS)
    )
    assert accused <= (0.05 + slack(0.05, QUESTIONS)) * QUESTIONS
    jumpy = sum(
        alarms_easily(Count(int(chance.binomial(24, 0.6)), 24), Count(int(chance.binomial(24, 0.05)), 24))
        for _ in range(QUESTIONS)
    )
    assert jumpy >= (0.95 - slack(0.95, QUESTIONS)) * QUESTIONS


@pytest.mark.parametrize("rerun", [0.0, 0.02, 0.1])
def test_planted_halos_are_found_and_no_others(rerun: float) -> None:
    """24 edits of a question; one other falls with it nine times of ten, sixteen fall by chance alone, as they do at rest."""
    chance: Any = dice("halo", rerun)
    found = wrong = 0
    for _ in range(QUESTIONS):
        at_rest = {f"Q{n}": Count(int(chance.binomial(48, rerun)), 48) for n in range(17)}
        flips = {"Q0": Count(int(chance.binomial(24, 0.9)), 24)}
        flips |= {f"Q{n}": Count(int(chance.binomial(24, rerun)), 24) for n in range(1, 17)}
        accused = mixed_with(flips, at_rest)
        found += "Q0" in accused
        wrong += len(accused) - ("Q0" in accused) > 0
    assert found >= (0.95 - slack(0.95, QUESTIONS)) * QUESTIONS
    assert wrong <= (0.05 + slack(0.05, QUESTIONS)) * QUESTIONS
