"""A dozen failures of one kind in a row, in the order of the plan."""

from __future__ import annotations

from finetune_prep.core.sample import Sample, State
from finetune_prep.phases.scaling.alike import MOST, Alike
from tests.exports.samples import SCENARIOS


def failure(fault: str, state: State = "failed") -> Sample:
    return Sample(scenario=SCENARIOS[0], state=state, fault=fault)


def reason(*samples: Sample) -> str:
    alike = Alike()
    for sample in samples:
        alike.take(sample)
    return alike.reason


def test_a_dozen_of_one_kind_is_a_reason_and_the_last_one_is_quoted() -> None:
    many = [failure(f"request {n} was refused") for n in range(MOST)]
    assert reason(*many[:-1]) == ""
    assert reason(*many) == f"{MOST} conversations in a row ended alike – failed: request {MOST - 1} was refused"


def test_one_that_went_well_or_failed_otherwise_begins_the_count_anew() -> None:
    many = [failure("refused")] * (MOST - 1)
    well = Sample(scenario=SCENARIOS[0], state="rejected", score=0.2)
    assert reason(*many, well, *many) == ""
    assert reason(*many, failure("cut"), *many) == ""
    assert reason(*many, failure("refused", "faulty"), *many) == ""


def test_waiting_for_a_batch_is_no_failure() -> None:
    assert reason(*[Sample(scenario=SCENARIOS[0], state="waiting")] * 50) == ""
