"""Probes: a sound conversation with one message changed, and what became of it.

An edit says beforehand which message of which conversation is to be changed, and how. A trial is that edit carried out: written,
checked by somebody who does not know the question, and judged like any other conversation.
"""

from __future__ import annotations

from typing import Literal, get_args

import msgspec

from finetune_prep.core.conversation import Conversation, Message
from finetune_prep.core.knowledge import Severity
from finetune_prep.core.rubric import YesNo

Breaking = Literal["plain", "slight", "hollow", "contradiction"]
Neutral = Literal["paraphrase", "padding"]
EditKind = Literal["plain", "slight", "hollow", "contradiction", "paraphrase", "padding", "trigger removed"]
BREAKING: tuple[Breaking, ...] = get_args(Breaking)
NEUTRAL: tuple[Neutral, ...] = get_args(Neutral)
Place = Literal["early", "middle", "late"]
PLACES: tuple[Place, ...] = get_args(Place)
TrialState = Literal[
    "judged",  # valid, and the judge has answered
    "invalid",  # the edit is not what it was to be; it is counted and never scored
    "faulty",  # the program itself finds the fault, so that no judge is asked
    "unjudged",  # valid, and no verdict could be read
    "waiting",  # an answer is outstanding
]


class Subject(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What an assistant may fail at: an anchor, a failure mode, or a failure common to assistants."""

    id: str
    text: str
    """As writer and verifier read it."""
    severity: Severity | None = None
    """None where nobody has given one."""


class Edit(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is to be changed in which conversation."""

    id: str
    """"SF1-03"."""
    kind: EditKind
    target: str = ""
    """Id of the question that it probes, or of what is planted; "" if it probes all."""
    subject: str = ""
    """Id of what the assistant is made to fail at, "" if it is not."""
    base: str
    """Id of the conversation."""
    turn: int
    """Number of the message that is changed, from 1."""
    place: Place
    copy: int = 1
    """Which edit of this conversation it is, where there are several of a kind."""


class Trial(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """An edit and what became of it."""

    edit: Edit
    state: TrialState
    why: str = ""
    """Why it is in this state, "" if the judge has answered."""
    conversation: Conversation | None = None
    """The edited one, None if it was never written."""
    answers: dict[str, YesNo] = {}
    """The judge's, by question."""
    sound: tuple[str, ...] = ()
    """Ids of the questions that both judgements of the unedited conversation answered YES."""
    placebo: dict[str, YesNo] = {}
    """The judge's answers about the unedited conversation, asked once more; for neutral edits only."""
    moved: tuple[str, ...] = ()
    """Other questions whose answer changed for the verifier, too, both times that it was asked."""
    quoted: bool = False
    """Whether the evidence for the target's answer stands in the message that was changed."""
    passed: bool = True
    """Whether it passes the rubric."""
    accepted: bool = True
    """Whether it would become a training row."""


def edited(conversation: Conversation, turn: int, text: str) -> Conversation:
    """The conversation with one message in other words. turn: from 1. Raises ValueError if there is no such message, if its
    words stay the same, or if there are none."""
    if not 1 <= turn <= len(conversation.messages):
        raise ValueError(f"the conversation has no message {turn}")
    if not text.strip():
        raise ValueError("the message is empty")
    old = conversation.messages[turn - 1]
    if text.split() == old.content.split():
        raise ValueError("the message is the same as before")
    changed = Message(old.role, text, old.gap)
    return Conversation((*conversation.messages[: turn - 1], changed, *conversation.messages[turn:]))


def changed_turns(before: Conversation, after: Conversation) -> tuple[int, ...]:
    """Numbers of the messages that differ in any byte, from 1. Raises ValueError if messages were added or taken away."""
    if len(before.messages) != len(after.messages):
        raise ValueError(f"{len(before.messages)} messages became {len(after.messages)}")
    pairs = zip(before.messages, after.messages, strict=True)
    return tuple(number for number, (old, new) in enumerate(pairs, start=1) if old != new)
