"""The Beta distribution against scipy's, and its laws."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from finetune_prep.statistics.beta import beta_cdf, beta_points, beta_quantile, log_beta, student_cdf, student_quantile
from tests.soak import examples

laws = settings(max_examples=examples(60))
parameters = st.floats(0.3, 5000)
shares = st.floats(0.0001, 0.9999)


@laws
@given(shares, parameters, parameters)
def test_shares_and_quantiles_are_those_of_scipy(share: float, a: float, b: float) -> None:
    assert beta_cdf(share, a, b) == pytest.approx(float(stats.beta.cdf(share, a, b)), abs=1e-10)
    assert beta_quantile(share, a, b) == pytest.approx(float(stats.beta.ppf(share, a, b)), abs=1e-9)


@laws
@given(shares, parameters, parameters)
def test_a_quantile_leads_back_to_its_share(share: float, a: float, b: float) -> None:
    x = beta_quantile(share, a, b)
    if 1e-12 < x < 1 - 1e-12:  # nearer to an end, neighbouring doubles are further apart than the shares
        assert beta_cdf(x, a, b) == pytest.approx(share, abs=1e-8)


@laws
@given(st.integers(1, 3000), st.integers(1, 3000))
def test_points_are_equally_likely(a: int, b: int) -> None:
    """Of whole parameters, as counts give them."""
    points = beta_points(48, a, b)
    expected = [(point + 0.5) / 48 for point in range(48)]
    assert [float(share) for share in stats.beta.cdf(points, a, b)] == pytest.approx(expected, abs=1e-3)


@laws
@given(shares, st.sampled_from([1, 2, 3, 5, 9, 30, 200]))
def test_students_t_is_that_of_scipy(share: float, freedom: int) -> None:
    assert student_quantile(share, freedom) == pytest.approx(float(stats.t.ppf(share, freedom)), rel=1e-7, abs=1e-7)
    assert student_cdf(student_quantile(share, freedom), freedom) == pytest.approx(share, abs=1e-9)


def test_ends_of_the_scale() -> None:
    assert (beta_cdf(0, 2, 3), beta_cdf(1, 2, 3)) == (0, 1)
    assert (beta_quantile(0, 2, 3), beta_quantile(1, 2, 3)) == (0, 1)
    assert log_beta(2, 3) == pytest.approx(-2.4849066)  # 1 / 12


@pytest.mark.parametrize(("a", "b"), [(0, 1), (1, -1), (float("nan"), 1)])
def test_parameters_are_positive(a: float, b: float) -> None:
    with pytest.raises(ValueError, match="no parameters of a Beta"):
        beta_cdf(0.5, a, b)
