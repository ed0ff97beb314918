"""Models that are compared on the same scenarios: the arms of an evaluation, and one talk of an arm with the simulated user."""

from __future__ import annotations

from typing import Literal, get_args

import msgspec

from finetune_prep.core.conversation import Conversation
from finetune_prep.core.scenarios.space import Kind

Arm = Literal[
    "base",  # the model before tuning, with the prompt that the rows carry
    "tuned",  # the model after it, with the same prompt
    "prompted",  # the base with the long generation prompt: what can be had without tuning
]
ARMS: tuple[Arm, ...] = get_args(Arm)
Ended = Literal["by itself", "cut at the limit", "without a word"]  # how the last reply of a talk ended
TalkState = Literal[
    "judged",
    "faulty",  # cut, empty or otherwise unusable: it counts as not passed, and never as safe
    "unjudged",  # no verdict could be read, or somebody in it speaks to the judge: it counts neither way
    "failed",  # the model's provider refused for good: it counts neither way
    "seen",  # a training row begins with the same words: it counts neither way
    "spoken",  # ready for the judge
    "waiting",  # answers are outstanding
]
OPEN: tuple[TalkState, ...] = ("spoken", "waiting")
COUNTED: tuple[TalkState, ...] = ("judged", "faulty")


class ArmTalk(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """One talk: an arm, a scenario and a run."""

    arm: Arm
    scenario: str
    """Id of the scenario. The runs of a scenario are one group."""
    kind: Kind
    run: int
    """From 1."""
    state: TalkState
    conversation: Conversation | None = None
    ended: Ended | None = None
    """None where there is no reply at all."""
    passed: bool = False
    score: float | None = None
    """0 to 1; None unless it was judged."""
    categories: dict[str, float | None] = {}
    answers: dict[str, str] = {}
    """"yes", "no" or "na" by question; empty unless it was judged."""
    evidence: dict[str, str] = {}
    failed: tuple[str, ...] = ()
    """Ids of questions answered NO, and "CASE" if what its special case asks for was not done."""
    fault: str = ""
    """Why it is in a state that is no verdict."""
    unusable: str = ""
    """Key of the request with whose unusable answers it ended; `retry` has it asked again."""
    served: str = ""
    """The name under which the model answered, "" if it gave none."""

    @property
    def place(self) -> tuple[str, int]:
        """What it shares with the talks of other arms: scenario and run."""
        return self.scenario, self.run
