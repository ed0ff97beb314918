"""Whether a judge may speak for people, and how many labels it takes to say so."""

from __future__ import annotations

import pytest
from scipy import stats

from finetune_prep.statistics.certification import CERTIFIED, labels_for, labels_needed, shown
from finetune_prep.statistics.rates import Estimate, exact


def rate(low: float, high: float) -> Estimate:
    return Estimate(value=(low + high) / 2, low=low, high=high, n=50, method="")


def test_both_sides_decide() -> None:
    assert shown(rate(0.81, 0.99), rate(0.80, 0.95)) == "certified"
    assert shown(rate(0.95, 0.99), rate(0.79, 0.99)) == "inconclusive"
    assert shown(rate(0.95, 0.99), rate(0.20, 0.79)) == "refused"
    assert shown(rate(0.60, 0.79), rate(0.90, 0.99)) == "refused"


@pytest.mark.parametrize("errors", range(6))
def test_the_fewest_labels_that_bear_so_many_errors(errors: int) -> None:
    n = labels_for(errors)
    assert stats.binomtest(n - errors, n).proportion_ci(method="exact").low >= CERTIFIED
    assert stats.binomtest(n - 1 - errors, n - 1).proportion_ci(method="exact").low < CERTIFIED


def test_none_to_three_errors() -> None:
    assert [labels_for(errors) for errors in range(4)] == [17, 26, 34, 41]


@pytest.mark.parametrize("truth", [0.9, 0.95, 0.98])
def test_the_labels_needed_are_enough_four_times_in_five(truth: float) -> None:
    def chance(n: int) -> float:
        found = sum(float(stats.binom.pmf(k, n, truth)) for k in range(n + 1) if exact(k, n).low >= CERTIFIED)
        return found**2  # of two classes

    n = labels_needed(truth)
    assert n is not None
    assert all(chance(more) >= 0.8 for more in range(n, n + 40))
    assert chance(n - 1) < 0.8


@pytest.mark.parametrize("truth", [0.5, 0.8])
def test_no_number_of_labels_certifies_a_judge_that_is_not_good(truth: float) -> None:
    assert labels_needed(truth) is None
