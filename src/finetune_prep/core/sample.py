"""What became of every planned scenario. Each is in exactly one state, and the states sum to the plan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Literal, get_args

import msgspec

from finetune_prep.core.conversation import Conversation
from finetune_prep.core.rubric import Score
from finetune_prep.core.scenarios.scenario import Scenario
from finetune_prep.core.verdict import Verdict

Way = Literal["turns", "one-call"]  # how conversations are made: user and assistant in turns, or both sides in one answer
State = Literal[
    "accepted",  # passed the rubric
    "rejected",  # failed it; `failed` names the questions
    "faulty",  # unusable before any judge saw it; `fault` says why
    "duplicate",  # same as an accepted row earlier in the plan
    "surplus",  # passed, but its cell's quota was full
    "unjudged",  # no answer of the judge could be read: neither accepted nor rejected
    "failed",  # a provider refused for good
    "waiting",  # answers are outstanding: of a batch file, or of a judge that could not be reached
    "not run",  # never started
]
STATES: tuple[State, ...] = get_args(State)
WAYS: dict[Way, str] = {"turns": "made turn by turn", "one-call": "each written in one call"}  # as a figure names it
UNSETTLED: tuple[State, ...] = ("waiting", "not run")
JUDGED: tuple[State, ...] = ("accepted", "rejected", "duplicate", "surplus")


class Sample(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """One planned scenario and what became of it."""

    scenario: Scenario
    state: State
    conversation: Conversation | None = None
    score: float | None = None
    """0 to 1."""
    failed: tuple[str, ...] = ()
    fault: str = ""
    """Name of the fault, the provider's refusal, why the verdict is missing, or why there is no score."""
    unusable: str = ""
    """Key of the request with whose unusable answers it ended (its first attempt); `retry` has it asked again."""


class Account(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How many planned scenarios are in each state. The counts sum to `planned`."""

    planned: int
    states: dict[State, int]
    way: Way = "turns"
    """How its conversations were made."""

    @property
    def outstanding(self) -> int:
        """How many another run may still settle: waiting, not run."""
        return sum(self.states.get(state, 0) for state in UNSETTLED)

    @property
    def judged(self) -> int:
        """How many have a verdict that could be read."""
        return sum(self.states.get(state, 0) for state in JUDGED)

    @property
    def unjudged(self) -> int:
        """How many a judge has seen without a verdict that could be read."""
        return self.states.get("unjudged", 0)

    @property
    def settled(self) -> bool:
        """Whether nothing is outstanding."""
        return not self.outstanding


def judged_sample(scenario: Scenario, conversation: Conversation, verdict: Verdict, score: Score | None) -> Sample:
    """The sample of a conversation that a judge has seen."""
    if score is None:
        return Sample(
            scenario=scenario, state="unjudged", conversation=conversation, fault=verdict.missing, unusable=verdict.unusable
        )
    return Sample(
        scenario=scenario,
        state="accepted" if score.passed else "rejected",
        conversation=conversation,
        score=score.value,
        failed=score.failed,
        fault="" if score.value is not None or score.failed else "no question of the score applied",
    )


def fold(samples: Iterable[Sample]) -> tuple[Sample, ...]:
    """Settle samples in plan order: an accepted row that repeats an earlier accepted one becomes "duplicate".

    Only the order of the plan counts, never the order in which answers arrived.
    """
    seen: set[str] = set()
    settled: list[Sample] = []
    for sample in samples:
        if sample.state == "accepted" and sample.conversation is not None:
            conversation = sample.conversation.id
            if conversation in seen:
                sample = msgspec.structs.replace(sample, state="duplicate")
            seen.add(conversation)
        settled.append(sample)
    return tuple(settled)


def account(samples: Iterable[Sample], way: Way = "turns") -> Account:
    counts = Counter(sample.state for sample in samples)
    return Account(planned=counts.total(), states={state: counts[state] for state in STATES}, way=way)
