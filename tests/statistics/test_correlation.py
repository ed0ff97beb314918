"""Correlations against scipy."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import matthews_corrcoef

from finetune_prep.statistics.correlation import Sums, phi, phi_lower_bound
from tests.soak import examples

laws = settings(max_examples=examples(60))
tables = st.tuples(*[st.integers(0, 50)] * 4)


@laws
@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 20)), min_size=5, max_size=60))
def test_a_correlation_and_its_interval_are_those_of_scipy(pairs: list[tuple[int, int]]) -> None:
    assume(len({x for x, _ in pairs}) > 1 and len({y for _, y in pairs}) > 1)
    sums = Sums()
    for x, y in pairs:
        sums.add(float(x), y / 20)
    known = stats.pearsonr(*zip(*pairs, strict=True))
    found = sums.correlation()
    assert found.value == pytest.approx(known.statistic)
    if abs(known.statistic) < 0.999:
        interval = known.confidence_interval(0.95)
        assert (found.low, found.high) == pytest.approx((interval.low, interval.high), abs=1e-6)


def test_what_never_varies_correlates_with_nothing() -> None:
    sums = Sums()
    for place in range(30):
        sums.add(1.0, place / 30)
    assert (sums.correlation().value, sums.correlation().low, sums.correlation().high) == (None, -1, 1)


@pytest.mark.parametrize(("n", "proves"), [(4, False), (40, True)])
def test_a_handful_of_pairs_in_a_line_prove_nothing(n: int, proves: bool) -> None:
    sums = Sums()
    for place in range(n):
        sums.add(float(place % 2), 1.0 - place % 2)
    found = sums.correlation()
    assert found.value == pytest.approx(-1)
    assert (found.high < 0) == proves


@laws
@given(tables)
def test_phi_is_matthews_coefficient(table: tuple[int, int, int, int]) -> None:
    both, first, second, neither = table
    one = [1] * (both + first) + [0] * (second + neither)
    other = [1] * both + [0] * first + [1] * second + [0] * neither
    value = phi(*table)
    if value is None:
        assert len(set(one)) < 2 or len(set(other)) < 2
    else:
        assert value == pytest.approx(matthews_corrcoef(one, other))
        assert phi_lower_bound(*table) <= value + 1e-9


def test_a_bound_grows_with_what_was_seen() -> None:
    assert phi_lower_bound(20, 0, 0, 10) < phi_lower_bound(200, 0, 0, 100) < 1
    assert phi_lower_bound(5, 0, 0, 0) == -1
