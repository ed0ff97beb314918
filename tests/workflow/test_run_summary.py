"""What a run's summary says beside its figures."""

from __future__ import annotations

import pytest

from finetune_prep.statistics.rates import Rate, wilson
from finetune_prep.workflow.diagnosing.diagnosis import Cause, Diagnosis
from finetune_prep.workflow.run_summary import although


@pytest.mark.parametrize(
    ("cause", "rate", "said"),
    [
        ("prompt", wilson(87, 100), "More than 70% passed, so the next step does not wait for this. Mended first, more"),
        ("judge", wilson(87, 100), "More than 70% passed, so the next step does not wait for this. But mend it first"),
        ("prompt", wilson(60, 100), ""),
        ("ready", wilson(87, 100), ""),
        ("too few", wilson(5, 5), ""),
        ("judge", None, ""),
    ],
)
def test_where_a_pilot_passed_it_says_why_the_next_step_goes_on(cause: Cause, rate: Rate | None, said: str) -> None:
    found = although(Diagnosis(cause=cause, said="Strengthen guard GD1: as counted."), rate)
    assert found.startswith(said)
    assert bool(found) is bool(said)
    assert although(None, rate) == ""
