"""`faults`: what is wrong with conversations before any judge sees them, and what they have in common."""

from __future__ import annotations

from pathlib import Path

import msgspec

from finetune_prep.conversations.faults import find_fault
from finetune_prep.conversations.language import language_of
from finetune_prep.core.conversation import Conversation
from finetune_prep.errors import UsageError
from finetune_prep.records.conversations import read_conversations, spoken
from finetune_prep.statistics.diversity import EDGE_WORDS, MOST, OFTEN, Diversity, diversity
from finetune_prep.workflow.measuring.inputs import Measured


class Faulty(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation with a fault. where: in words."""

    line: int
    id: str
    fault: str
    where: str


class Faults(Measured, frozen=True, kw_only=True):
    conversations: int
    faulty: tuple[Faulty, ...]
    diversity: Diversity
    """Of the assistant's replies."""
    habits: tuple[str, ...]
    """What stands in so many replies that a model would learn it as a habit, in words."""


def faults(path: Path) -> Faults:
    """Look through a file of conversations. Raises UsageError if it holds none."""
    talks = read_conversations(path)
    if not talks.rows:
        details = tuple(map(str, talks.findings[:10]))
        raise UsageError("no conversation in this file can be read", where=str(path), details=details, next="see docs/numbers.md")
    found: list[Faulty] = []
    seen: dict[str, str] = {}
    for talk, conversation in spoken(talks):
        fault = find_fault(conversation) or _other_language(conversation) or _again(conversation, seen)
        seen.setdefault(conversation.id, talk.id)
        if fault:
            found.append(Faulty(line=talk.line, id=talk.id, fault=fault[0], where=fault[1]))
    replies = [reply for talk in talks.rows for reply in talk.conversation.spoken_by("assistant")]
    common = diversity(replies)
    return Faults(
        findings=talks.findings,
        left_out=len(talks.findings),
        mapping=talks.mapping,
        cannot_tell=(
            "whether what is said is any good, which takes a rubric and a judge",
            "whether one conversation retells another in other words",
        ),
        conversations=len(talks.rows),
        faulty=tuple(found),
        diversity=common,
        habits=habits(common),
    )


def _other_language(conversation: Conversation) -> tuple[str, str] | None:
    """Whether the assistant answers in another language than it was asked in, where both can be told for sure."""
    asked, answered = (language_of(" ".join(conversation.spoken_by(role))) for role in ("user", "assistant"))
    if asked.sure and answered.sure and asked.tag != answered.tag:
        return "other language", f"asked in {asked.tag}, answered in {answered.tag}"
    return None


def _again(conversation: Conversation, seen: dict[str, str]) -> tuple[str, str] | None:
    earlier = seen.get(conversation.id)
    return ("duplicate", f"the same words as {earlier}") if earlier is not None else None


def habits(common: Diversity) -> tuple[str, ...]:
    """Openings and endings of more than 35% and four-word phrases of more than 50% of the replies."""
    if common.texts < 2:
        return ()
    phrases = [habit for habit in common.phrases if habit.share > MOST and len(habit.words.split()) >= EDGE_WORDS]
    return (
        *(f"{habit.share:.0%} of replies begin with “{habit.words}”" for habit in common.openings if habit.share > OFTEN),
        *(f"{habit.share:.0%} of replies end with “{habit.words}”" for habit in common.endings if habit.share > OFTEN),
        *(f"{habit.share:.0%} of replies hold “{habit.words}”" for habit in phrases),
    )
