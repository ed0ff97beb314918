"""One sitting: what may be seen when, and what is saved."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from finetune_prep.errors import ActNeeded, UsageError
from finetune_prep.labels.file import read_labels
from finetune_prep.project.project import Project
from finetune_prep.project.runs import Run
from finetune_prep.workflow.reviewing.counting import reviewed
from finetune_prep.workflow.reviewing.sitting import LabelChanged, Sitting, open_sitting
from tests.phases.pottery_shop import pottery_project, rewrite
from tests.soak import examples
from tests.workflow.reviewing.pilots import ADA, BEN, MODEL, pilot_of


@pytest.fixture
def shop(tmp_path: Path) -> Project:
    return pottery_project(tmp_path / "shop")


@pytest.fixture
def run(shop: Project) -> Run:
    return pilot_of(shop, "p" * 8 + "ff" + "xu")


@pytest.fixture
def sitting(shop: Project, run: Run) -> Sitting:
    return open_sitting(shop, ADA)


ACTS = ["pass", "fail", "defer", "withdraw", "change", "stand by"]


@settings(max_examples=examples(10), suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(ACTS), st.sampled_from(["Ada", "Ben"])), max_size=10))
def test_whatever_is_done_a_verdict_is_seen_by_those_who_have_decided_only(
    shop: Project, run: Run, acts: list[tuple[int, str, str]]
) -> None:
    """And of what was done, nothing is lost: the file only grows."""
    run.labels_path.unlink(missing_ok=True)
    sittings = {"Ada": open_sitting(shop, ADA), "Ben": open_sitting(shop, BEN)}
    decided: set[tuple[str, int]] = set()
    before = b""
    for place, act, name in acts:
        sitting = sittings[name]
        try:
            if act in ("pass", "fail", "defer"):
                sitting.say(place, act, note="why")  # type: ignore[arg-type]
            else:
                {"withdraw": sitting.withdraw, "change": sitting.change, "stand by": sitting.stand_by}[act](place)
            (decided.add if act not in ("defer", "withdraw") else decided.discard)((name, place))
        except UsageError:
            pass
        for who, own in sittings.items():
            assert {seen for seen in range(4) if own.revealed(seen)} == {where for whose, where in decided if whose == who}
        now = run.labels_path.read_bytes() if run.labels_path.exists() else b""
        assert now.startswith(before)
        before = now
    for label in read_labels(run.labels_path).labels:
        assert (label.judge == "") == (label.stage == "blind" or label.label == "withdrawn")


def test_blind_labels_name_no_judge_and_the_second_event_does(sitting: Sitting) -> None:
    sitting.say(0, "pass", seconds=12.34)
    sitting.change(0)
    first, second = read_labels(sitting.run.labels_path).labels
    assert (first.stage, first.judge, first.label, first.seconds) == ("blind", "", "pass", 12.3)
    assert (second.stage, second.judge, second.label, second.seconds) == ("revealed", "judge-1", "fail", None)
    assert reviewed(sitting.project, sitting.run).failed == (second.conversation_id,)


def test_a_failure_without_a_reason_is_not_taken(sitting: Sitting) -> None:
    with pytest.raises(UsageError, match="needs a reason"):
        sitting.say(0, "fail", note="  \n ")
    question = sitting.questions()[0].id
    assert sitting.say(0, "fail", answers={question: "no", "XX9": "no"}).answers == {question: "no"}


def test_a_note_is_one_line_and_no_book(sitting: Sitting) -> None:
    assert sitting.say(0, "pass", note="one\n two\ud800").note == "one two?"
    with pytest.raises(UsageError, match="2,001 characters"):
        sitting.say(0, "pass", note="x" * 2001)


def test_two_windows_are_both_told_and_nothing_is_lost(shop: Project, sitting: Sitting) -> None:
    """Fifty times: the second one to save sees that there is something new."""
    other = open_sitting(shop, ADA)
    for _ in range(50):
        seen = sitting.times(0)
        sitting.say(0, "pass", seen=seen)
        with pytest.raises(LabelChanged):
            other.say(0, "fail", note="no", seen=seen)
    assert len(read_labels(sitting.run.labels_path).labels) == 50


def test_two_people_label_the_same_draw_each_for_themselves(shop: Project, sitting: Sitting) -> None:
    other = open_sitting(shop, BEN)
    assert [drawn.conversation_id for drawn in other.drawn] == [drawn.conversation_id for drawn in sitting.drawn]
    sitting.say(0, "pass")
    assert other.given(0) is None
    assert other.revealed(0) is None


def test_what_was_deferred_comes_last(sitting: Sitting) -> None:
    sitting.say(0, "defer")
    assert sitting.waiting()[-1] == 0
    assert sitting.waiting()[0] == 1
    assert sitting.revealed(0) is None
    assert sitting.say(0, "pass").stage == "blind"


def test_after_the_rubric_has_changed_everything_waits_again(shop: Project, sitting: Sitting) -> None:
    sitting.say(0, "pass")
    rewrite(shop, "evaluation-rubric", "threshold: 0.75", "threshold: 0.7")
    later = open_sitting(shop, ADA)
    assert len(later.waiting()) == len(later.drawn)
    assert later.say(0, "pass").stage == "revealed"


def test_a_second_reading_stands_beside_the_first(sitting: Sitting) -> None:
    last = len(sitting.drawn) - 1
    assert sitting.drawn[last].repeat
    sitting.say(0, "pass")
    assert sitting.given(last) is None
    sitting.say(last, "fail", note="on second thoughts")
    given = sitting.given(0)
    assert given is not None
    assert given.label == "pass"
    assert reviewed(sitting.project, sitting.run).repeated == (0, 1)
    sitting.withdraw(last)
    assert sitting.given(last) is None
    assert sitting.given(0) == given


def test_no_time_is_kept_of_a_model(shop: Project, run: Run) -> None:
    assert open_sitting(shop, MODEL).say(0, "pass", seconds=3.0).seconds is None


def test_where_there_is_nothing_to_read_the_next_command_is_named(shop: Project) -> None:
    with pytest.raises(ActNeeded, match="no pilot"):
        open_sitting(shop, ADA)
    pilot_of(shop, "xu")
    with pytest.raises(ActNeeded, match="no judged conversation"):
        open_sitting(shop, ADA)
