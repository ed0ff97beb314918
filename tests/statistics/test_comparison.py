"""Comparing two models: scipy and statsmodels as oracles, and equal models that must not be told apart."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar as known_mcnemar
from statsmodels.stats.multitest import multipletests

from finetune_prep.statistics.comparison import (
    FEWEST_GROUPS,
    SIGN_FLIP,
    STUDENT,
    groups_needed,
    holm,
    mcnemar,
    mean_difference,
    sign_flip,
    student,
)
from tests.soak import SOAK, examples
from tests.statistics.simulated import REPETITIONS, dice, slack

laws = settings(max_examples=examples(30), deadline=None)
lattice = st.lists(st.integers(-5, 5).map(lambda number: number / 5), min_size=FEWEST_GROUPS, max_size=10)


@laws
@given(lattice)
def test_the_sign_flip_is_scipys_permutation_test(differences: list[float]) -> None:
    whole = np.array(
        [round(5 * difference) for difference in differences]
    )  # sums without rounding: ties stay ties for scipy, too
    known = stats.permutation_test((whole,), lambda x, axis: np.sum(x, axis=axis), permutation_type="samples", vectorized=True)
    found = sign_flip(differences)
    assert found.method == SIGN_FLIP
    assert found.p == pytest.approx(known.pvalue)


@laws
@given(lattice)
def test_students_t_is_scipys(differences: list[float]) -> None:
    if len(set(differences)) > 1:
        assert student(differences).p == pytest.approx(stats.ttest_1samp(differences, 0).pvalue, abs=1e-9)
        low, high = stats.t.interval(0.95, len(differences) - 1, loc=np.mean(differences), scale=stats.sem(differences))
        found = mean_difference(differences)
        assert (found.low, found.high) == pytest.approx((max(-1, low), min(1, high)), abs=1e-7)


@pytest.mark.parametrize("groups", [0, 1, 5])
def test_fewer_than_six_groups_are_refused(groups: int) -> None:
    with pytest.raises(ValueError, match="cannot reach"):
        sign_flip([0.5] * groups)


def test_six_groups_can_just_tell() -> None:
    assert sign_flip([0.5] * 6).p == pytest.approx(2 / 64)
    assert sign_flip([0.0] * 6).p == 1


def test_groups_that_are_all_alike_leave_room_for_others() -> None:
    found = mean_difference([0.0] * 16)
    assert found.value == 0
    assert (found.low, found.high) == pytest.approx((-0.2059, 0.2059), abs=1e-4)  # 1 − .025 ** (1 / 16)


def test_many_groups_of_pass_rates_stay_exact_and_scores_fall_back_to_t() -> None:
    chance = dice("many groups")
    rates = [round(float(x), 1) for x in chance.uniform(-0.6, 1, 150)]
    assert sign_flip(rates).method == SIGN_FLIP
    assert sign_flip(rates).p < 1e-6
    scores = [float(x) for x in chance.normal(0, 0.1, 30)]
    assert sign_flip(scores).method == STUDENT
    assert sign_flip(scores).p == student(scores).p


@laws
@given(st.integers(0, 40), st.integers(0, 40))
def test_mcnemar_is_that_of_statsmodels(gained: int, lost: int) -> None:
    known = known_mcnemar(np.array([[5, gained], [lost, 5]]), exact=True).pvalue if gained + lost else 1.0
    assert mcnemar(gained, lost).p == pytest.approx(min(1.0, known))


@laws
@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_holm_is_that_of_statsmodels(p_values: list[float]) -> None:
    found = holm({str(place): p for place, p in enumerate(p_values)})
    assert [*found.values()] == pytest.approx(list(multipletests(p_values, method="holm")[1]))


def test_groups_needed_show_what_was_seen() -> None:
    chance = dice("groups needed")
    pilot = [float(x) for x in chance.normal(0.1, 0.2, 400)]
    n = groups_needed(pilot)
    assert n is not None
    shown = np.mean([stats.ttest_1samp(chance.normal(np.mean(pilot), np.std(pilot), n), 0).pvalue < 0.05 for _ in range(2000)])
    assert 0.77 < shown < 0.86
    assert groups_needed([0.1, -0.1] * 5) is None


@pytest.mark.parametrize("groups", [6, 8, 12, 20])
@pytest.mark.parametrize("runs", [1, 3, 5])
@pytest.mark.parametrize("spread", [0.0, 2.0])
def test_equal_models_are_not_told_apart(groups: int, runs: int, spread: float) -> None:
    """Pass rates of both drawn from the same chances, which differ from group to group (log odds of this spread), and with an effect of
    the model on each group that is as often for it as against it."""
    repetitions = REPETITIONS if SOAK else 100
    chance = dice(groups, runs, spread)
    base = chance.normal(0.8, spread, (repetitions, groups))
    effects = chance.normal(0, 0.5, (2, repetitions, groups))
    passed = [chance.binomial(runs, 1 / (1 + np.exp(-(base + effect)))) / runs for effect in effects]
    found = [[round(float(x), 12) for x in row] for row in passed[1] - passed[0]]
    better = sum(sum(row) > 0 and sign_flip(row).p <= 0.05 for row in found) / repetitions
    different = sum(sign_flip(row).p <= 0.05 for row in found) / repetitions
    print(groups, runs, spread, better, different)
    assert better <= 0.06 + slack(0.05, repetitions)
    assert different <= 0.06 + slack(0.05, repetitions)
