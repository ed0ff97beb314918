"""Refusals as evidence: one is enough where they are rare, a run of them where they are usual."""

from __future__ import annotations

import random

import pytest

from finetune_prep.models.pace.refusal_evidence import PROOF, RefusalEvidence


def usually(share: float) -> RefusalEvidence:
    """What has been learned of an endpoint that refuses this share of calls at any pace."""
    evidence = RefusalEvidence()
    evidence.learn(10_000, round(10_000 * share))
    return evidence


def alarms(evidence: RefusalEvidence, share: float, calls: int, seed: int = 3) -> int:
    """How often it is too much when this share of so many calls is refused at random."""
    stream = random.Random(seed)
    found = let_through = 0
    for _ in range(calls):
        if stream.random() >= share:
            let_through += 1
            continue
        found += evidence.refused(let_through)
        let_through = 0
    return found


def test_one_refusal_is_enough_where_nothing_is_known() -> None:
    assert RefusalEvidence().refused(1000)


@pytest.mark.parametrize(("share", "most"), [(0.01, 2), (0.05, 4), (0.2, 10)])
def test_a_run_of_refusals_is_noticed_where_they_are_usual(share: float, most: int) -> None:
    """The first says nothing; a few in a row are a closed window."""
    evidence = usually(share)
    told = [evidence.refused(50)] + [evidence.refused(0) for _ in range(most)]
    assert not told[0]
    assert any(told)


@pytest.mark.parametrize("share", [0.01, 0.05, 0.2])
def test_what_is_usual_raises_hardly_any_alarm(share: float) -> None:
    assert alarms(usually(share), share, 20_000) <= 10


@pytest.mark.parametrize("share", [0.01, 0.05, 0.2])
def test_a_share_well_above_the_usual_one_is_noticed(share: float) -> None:
    """Fifteen percent more than usual: noticed within a thousand calls, however usual refusals are."""
    assert alarms(usually(share), share + 0.15, 1000) >= 1


def test_what_is_usual_is_learned_and_forgotten() -> None:
    """Refusals that cannot be due to the pace teach it; calls that go through at any pace take it back."""
    evidence = RefusalEvidence()
    for _ in range(4):
        evidence.learn(48, 5)
    assert evidence.usual == pytest.approx(5 / 48, rel=0.2)
    assert evidence.unruly
    evidence.refused(1000)
    assert evidence.usual < 0.02
    for _ in range(4):
        evidence.learn(48, 0)
    assert not evidence.unruly


def test_refusals_at_full_pace_teach_nothing() -> None:
    """Or a limit that is exceeded all the time would soon be what is usual."""
    evidence = usually(0.05)
    for _ in range(200):
        evidence.refused(1)
    assert evidence.usual == pytest.approx(0.05)


def test_the_proof_is_of_the_order_that_it_claims() -> None:
    """False alarms come about once in e to the PROOF excursions, never more than ten times as often."""
    excursions = 20_000 * 0.05
    assert alarms(usually(0.05), 0.05, 20_000, seed=5) <= max(1.0, 10 * excursions / 2.718**PROOF)
