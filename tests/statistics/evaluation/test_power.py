"""How many groups an evaluation takes: what the plan promises is what simulated models show."""

from __future__ import annotations

import numpy as np
import pytest

from finetune_prep.core.evaluating.talk import ArmTalk
from finetune_prep.statistics.comparison import groups_for, shown_by, sign_flip, student
from finetune_prep.statistics.evaluation.power import Spread, assumed_spread, power, spread_of
from finetune_prep.statistics.rates import Estimate
from tests.soak import SOAK
from tests.statistics.evaluation.talks import fails, judged
from tests.statistics.simulated import dice, slack

REPETITIONS = 2000 if SOAK else 150


def rate(value: float, low: float, high: float) -> Estimate:
    return Estimate(value=value, low=low, high=high, n=24, method="")


@pytest.mark.parametrize(
    ("difference", "spread", "fewest", "most"), [(0.2, 0.3, 17, 21), (0.2, 0.35, 23, 27), (0.1, 0.3, 71, 76)]
)
def test_groups_for_the_spread_of_a_small_model(difference: float, spread: float, fewest: int, most: int) -> None:
    """Of one small model tuned and judged, scores spread so; the normal approximation gives the lower ends, Student's t a few more."""
    assert fewest <= groups_for(difference, spread) <= most


@pytest.mark.parametrize("difference", [0.15, 0.3])
def test_as_many_groups_show_it_four_times_in_five(difference: float) -> None:
    groups = groups_for(difference, 0.4)
    chance = dice("power", difference)
    found = [student([float(x) for x in chance.normal(difference, 0.4, groups)]).p <= 0.05 for _ in range(REPETITIONS)]
    assert 0.77 - slack(0.8, REPETITIONS) <= np.mean(found) <= 0.85 + slack(0.8, REPETITIONS)
    assert shown_by(groups, 0.4) == pytest.approx(difference, rel=0.05)


def test_pass_rates_with_the_assumed_spread_are_shown_as_promised() -> None:
    """Passes drawn as the convention has them, decided by the test that decides."""
    base, tuned, runs = 0.3, 0.6, 2
    spread = assumed_spread(base, tuned, runs)
    groups = groups_for(tuned - base, spread)
    chance = dice("as promised")
    shown = 0
    for _ in range(REPETITIONS):
        # half of the scenarios decide by themselves, the same in every run; half of these alike for both models
        decides, alike = chance.random(groups) < 0.5, chance.random(groups) < 0.5
        luck = chance.random(groups)
        rates = []
        for rate in (base, tuned):
            fate = np.where(alike, luck, chance.random(groups)) < rate
            rates.append(chance.binomial(runs, np.where(decides, fate, rate)) / runs)
        differences = [round(float(x), 6) for x in rates[1] - rates[0]]
        shown += sign_flip(differences).p <= 0.05
    assert 0.72 - slack(0.8, REPETITIONS) <= shown / REPETITIONS <= 0.86 + slack(0.8, REPETITIONS)


def test_more_runs_help_less_than_more_scenarios() -> None:
    found = power(0.2, 24, 2)
    needed = {row.runs: row for row in found.needed}
    assert needed[1].groups > needed[2].groups > needed[4].groups > needed[1].groups / 2
    assert needed[4].talks > needed[1].talks


def test_a_measured_spread_goes_before_the_convention() -> None:
    usual = power(0.2, 24, 2)
    wide = power(0.2, 24, 2, base=rate(0.3, 0.2, 0.4), seen=Spread(0.8, 0.3, 0.5, 2))
    assert wide.measured and wide.base_measured and not usual.measured and not usual.base_measured
    assert wide.needed[1].spread == pytest.approx(0.8)
    assert wide.needed[1].groups > usual.needed[1].groups
    assert wide.shows > usual.shows


def test_two_models_that_fail_alike_do_not_make_a_gain_cheap() -> None:
    """One run of 48 was passed, so groups hardly differ; groups of a model that gains .2 would."""
    base = rate(0.0, 0.0, 0.14)
    unseen, seen = power(0.2, 24, 2, base=base), power(0.2, 24, 2, base=base, seen=Spread(0.102, 0.0, 1 / 48, 2))
    assert seen.needed[1].groups > 0.6 * unseen.needed[1].groups


def test_what_a_plan_from_a_low_rate_may_cost_is_said() -> None:
    found = power(0.2, 24, 2, base=rate(0.0, 0.0, 0.14))
    assert (found.base_rate, found.base_measured, found.base_high, found.measured) == (0.0, True, 0.14, False)
    assert found.groups_from_high == power(0.2, 24, 2, base=rate(0.14, 0.0, 0.2)).needed[1].groups > found.needed[1].groups
    assert power(0.2, 24, 2, base=rate(0.5, 0.4, 0.6)).groups_from_high is None


@pytest.mark.parametrize("groups", [0, 5])
def test_fewer_than_six_groups_are_refused(groups: int) -> None:
    with pytest.raises(ValueError, match="cannot reach"):
        power(0.2, groups, 2)


def test_the_spread_of_talks_is_that_of_their_groups() -> None:
    talks: list[ArmTalk] = []
    for n in range(8):
        talks += [fails("base", f"s{n}"), (judged if n % 2 else fails)("tuned", f"s{n}")]
    assert spread_of(talks, "base", "tuned", 1) == pytest.approx((0.5345, 0.0, 0.5, 1), abs=1e-4)
    assert spread_of(talks[:8], "base", "tuned", 1) is None
