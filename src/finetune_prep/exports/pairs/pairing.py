"""Which replies make a pair. Nothing is made up: both were given to the same words, and a judge has read each.

A verdict is one of a whole talk. Only where a talk has a single reply is it known which one passed or failed, and only the
opening is the same for all models; so longer talks give no pair.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from math import log

import msgspec

from finetune_prep.core.conversation import Message
from finetune_prep.core.evaluating.talk import ArmTalk
from finetune_prep.exports.traps import trap_in
from finetune_prep.words import count_words

LONGER = "more than one reply"
NO_VERDICT = "without a verdict"
FLAWED = "passed, with a NO to a question that catches a serious failure"
SAME = "all replies to the same words passed, or all failed"
TIED = "the same as the other half"
ONE_SIDED = "no reply of the other kind is left"
SEEN = "the same pair as an earlier one"


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """Two replies to one prompt."""

    prompt: tuple[Message, ...]
    """From the system prompt to the user's words."""
    chosen: Message
    rejected: Message
    scenario: str
    by: tuple[str, str]
    """Arm and run of each: "tuned, run 1", "base, run 2"."""
    failed: tuple[str, ...]
    """Ids of the questions that the rejected reply failed."""

    @property
    def ratio(self) -> float:
        """Words of the chosen reply for each of the rejected one's."""
        return max(1, count_words(self.chosen.content)) / max(1, count_words(self.rejected.content))


class Paired(msgspec.Struct, frozen=True, kw_only=True):
    """All pairs of an evaluation, and what is in none."""

    pairs: tuple[Pair, ...]
    left_out: dict[str, int]
    """Why → talks. With two for each pair they sum to all talks."""

    @property
    def ratio(self) -> float:
        """Geometric mean of the pairs' ratios of words: 1 = chosen replies are as long as rejected ones."""
        logs = [log(pair.ratio) for pair in self.pairs]
        return float(2.718281828459045 ** (sum(logs) / len(logs))) if logs else 1.0


def pair_up(talks: Iterable[ArmTalk], system_prompt: str, grave: Collection[str]) -> Paired:
    """The pairs of an evaluation's talks: within a scenario, those of most equal length first, no reply twice.

    grave: ids of the questions that catch a serious failure; a reply that failed one is chosen by nobody.
    """
    left_out: Counter[str] = Counter()
    by_prompt: dict[tuple[str, tuple[Message, ...]], tuple[list[ArmTalk], list[ArmTalk]]] = {}
    for talk in talks:
        prompt, why = _prompt(talk, system_prompt)
        if not why and talk.passed and not {*grave}.isdisjoint(talk.failed):
            why = FLAWED
        if why:
            left_out[why] += 1
            continue
        by_prompt.setdefault((talk.scenario, prompt), ([], []))[0 if talk.passed else 1].append(talk)
    pairs: list[Pair] = []
    seen: set[tuple[str, str, str]] = set()
    for (_, prompt), (passed, failed) in by_prompt.items():
        for pair in _matched(prompt, passed, failed, left_out):
            key = (prompt[-1].content, pair.chosen.content, pair.rejected.content)
            if key in seen:
                left_out[SEEN] += 2
                continue
            seen.add(key)
            pairs.append(pair)
    return Paired(pairs=tuple(pairs), left_out=dict(sorted(left_out.items())))


def _prompt(talk: ArmTalk, system_prompt: str) -> tuple[tuple[Message, ...], str]:
    """The words that a talk's reply answers, and why it is in no pair, "" if it may be."""
    if talk.state != "judged" or talk.conversation is None:
        return (), NO_VERDICT if talk.state != "faulty" else talk.state
    if talk.conversation.exchanges != 1:
        return (), LONGER
    said = talk.conversation.plain(show_gaps=True).messages
    prompt = (Message("system", system_prompt), said[0])
    trap = trap_in((*prompt, said[1]))
    return prompt, trap.name if trap else ""


def _matched(
    prompt: tuple[Message, ...], passed: Sequence[ArmTalk], failed: Sequence[ArmTalk], left_out: Counter[str]
) -> list[Pair]:
    """Pairs of these replies, the most equal in length first; each reply is in one at most."""
    if not (passed and failed):
        left_out[SAME] += len(passed) + len(failed)
        return []
    candidates = [
        (abs(log(pair.ratio)), good, bad, pair)
        for good, chosen in enumerate(passed)
        for bad, rejected in enumerate(failed)
        if (pair := _pair(prompt, chosen, rejected)).chosen.content != pair.rejected.content
    ]
    used: tuple[set[int], set[int]] = (set(), set())
    found = []
    for _, good, bad, pair in sorted(candidates, key=lambda one: one[:3]):
        if good not in used[0] and bad not in used[1]:
            used[0].add(good)
            used[1].add(bad)
            found.append(pair)
    if left := len(passed) + len(failed) - 2 * len(found):
        left_out[ONE_SIDED if candidates else TIED] += left
    return found


def _pair(prompt: tuple[Message, ...], chosen: ArmTalk, rejected: ArmTalk) -> Pair:
    return Pair(
        prompt=prompt,
        chosen=_reply(chosen),
        rejected=_reply(rejected),
        scenario=chosen.scenario,
        by=(f"{chosen.arm}, run {chosen.run}", f"{rejected.arm}, run {rejected.run}"),
        failed=rejected.failed,
    )


def _reply(talk: ArmTalk) -> Message:
    if talk.conversation is None:
        raise AssertionError("a judged talk has its conversation")
    return Message("assistant", talk.conversation.messages[-1].content)
