"""What can be counted of the replies without a judge."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import fmean

import msgspec

from finetune_prep.core.evaluating.talk import ARMS, Arm, ArmTalk
from finetune_prep.statistics.evaluation.table import Count, identical
from finetune_prep.words import split_words


class Replies(msgspec.Struct, frozen=True, kw_only=True):
    """The talks of one arm before any judge has read them."""

    arm: Arm
    talks: int
    by_itself: int
    """Talks whose last reply ended by itself, …"""
    cut: int
    """was cut at the limit, …"""
    silent: int
    """or is empty."""
    faulty: int
    """Talks that no judge will be asked about: cut, empty, or unusable otherwise."""
    failed: int
    """Refused by the provider."""
    seen: int
    """Begins like a training row."""
    words: float | None
    """Of a reply, mean; None without one."""
    as_base: Count | None
    """First replies that are the base's to the letter; None for the base itself."""


def count_replies(talks: Iterable[ArmTalk]) -> tuple[Replies, ...]:
    """The counts of each arm."""
    everything = [*talks]
    return tuple(_of(arm, everything) for arm in ARMS if any(talk.arm == arm for talk in everything))


def _of(arm: Arm, everything: list[ArmTalk]) -> Replies:
    mine = [talk for talk in everything if talk.arm == arm]
    ended, states = [talk.ended for talk in mine], [talk.state for talk in mine]
    replies = [reply for talk in mine if talk.conversation for reply in talk.conversation.spoken_by("assistant")]
    return Replies(
        arm=arm,
        talks=len(mine),
        by_itself=ended.count("by itself"),
        cut=ended.count("cut at the limit"),
        silent=ended.count("without a word"),
        faulty=states.count("faulty"),
        failed=states.count("failed"),
        seen=states.count("seen"),
        words=fmean(len(split_words(reply)) for reply in replies) if replies else None,
        as_base=None if arm == "base" else identical(everything, "base", arm),
    )
