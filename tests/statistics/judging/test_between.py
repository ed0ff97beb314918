"""How far two judges agree: by hand, and against scikit-learn and statsmodels on simulated judges."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import cohens_kappa

from finetune_prep.core.rubric import Rubric
from finetune_prep.statistics.judging.between import Between, Both, between, in_words
from finetune_prep.statistics.judging.noise import Said
from finetune_prep.statistics.scoring import Scoring
from tests.soak import SOAK
from tests.statistics.simulated import dice, slack
from tests.statistics.test_rubric_health import rows, rubric_of

REPETITIONS = 4000 if SOAK else 100
RUBRIC = rubric_of(1, 3)


def read(first: list[str], second: list[str], rubric: Rubric = RUBRIC) -> Between:
    both = [
        Both(f"s{place}", Said(one), Said(other))
        for place, (one, other) in enumerate(zip(rows(*first), rows(*second), strict=True))
    ]
    return between(rubric, both, first="larch-1", second="birch-2")


def test_decisions_questions_and_differences_by_hand() -> None:
    """Six conversations: two that both pass, one that both fail, a NO on the gate by each alone, and one that only the score parts."""
    found = read(["yyyy", "yyyy", "ynny", "nyyy", "yyyy", "yyyy"], ["yyyy", "yy-y", "ynny", "yyyy", "nyyy", "ynyn"])
    assert (found.n, found.both_pass, found.only_first, found.only_second) == (6, 2, 1, 2)
    assert (found.same.k, found.same.n) == (3, 6)
    assert [(one.scenario, one.why) for one in found.differ] == [
        ("s3", "the judges differ: larch-1 alone says NO to Q0"),
        ("s4", "the judges differ: birch-2 alone says NO to Q0"),
        ("s5", "the judges differ: birch-2 alone fails it"),
    ]
    gate, first, second, third = found.questions
    assert (gate.gate, gate.only_first, gate.only_second, gate.same.k) == (True, 1, 1, 4)
    assert (first.only_second, second.same.k, second.only_second, third.only_second) == (1, 5, 0, 1)
    expected = cohen_kappa_score([1, 1, 0, 0, 1, 1], [1, 1, 0, 1, 0, 0])
    assert found.kappa.value == pytest.approx(expected)


def test_a_special_case_counts_as_it_does_for_the_row() -> None:
    (answers,) = rows("yyyy")
    found = between(RUBRIC, [Both("s", Said(answers, "yes"), Said(answers, "no"))], first="A", second="B")
    assert (found.only_second, found.differ[0].why) == (1, "the judges differ: B alone fails it")


@pytest.mark.parametrize("seed", range(20))
def test_kappa_of_passing_and_of_each_question_is_the_literatures(seed: int) -> None:
    chance = dice("two judges", seed)
    given = [["".join(chance.choice([*"yyn-"], 4)) for _ in range(40)] for _ in range(2)]
    found = read(*given)
    scoring = Scoring(RUBRIC)
    passed = [[scoring.passed(answers) for answers in rows(*said)] for said in given]
    table = np.array(
        [[sum((a, b) == (x, y) for a, b in zip(*passed, strict=True)) for y in (True, False)] for x in (True, False)]
    )
    if table.sum(axis=0).all() and table.sum(axis=1).all():
        known = cohens_kappa(table)
        assert found.kappa.value == pytest.approx(known.kappa) == pytest.approx(cohen_kappa_score(*passed))
        if table.all():
            assert found.kappa.low == pytest.approx(max(-1, known.kappa - 1.959964 * known.std_kappa), abs=1e-4)
    for place, question in enumerate(found.questions):
        noes = [[said[place] == "n" for said in judge] for judge in given]
        assert question.kappa.value == pytest.approx(cohen_kappa_score(*noes))
        assert question.same.k == sum(a[place] == b[place] for a, b in zip(*given, strict=True))


def test_the_interval_of_kappa_holds_what_two_judges_of_known_quality_have() -> None:
    """A judge that is right in 90% and one in 80%, of 40 conversations of which 70% are good."""
    chance, n, good = dice("kappa of two judges"), 40, 0.7
    sides = (True, False)
    p = {
        (x, y): sum(share * _right(0.9, x, truth) * _right(0.8, y, truth) for truth, share in ((True, good), (False, 1 - good)))
        for x in sides
        for y in sides
    }
    agreed, by_chance = p[True, True] + p[False, False], 0.0
    for side in sides:
        by_chance += (p[side, True] + p[side, False]) * (p[True, side] + p[False, side])
    truth = (agreed - by_chance) / (1 - by_chance)
    held = 0
    for _ in range(REPETITIONS):
        sound = chance.random(n) < good
        said = [
            ["yyyy" if passed else "nyyy" for passed in np.where(chance.random(n) < right, sound, ~sound)] for right in (0.9, 0.8)
        ]
        found = read(*said).kappa
        held += found.low <= truth <= found.high
    print(f"kappa {truth:.3f}, held in {held / REPETITIONS:.3f}")
    assert held / REPETITIONS >= 0.92 - slack(0.92, REPETITIONS)


def _right(share: float, said: bool, truth: bool) -> float:
    return share if said == truth else 1 - share


def test_what_is_told_and_what_few_cannot_say() -> None:
    said = " ".join(in_words(read(["yyyy"] * 8 + ["nyyy"], ["yyyy"] * 7 + ["nyyy"] * 2)))
    assert said.startswith(
        "birch-2, the second judge, has read 9 of 9 conversations. Both pass 7 and fail 1; larch-1 alone fails 0, birch-2 alone 1."
    )
    assert "They agree in 8 of 9 (89%, 95% interval 52% to 100%), kappa 0.61 (" in said
    assert "9 are too few to say that they agree beyond chance" in said
    assert "Where both have read a conversation, a NO of either counts." in said
    assert "They differ most often on Q0 (1 of 9)." in said
    assert said.endswith("They differ on the safety gate or on passing in 1 conversation: a person should read it.")
    alike = " ".join(in_words(read(["yyyy"] * 9, ["yyyy"] * 9)))
    assert "kappa means nothing where one of them passes all, or none" in alike
    assert "a person should read" not in alike
