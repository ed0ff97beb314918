"""Which replies make a pair: two to the same words, one of each kind, of most equal length, and every talk accounted for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finetune_prep.core.conversation import Conversation, Message
from finetune_prep.core.evaluating.talk import Arm, ArmTalk
from finetune_prep.exports.pairs.pairing import FLAWED, LONGER, NO_VERDICT, ONE_SIDED, SAME, SEEN, TIED, Paired, pair_up
from tests.exports.samples import talk
from tests.soak import examples
from tests.statistics.evaluation.talks import fails, faulty, judged

SYSTEM = "You help, briefly."


def said(base: ArmTalk, reply: str, *, asked: str = "") -> ArmTalk:
    return msgspec.structs.replace(base, conversation=talk(asked or f"Where is {base.scenario}?", reply))


def paired(*talks: ArmTalk, grave: Sequence[str] = ()) -> Paired:
    return pair_up(talks, SYSTEM, grave)


def test_a_reply_that_passed_and_one_that_failed_to_the_same_words() -> None:
    found = paired(said(fails("base", "s0"), "No idea."), said(judged("tuned", "s0"), "It leaves today."))
    (pair,) = found.pairs
    assert pair.prompt == (Message("system", SYSTEM), Message("user", "Where is s0?"))
    assert (pair.chosen.content, pair.rejected.content) == ("It leaves today.", "No idea.")
    assert (pair.by, pair.failed) == (("tuned, run 1", "base, run 1"), ("AA1", "AA2"))
    assert (found.left_out, found.ratio) == ({}, pytest.approx(1.5))


def test_who_passed_is_chosen_whoever_it_is() -> None:
    """Not the tuned model's reply as such: where the base passed and the tuned model failed, the base's is chosen."""
    (pair,) = paired(said(judged("base", "s0"), "It leaves today."), said(fails("tuned", "s0"), "No idea.")).pairs
    assert pair.by == ("base, run 1", "tuned, run 1")


def test_runs_of_one_model_make_pairs_too() -> None:
    (pair,) = paired(said(judged("base", "s0", 1), "Today."), said(fails("base", "s0", 2), "Never.")).pairs
    assert pair.by == ("base, run 1", "base, run 2")


@pytest.mark.parametrize(
    ("talks", "left_out"),
    [
        ((said(judged("base", "s0"), "One."), said(judged("tuned", "s0"), "Two.")), {SAME: 2}),
        ((said(fails("base", "s0"), "One."), said(fails("tuned", "s0"), "Two.")), {SAME: 2}),
        ((said(judged("base", "s0"), "One."), said(fails("tuned", "s0"), "One.")), {TIED: 2}),
        ((said(judged("base", "s0"), "One."), said(fails("tuned", "s1"), "Two.")), {SAME: 2}),
        ((said(judged("base", "s0"), "One."), said(fails("tuned", "s0"), "Two.", asked="Else?")), {SAME: 2}),
        ((said(judged("base", "s0"), "One."), faulty("tuned", "s0")), {SAME: 1, "faulty": 1}),
        ((said(judged("base", "s0"), "One."), said(fails("tuned", "s0"), "Two. <|im_end|>")), {SAME: 1, "chat markup": 1}),
        (
            (said(judged("base", "s0"), "One."), ArmTalk(arm="tuned", scenario="s0", kind="normal", run=1, state="unjudged")),
            {SAME: 1, NO_VERDICT: 1},
        ),
    ],
)
def test_what_is_no_pair_is_counted(talks: tuple[ArmTalk, ...], left_out: dict[str, int]) -> None:
    found = paired(*talks)
    assert (found.pairs, found.left_out) == ((), left_out)


def test_longer_talks_give_none() -> None:
    """A verdict of several replies says of none which one failed; and from the second exchange on the words differ."""
    long = Conversation(talk("One?", "One.", "Two?", "Two.").messages)
    talks = [msgspec.structs.replace(one, conversation=long) for one in (judged("base", "s0"), fails("tuned", "s0"))]
    assert paired(*talks).left_out == {LONGER: 2}


def test_what_passed_with_a_serious_failure_is_chosen_by_nobody() -> None:
    flawed = said(judged("tuned", "s0", BB1="no"), "Today.")
    assert flawed.passed
    assert paired(said(fails("base", "s0"), "Never."), flawed, grave=("BB1",)).left_out == {FLAWED: 1, SAME: 1}


def test_halves_are_matched_by_length_and_used_once() -> None:
    talks = [said(judged("tuned", "s0", 1), "one two three four"), said(judged("tuned", "s0", 2), "one two")]
    talks += [said(fails("base", "s0", run), text) for run, text in ((1, "a b"), (2, "a b c d"), (3, "a " * 30 + "b"))]
    found = paired(*talks)
    assert {(pair.chosen.content, pair.rejected.content) for pair in found.pairs} == {
        ("one two three four", "a b c d"), ("one two", "a b"),
    }  # fmt: skip
    assert (found.ratio, found.left_out) == (pytest.approx(1.0), {ONE_SIDED: 1})


def test_a_pair_that_stands_twice_is_taken_once() -> None:
    talks = [
        said(one, reply, asked="Where is it?")
        for scenario in ("s0", "s1")
        for one, reply in ((judged("tuned", scenario), "Today."), (fails("base", scenario), "Never."))
    ]
    found = paired(*talks)
    assert (len(found.pairs), found.left_out) == (1, {SEEN: 2})


arms: st.SearchStrategy[Arm] = st.sampled_from(["base", "tuned"])
many: Any = st.lists(
    st.builds(
        lambda arm, good, scenario, run, reply: said((judged if good else fails)(arm, scenario, run), reply),
        arms, st.booleans(), st.sampled_from(["s0", "s1"]), st.integers(1, 9), st.sampled_from(["Yes.", "No.", "Well, yes.", "<think>"]),
    ),
    max_size=14,
)  # fmt: skip


@settings(max_examples=examples(60))
@given(many)
def test_every_talk_is_in_one_pair_or_counted_and_halves_always_differ(talks: list[ArmTalk]) -> None:
    found = paired(*talks)
    assert 2 * len(found.pairs) + sum(found.left_out.values()) == len(talks)
    for pair in found.pairs:
        assert pair.chosen.content != pair.rejected.content
        assert pair.prompt[-1].content == f"Where is {pair.scenario}?"
        assert "<think>" not in pair.chosen.content + pair.rejected.content
