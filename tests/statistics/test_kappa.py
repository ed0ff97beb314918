"""Kappa against scikit-learn and statsmodels, and what it is under a draw by verdict."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import cohens_kappa

from finetune_prep.statistics.agreement import Drawn, Stratum, kappa
from tests.soak import examples
from tests.statistics.simulated import REPETITIONS, draws, slack

laws = settings(max_examples=examples(60))
cells = st.tuples(*[st.integers(0, 60)] * 4)


def uniform(both: int, judge_only: int, people_only: int, neither: int) -> Drawn:
    return Drawn(
        passed=Stratum(both + judge_only, both + judge_only, both),
        failed=Stratum(people_only + neither, people_only + neither, people_only),
        design="uniform",
    )


@laws
@given(cells)
def test_a_uniform_draw_is_the_kappa_of_the_literature(table: tuple[int, int, int, int]) -> None:
    both, judge_only, people_only, neither = table
    assume(both + judge_only and people_only + neither and both + people_only and judge_only + neither)
    known = cohens_kappa(np.array([[both, judge_only], [people_only, neither]]))
    found = kappa(uniform(*table))
    assert found.value == pytest.approx(known.kappa)
    if all(table):
        assert found.low == pytest.approx(max(-1, known.kappa - 1.959964 * known.std_kappa), abs=1e-4)
        assert found.high == pytest.approx(min(1, known.kappa + 1.959964 * known.std_kappa), abs=1e-4)
    people = [1] * both + [0] * judge_only + [1] * people_only + [0] * neither
    judge = [1] * (both + judge_only) + [0] * (people_only + neither)
    assert found.value == pytest.approx(cohen_kappa_score(people, judge))


def test_a_draw_by_verdict_is_weighted_to_the_pool() -> None:
    """900 passed of which 45 of 50 are right, 100 failed of which 40 of 50 are: the table 810, 90, 20, 80."""
    seen = Drawn(passed=Stratum(900, 50, 45), failed=Stratum(100, 50, 10), design="by verdict")
    known = cohens_kappa(np.array([[810, 90], [20, 80]]))
    assert kappa(seen).value == pytest.approx(known.kappa)
    assert kappa(seen).high - kappa(seen).low > 2 * 1.96 * known.std_kappa  # 100 labels, not 1,000


def test_few_labels_that_all_agree_are_no_proof() -> None:
    found = kappa(uniform(10, 0, 0, 10))
    assert found.value == 1
    assert 0.6 < found.low < 0.9


@pytest.mark.parametrize(
    "seen", [uniform(0, 0, 0, 0), uniform(7, 0, 0, 0), uniform(0, 0, 0, 9), uniform(7, 5, 0, 0), uniform(7, 0, 5, 0)]
)
def test_where_nobody_ever_differs_there_is_no_kappa(seen: Drawn) -> None:
    assert (kappa(seen).value, kappa(seen).low, kappa(seen).high) == (None, -1, 1)


def test_a_stratum_without_labels_leaves_no_kappa() -> None:
    assert kappa(Drawn(passed=Stratum(50, 20, 18), failed=Stratum(50, 0, 0), design="by verdict")).value is None


@pytest.mark.parametrize("design", ["uniform", "by verdict"])
@pytest.mark.parametrize("prevalence", [0.5, 0.7])
def test_the_truth_lies_in_the_interval(design: str, prevalence: float) -> None:
    tpr, tnr = 0.9, 0.8
    judged = prevalence * tpr + (1 - prevalence) * (1 - tnr)
    agreed = prevalence * tpr + (1 - prevalence) * tnr
    by_chance = judged * prevalence + (1 - judged) * (1 - prevalence)
    truth = (agreed - by_chance) / (1 - by_chance)
    seen = draws(prevalence=prevalence, tpr=tpr, tnr=tnr, pool=1000, labels=100, design=design)  # type: ignore[arg-type]
    held = sum(found.low <= truth <= found.high for found in map(kappa, seen)) / REPETITIONS
    assert held >= 0.92 - slack(0.95)
