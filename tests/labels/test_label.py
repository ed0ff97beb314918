"""What of several labels holds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from finetune_prep.labels.label import Label, Labeller, Sampling, Stage, Word, opinions, sees_for_the_first_time

ADA, BEN, MODEL = Labeller("Ada", "person"), Labeller("Ben", "person"), Labeller("Ada", "model")


def said(label: Word, by: Labeller = ADA, stage: Stage = "blind", talk: str = "c1", *, repeat: bool = False) -> Label:
    sample = Sampling(design="strata-10/7", p=0.5, repeat=repeat)
    return Label(at="", labeller=by, conversation_id=talk, scenario="s1", rubric="r", stage=stage, label=label, sample=sample)


def test_a_later_label_of_the_same_person_stands_and_the_blind_one_is_kept() -> None:
    held = opinions([said("fail"), said("pass", stage="revealed")])
    assert (held[ADA, "c1"].latest.label, held[ADA, "c1"].blind) == ("pass", said("fail"))


def test_others_have_their_own_word_and_a_model_of_the_same_name_is_somebody_else() -> None:
    held = opinions([said("fail"), said("pass", BEN), said("pass", MODEL)])
    assert {key[0]: opinion.latest.label for key, opinion in held.items()} == {ADA: "fail", BEN: "pass", MODEL: "pass"}


def test_what_was_withdrawn_is_gone_and_what_comes_after_it_is_not_blind() -> None:
    assert opinions([said("fail"), said("withdrawn")]) == {}
    after = opinions([said("fail"), said("withdrawn"), said("pass", stage="revealed")])[ADA, "c1"]
    assert (after.latest.label, after.blind) == ("pass", None)


def test_a_deferred_conversation_is_labelled_blind_later() -> None:
    held = opinions([said("defer"), said("pass")])[ADA, "c1"]
    assert (held.latest.label, held.blind, held.decided) == ("pass", said("pass"), True)
    assert not opinions([said("defer")])[ADA, "c1"].decided


def test_a_second_reading_is_no_second_opinion() -> None:
    held = opinions([said("pass"), said("fail", repeat=True)])[ADA, "c1"]
    assert (held.latest.label, [label.label for label in held.repeats]) == ("pass", ["fail"])


def test_the_verdict_is_known_to_whoever_has_decided_once() -> None:
    assert sees_for_the_first_time([said("defer"), said("fail", BEN), said("fail", talk="c2")], ADA, "c1")
    assert not sees_for_the_first_time([said("fail"), said("withdrawn")], ADA, "c1")


@given(st.lists(st.builds(said, st.sampled_from(["pass", "fail", "defer", "withdrawn"]), st.sampled_from([ADA, BEN]), talk=st.sampled_from(["c1", "c2"])), max_size=12))  # fmt: skip
def test_each_person_has_one_opinion_of_a_conversation_and_it_is_their_last(labels: list[Label]) -> None:
    last = {(label.labeller, label.conversation_id): label for label in labels}
    held = opinions(labels)
    assert {key: opinion.latest for key, opinion in held.items()} == {
        key: label for key, label in last.items() if label.label != "withdrawn"
    }
