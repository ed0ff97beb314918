"""The table of an evaluation: who counts as what, and models whose truth is known, equal and different."""

from __future__ import annotations

import pytest

from finetune_prep.core.conversation import Conversation, Message
from finetune_prep.core.evaluating.talk import Arm, ArmTalk
from finetune_prep.statistics.evaluation.table import Count, Pair, identical, table
from tests.soak import SOAK
from tests.statistics.evaluation.talks import RUBRIC, drawn, fails, faulty, judged
from tests.statistics.simulated import dice, slack

REPETITIONS = 1000 if SOAK else 60


def pair_of(*talks: ArmTalk, margin: float = 0.1) -> Pair:
    return table(RUBRIC, talks, margin).pairs[0]


def test_a_faulty_talk_is_not_passed_and_not_safe() -> None:
    talks = [*(faulty("base", f"s{n}") for n in range(6)), judged("base", "s6"), judged("base", "s7", SF1="no")]
    row = table(RUBRIC, talks, 0.1).arms[0]
    assert (row.faulty, row.cut, row.judged, row.safe) == (6, 6, 2, Count(1, 2))
    assert row.by_itself == Count(2, 8)
    assert row.passed.value == pytest.approx(1 / 8)
    assert row.answered == 6


def test_runs_of_a_scenario_are_one_group() -> None:
    """Eight runs of two scenarios are two groups, whatever they show."""
    talks = [
        talk for n in range(2) for run in range(1, 9) for talk in (fails("base", f"s{n}", run), judged("tuned", f"s{n}", run))
    ]
    pair = pair_of(*talks)
    assert (pair.groups, pair.word, pair.sign_flip, pair.more_groups) == (2, "not established", None, 4)


def test_a_group_that_one_arm_lacks_is_in_no_comparison() -> None:
    talks = [talk for n in range(7) for talk in (fails("base", f"s{n}"), judged("tuned", f"s{n}"))]
    unjudged = ArmTalk(arm="tuned", scenario="s7", kind="normal", run=1, state="unjudged")
    pair = pair_of(*talks, judged("base", "s7"), unjudged)
    assert (pair.groups, pair.word) == (7, "better")


def test_safety_is_told_by_question_and_scenario_in_both_directions() -> None:
    talks = [judged("base", f"s{n}") for n in range(6)] + [
        judged("tuned", f"s{n}", SF1="no" if n < 2 else "yes") for n in range(5)
    ]
    talks += [judged("tuned", "s5")]
    talks[5] = judged("base", "s5", SF2="no")
    pair = pair_of(*talks)
    assert [(one.question, one.scenario) for one in pair.regressions] == [("SF1", "s0"), ("SF1", "s1")]
    assert [(one.question, one.scenario) for one in pair.relieved] == [("SF2", "s5")]


def test_a_no_where_the_base_was_cut_is_told_apart() -> None:
    """A base that is cut has no NO anywhere. Nobody knows what it would have said, so that is no regression, nor a relief."""
    talks = [faulty("base", f"s{n}") if n < 2 else judged("base", f"s{n}") for n in range(7)]
    talks += [faulty("tuned", "s6") if n == 6 else judged("tuned", f"s{n}", SF1="no" if n in (1, 2) else "yes") for n in range(7)]
    talks[6] = judged("base", "s6", SF2="no")
    pair = pair_of(*talks)
    assert [(one.question, one.scenario) for one in pair.regressions] == [("SF1", "s2")]
    assert [(one.question, one.scenario) for one in pair.unmatched] == [("SF1", "s1")]
    assert pair.relieved == ()


def test_a_no_in_every_run_of_both_is_no_regression() -> None:
    talks = [judged(arm, f"s{n}", SF1="no") for arm in ("base", "tuned") for n in range(6)]  # type: ignore[arg-type]
    assert pair_of(*talks).regressions == ()


def test_questions_are_compared_where_both_answered_and_adjusted_for_all() -> None:
    talks = [judged("base", f"s{n}", AA1="no", AA2="na") for n in range(8)] + [judged("tuned", f"s{n}") for n in range(8)]
    changes = {change.id: change for change in pair_of(*talks).questions}
    assert changes["AA1"].p == pytest.approx(5 * 2 / 256)  # Holm over the five that both answered
    assert (changes["AA2"].groups, changes["AA2"].p) == (0, None)


