"""What became of every planned scenario. Each is in exactly one state, and the states sum to the plan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Literal, get_args

import msgspec
from msgspec import UNSET, UnsetType

from finetune_prep.core.conversation import Conversation
from finetune_prep.core.rubric import Score, accepted
from finetune_prep.core.scenarios.scenario import Scenario
from finetune_prep.core.verdict import CASE, Verdict

Way = Literal["turns", "one-call"]  # how conversations are made: user and assistant in turns, or both sides in one answer
State = Literal[
    "accepted",  # passed the rubric, with no NO that is grave
    "flawed",  # passed it, with a NO to a question that catches a grave failure: no training row
    "rejected",  # failed it, or what its special case asks for; `failed` names the questions
    "faulty",  # unusable before any judge saw it; `fault` says why
    "duplicate",  # same as a row that passed earlier in the plan
    "surplus",  # passed, but its cell's quota was full
    "unjudged",  # no answer of the judge could be read, or somebody in it speaks to the judge: neither passed nor rejected
    "failed",  # a provider refused for good
    "waiting",  # answers are outstanding: of a batch file, or of a judge that could not be reached
    "not run",  # never started
]
STATES: tuple[State, ...] = get_args(State)
WAYS: dict[Way, str] = {"turns": "made turn by turn", "one-call": "each written in one call"}  # as a figure names it
UNSETTLED: tuple[State, ...] = ("waiting", "not run")
PASSED: tuple[State, ...] = ("accepted", "flawed", "surplus")
JUDGED: tuple[State, ...] = (*PASSED, "rejected", "duplicate")
NOT_ASKED = "not asked: stopped early"  # why a conversation was not run, where the pilot's rate was seen to lie too low


class Sample(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """One planned scenario and what became of it."""

    scenario: Scenario
    state: State
    conversation: Conversation | None = None
    score: float | None = None
    """0 to 1."""
    failed: tuple[str, ...] = ()
    """Ids of questions answered NO, and "CASE" if what its special case asks for was not done."""
    thin: tuple[str, ...] = ()
    """Names of the weighted categories that rest on one question, since no other one of theirs applied."""
    odd: tuple[str, ...] = ()
    """Prices and percentages of its replies that stand in no fact, no message and not in the brief: for a person to see."""
    fault: str = ""
    """Name of the fault, the provider's refusal, why the verdict is missing, or why there is no score."""
    unusable: str = ""
    """Key of the request with whose unusable answers it ended (its first attempt); `retry` has it asked again."""

    @property
    def steered(self) -> bool:
        """Whether it has no verdict because somebody in it seems to speak to the judge: a person has to read it."""
        return self.state == "unjudged" and not self.unusable


class Account(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How many planned scenarios are in each state. The counts sum to `planned`."""

    planned: int
    states: dict[State, int]
    way: Way = "turns"
    """How its conversations were made."""
    stopped: int | UnsetType = UNSET
    """How many of those not run nobody is going to ask for, since the pilot was stopped early; unset where it was not."""

    @property
    def not_asked(self) -> int:
        """How many are not asked for, since the pilot was stopped early."""
        return self.stopped if isinstance(self.stopped, int) else 0

    @property
    def outstanding(self) -> int:
        """How many another run may still settle: waiting, and not run although they are asked for."""
        return sum(self.states.get(state, 0) for state in UNSETTLED) - self.not_asked

    @property
    def counted(self) -> int:
        """How many a pass rate rests on: all but provider failures, what has no verdict, is outstanding or not asked for."""
        left_out = self.states.get("failed", 0) + self.unjudged + self.outstanding + self.not_asked
        return self.planned - left_out

    @property
    def in_words(self) -> list[tuple[str, int]]:
        """The states that occur, as people read them, with their counts."""
        asked = [(str(state), count - self.not_asked if state == "not run" else count) for state, count in self.states.items()]
        return [(state, count) for state, count in (*asked, (NOT_ASKED, self.not_asked)) if count]

    @property
    def passed(self) -> int:
        """How many passed the rubric, whether or not they become training rows."""
        return sum(self.states.get(state, 0) for state in PASSED)

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


def judged_sample(
    scenario: Scenario, conversation: Conversation, verdict: Verdict, score: Score | None, *,
    grave: frozenset[str] = frozenset(), thin: tuple[str, ...] = (),
) -> Sample:  # fmt: skip
    """The sample of a conversation that a judge has seen. grave: ids of questions of which a NO makes no training row."""
    if score is None:
        return Sample(
            scenario=scenario, state="unjudged", conversation=conversation, fault=verdict.missing, unusable=verdict.unusable
        )
    failed = (*score.failed, CASE) if verdict.case is not None and verdict.case.answer == "no" else score.failed
    return Sample(
        scenario=scenario,
        state=_state(score, failed, grave),
        conversation=conversation,
        score=score.value,
        failed=failed,
        thin=thin,
        fault="" if score.value is not None or failed else "no question of the score applied",
    )


def _state(score: Score, failed: Sequence[str], grave: frozenset[str]) -> State:
    if CASE in failed or not score.passed:
        return "rejected"
    return "accepted" if accepted(score, grave) else "flawed"


class Fold:
    """Settles samples in plan order: a row that passed and repeats an earlier one that passed becomes "duplicate".

    Only the order of the plan counts, never the order in which answers arrived. Of each row its conversation's id is held.
    """

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def settled(self, sample: Sample) -> Sample:
        if sample.state not in PASSED or sample.conversation is None:
            return sample
        conversation = sample.conversation.id
        if conversation in self._seen:
            return msgspec.structs.replace(sample, state="duplicate")
        self._seen.add(conversation)
        return sample


def fold(samples: Iterable[Sample]) -> tuple[Sample, ...]:
    """Samples in plan order, settled as by `Fold`."""
    return tuple(map(Fold().settled, samples))


class Tally:
    """An account while samples come, each of which is settled."""

    def __init__(self) -> None:
        self._counts: Counter[State] = Counter()
        self._not_asked = 0

    def take(self, sample: Sample) -> None:
        self._counts[sample.state] += 1
        self._not_asked += sample.state == "not run" and sample.fault == NOT_ASKED

    def account(self, way: Way = "turns") -> Account:
        states = {state: self._counts[state] for state in STATES}
        return Account(planned=self._counts.total(), states=states, way=way, stopped=self._not_asked or UNSET)


def account(samples: Iterable[Sample], way: Way = "turns") -> Account:
    """The account of these samples, each of which is settled as `fold` does."""
    tally = Tally()
    for sample in samples:
        tally.take(sample)
    return tally.account(way)
