"""Calls at half of what was borne, and what is concluded from them."""

from __future__ import annotations

from finetune_prep.models.pace.experiments import CALLS, COMPLAINTS, HOPELESS, IN_VAIN, Experiments
from finetune_prep.models.pace.refusal_evidence import Suspicion


def make(experiments: Experiments, refused: int, now: float = 10.0) -> tuple[bool, float]:
    """Go through one, so many of its first calls being refused. Whether that surprised, and when it was over."""
    experiments.begin(now, sustained=100.0, level=40)
    surprising = False
    entries = 0
    while (current := experiments.current) is not None:
        now, entries = current.due, entries + 1
        surprising = experiments.entered(current, now, entries)
        if current.left >= CALLS - refused and experiments.refused(current):
            break
    return surprising, now


def test_begun_after_cuts_that_did_not_help_or_many_complaints() -> None:
    experiments = Experiments(Suspicion())
    assert not experiments.worth_it(0.0, IN_VAIN - 1)
    assert experiments.worth_it(0.0, IN_VAIN)
    for _ in range(COMPLAINTS):
        experiments.complained(blamed=True)
    assert experiments.worth_it(0.0, 0)


def test_goes_at_half_of_what_was_borne() -> None:
    experiments = Experiments(Suspicion())
    experiments.begin(10.0, sustained=100.0, level=41)
    current = experiments.current
    assert current is not None
    assert (current.gap, current.level, current.due) == (0.02, 21, 10.02)


def test_without_a_refusal_nothing_changes_and_the_next_is_made_later() -> None:
    suspicion = Suspicion()
    experiments = Experiments(suspicion)
    surprising, over = make(experiments, refused=0)
    assert not surprising
    assert not suspicion.unruly
    assert not experiments.worth_it(over + 1, IN_VAIN)


def test_refusals_are_believed_only_when_they_come_at_a_quarter_of_the_pace_too() -> None:
    """The repetition goes at half of what went through, and it alone is learned from."""
    suspicion = Suspicion()
    experiments = Experiments(suspicion)
    experiments.begin(10.0, sustained=100.0, level=40)
    first = experiments.current
    assert first is not None
    for _ in range(CALLS):
        experiments.refused(first) if first.left > CALLS - 8 else None
        assert not experiments.entered(first, first.due, 0)
    second = experiments.current
    assert second is not None
    assert second.repeated
    assert second.gap > 1.9 * first.gap
    for _ in range(CALLS):
        experiments.entered(second, second.due, 0)
    assert not suspicion.unruly  # nothing was refused then: it had still been too much


def test_what_is_refused_at_any_pace_is_learned() -> None:
    suspicion = Suspicion()
    surprising, _ = make(Experiments(suspicion), refused=5)
    assert surprising
    assert suspicion.unruly
    assert suspicion.usual > 0.05


def test_given_up_when_the_endpoint_is_closed() -> None:
    """Half of its calls refused: there is nothing to be learned, and no more are wasted."""
    suspicion = Suspicion()
    experiments = Experiments(suspicion)
    make(experiments, refused=HOPELESS)
    assert experiments.current is None
    assert not suspicion.unruly


def test_an_unruly_endpoint_is_measured_again() -> None:
    suspicion = Suspicion()
    experiments = Experiments(suspicion)
    assert not experiments.overdue(10**6)
    suspicion.learn(100, 5)
    assert experiments.overdue(10**6)