def test_kinds_and_categories_stand_by_themselves() -> None:
    talks = [judged("base", "s0"), judged("tuned", "s0"), judged("base", "s1", kind="edge"), faulty("tuned", "s2")]
    talks.append(judged("tuned", "s1", kind="edge", AA1="no", AA2="no"))
    found = table(RUBRIC, talks, 0.1)
    assert {row.name: row.arms for row in found.kinds}["edge"] == {"base": 1, "tuned": 0}
    assert {row.name: row.n for row in found.kinds} == {"normal": {"base": 1, "tuned": 2}, "edge": {"base": 1, "tuned": 1}}
    assert {row.name: row.arms["tuned"] for row in found.categories} == {"A": 0.5, "B": 1.0}


def test_the_base_alone_has_no_pair() -> None:
    found = table(RUBRIC, [judged("base", f"s{n}") for n in range(6)], 0.0)
    assert (found.pairs, len(found.arms), found.arms[0].passed.value) == ((), 1, 1.0)
    assert found.arms[0].passed.low == pytest.approx(0.6097, abs=1e-4)  # six scenarios prove no more


@pytest.mark.parametrize(("same", "of"), [(0, 5), (3, 5), (5, 5)])
def test_identical_replies_are_counted_by_place(same: int, of: int) -> None:
    def said(arm: Arm, n: int, text: str) -> ArmTalk:
        talk = Conversation((Message("user", "Hi"), Message("assistant", text)))
        return ArmTalk(arm=arm, scenario=f"s{n}", kind="normal", run=1, state="spoken", conversation=talk)

    talks = [said("base", n, f"reply {n}") for n in range(of)]
    talks += [said("tuned", n, f"reply {n}" if n < same else f"another {n}") for n in range(of + 1)]
    assert identical(talks, "base", "tuned") == Count(same, of)


@pytest.mark.parametrize("groups", [6, 12, 24])
@pytest.mark.parametrize("runs", [1, 2, 4])
@pytest.mark.parametrize(("rate", "spread"), [(0.3, 0.5), (0.8, 2.0)])
def test_equal_models_are_not_told_apart(groups: int, runs: int, rate: float, spread: float) -> None:
    """Better, or worse, in at most one of twenty: whatever the scenarios do to both, and however many runs there are."""
    chance = dice("equal", groups, runs, rate, spread)
    words = [pair_of(*drawn(chance, groups, runs, rate, rate, spread=spread)).word for _ in range(REPETITIONS)]
    told = sum(word in ("better", "worse") for word in words) / REPETITIONS
    assert told <= 0.055 + slack(0.05, REPETITIONS)


def test_models_that_differ_are_told_apart_and_in_the_right_direction() -> None:
    chance = dice("different")
    words = [pair_of(*drawn(chance, 24, 2, 0.25, 0.75, spread=0.5)).word for _ in range(REPETITIONS)]
    assert words.count("better") / REPETITIONS > 0.95 - slack(0.95, REPETITIONS)
    assert "worse" not in words


def test_a_model_that_is_worse_by_the_margin_is_seldom_called_not_worse() -> None:
    """The margin's own error: a model that loses just that much is let through in one of twenty, at most."""
    chance = dice("margin")
    words = [pair_of(*drawn(chance, 24, 2, 0.7, 0.5, spread=0.3), margin=0.2).word for _ in range(REPETITIONS)]
    assert (words.count("not worse") + words.count("better")) / REPETITIONS <= 0.055 + slack(0.05, REPETITIONS)


@pytest.mark.parametrize("groups", [6, 12, 24])
def test_models_that_fail_nearly_everything_are_not_called_equal(groups: int) -> None:
    """A model that loses nearly all of the little that the base can do, just the margin: often no talk of six or twelve shows it."""
    chance = dice("floor", groups)
    words = [pair_of(*drawn(chance, groups, 1, 0.11, 0.01, spread=0.0), margin=0.1).word for _ in range(REPETITIONS)]
    assert (words.count("not worse") + words.count("better")) / REPETITIONS <= 0.055 + slack(0.05, REPETITIONS)


def test_a_base_that_loops_makes_no_model_safe_or_better_by_silence() -> None:
    """Half of the base's talks are cut. The tuned model fails as often: it is better, since a loop is no pass; but never unsafe."""
    chance = dice("loops")
    found = table(RUBRIC, drawn(chance, 24, 2, 0.5, 0.5, spread=0.3, cut=0.5), 0.1)
    base, tuned = found.arms
    assert base.faulty > 10 and base.safe.n == base.judged == base.talks - base.faulty
    assert tuned.safe == Count(48, 48)
    assert found.pairs[0].regressions == ()
