"""A proposed edit, and the talks of its trial."""

from __future__ import annotations

from typing import Literal

import msgspec

from finetune_prep.core.conversation import Conversation
from finetune_prep.core.improving.diagnosis import Diagnosis
from finetune_prep.core.rubric import YesNo

ProposalState = Literal[
    "proposed",
    "refused",  # no edit came that may stand; `why` says why
    "waiting",  # the answer is outstanding
]
Arm = Literal[
    "placebo",  # the unchanged prompt, asked afresh
    "edit",
]
ARMS: tuple[Arm, ...] = ("placebo", "edit")
Part = Literal[
    "seen",  # scenarios of the pilot in which the failure showed
    "audit",  # scenarios that no diagnosis has seen
]
TalkState = Literal["judged", "faulty", "unjudged", "failed", "waiting"]


class Proposal(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A diagnosis with the clause-sized edit that a model proposes for it."""

    number: int
    """By which a person names it, from 1."""
    diagnosis: Diagnosis
    state: ProposalState
    old: str = ""
    """Words of the clause that go; "" where something is only added."""
    new: str = ""
    because: str = ""
    """Why it should help, by the model that wrote it."""
    author: str = ""
    """That model's name."""
    why: str = ""


class EditTalk(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """One talk of a trial."""

    arm: Arm
    part: Part
    scenario: str
    """Id of the scenario; both arms talk about it."""
    state: TalkState
    conversation: Conversation | None = None
    passed: bool = False
    accepted: bool = False
    """Whether it would become a training row."""
    answers: dict[str, YesNo] = {}
    """By question; empty unless it was judged."""
    evidence: dict[str, str] = {}
    """What the judge quotes for each NO."""
    case: YesNo | None = None
    """Whether what its special case asks for was done; None if it is no such case."""
    gate: tuple[str, ...] = ()
    """Questions of the gate answered NO, and NO again when the judge read it a second time."""
    second: dict[str, YesNo] = {}
    """What another judge answered; empty if none was asked."""
    fault: str = ""

    @property
    def counts(self) -> bool:
        """Whether it says something: a faulty talk does, one without a verdict does not."""
        return self.state in ("judged", "faulty")

    def answer(self, question: str) -> YesNo | None:
        """The judge's answer; NO for a talk that is unusable, None where nobody has answered."""
        if self.state == "faulty":
            return "no"
        return self.case if question == "CASE" else self.answers.get(question)
