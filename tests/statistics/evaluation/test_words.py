"""The last line and the one remedy."""

from __future__ import annotations

import msgspec
import pytest

from finetune_prep.core.evaluating.talk import ArmTalk
from finetune_prep.statistics.comparison import mean_difference
from finetune_prep.statistics.evaluation.table import Regression, Table, table
from finetune_prep.statistics.evaluation.words import beside, remedy, upshot, what_more_would_settle
from tests.statistics.evaluation.talks import RUBRIC, fails, faulty, judged


def found(base: list[ArmTalk], tuned: list[ArmTalk]) -> Table:
    return table(RUBRIC, [*base, *tuned], 0.1)


ALL = range(10)
MANY = [judged("base", f"s{n}") for n in range(36)]
PASSED, FAILED = [judged("base", f"s{n}") for n in ALL], [fails("base", f"s{n}") for n in ALL]


def tuned(talks: list[ArmTalk]) -> list[ArmTalk]:
    return [msgspec.structs.replace(talk, arm="tuned") for talk in talks]


@pytest.mark.parametrize(
    ("base", "after", "line"),
    [
        (FAILED, PASSED, "Established: the tuned model is better than the base."),
        (PASSED, FAILED, "Established: the tuned model is worse than the base."),
        (MANY, MANY, "Established: the tuned model is not worse than −0.10. That it is better is not established."),
        (
            FAILED,
            FAILED,
            "Not established: both models have the same pass rate in each of the 10 scenarios. 26 more scenarios without a difference "
            "would establish “not worse than −0.10”, but not “better”.",
        ),
        (
            FAILED[:5] + PASSED[5:],
            PASSED[:2] + FAILED[2:],
            "Not established: if the difference stays at -0.30, about 51 more scenarios would probably establish “worse”.",
        ),
        (
            FAILED[:6] + PASSED[6:],
            PASSED[:4] + FAILED[4:7] + PASSED[7:],
            "Not established: if the difference stays at +0.30, about 32 more scenarios would probably establish “better”.",
        ),
        (FAILED[:1] + PASSED[1:], PASSED[:9] + FAILED[9:], "Not established: nothing points to a difference either way."),
        (
            PASSED[:4],
            PASSED[:4],
            "Not established: nothing can be told from fewer than 6 scenarios; compare at least 2 more.",
        ),
    ],
)
def test_the_last_line(base: list[ArmTalk], after: list[ArmTalk], line: str) -> None:
    assert upshot(found(base, tuned(after))).startswith(line)


def test_where_more_of_the_same_would_do_as_many_again_are_asked_for() -> None:
    seen = mean_difference([0.5] * 8 + [-0.5])
    said = what_more_would_settle(seen, 0, 0.1, "group")
    assert said == "if the difference stays at +0.39, as many groups again would probably establish “better”"


def test_a_new_no_at_the_gate_goes_before_everything() -> None:
    after = tuned([judged("base", f"s{n}", SF1="no" if n == 0 else "yes") for n in ALL])
    assert remedy(found(FAILED, after), "again") == "First read the conversations with new safety failures: SF1 in 1 scenario."


def test_what_never_stops_is_told_how_to_learn_it() -> None:
    after = tuned([faulty("base", f"s{n}") for n in ALL])
    assert "train the end of a turn" in remedy(found(PASSED, after), "again")


def test_where_nothing_is_established_the_remedy_is_more_scenarios() -> None:
    after = tuned(PASSED[:2] + FAILED[2:])
    assert remedy(found(FAILED[:5] + PASSED[5:], after), "finetune-prep evaluate -n 60") == "finetune-prep evaluate -n 60"


def test_what_got_worse_is_named_by_question() -> None:
    said = remedy(found(PASSED, tuned(FAILED)), "again")
    assert said.startswith("What fell is AA1, AA2;")


@pytest.mark.parametrize(
    ("passed", "line"),
    [
        (20, "The base already performs well: tuning has little left to win."),
        (0, "The base leaves room: tuning may be worth it."),
        (14, "Whether tuning is worth it is not clear from so few scenarios."),
    ],
)
def test_whether_tuning_is_worth_it(passed: int, line: str) -> None:
    base = [(judged if n < passed else fails)("base", f"s{n}") for n in range(20)]
    assert upshot(table(RUBRIC, base, 0.0)) == line


def test_what_counts_nowhere_is_said() -> None:
    others = [
        ArmTalk(arm="base", scenario=f"x{n}", kind="normal", run=1, state=state)
        for n, state in enumerate(("unjudged", "failed", "seen"))
    ]  # fmt: skip
    lines = [*beside(table(RUBRIC, [*PASSED, *others, faulty("base", "y")], 0.0))]
    assert lines == [
        "1 of the 14 conversations of the base is faulty (it was cut off at the token limit); it counts as neither passed nor safe.",
        "The base: 1 has no verdict (finetune-prep retry unjudged has it asked for again), 1 was refused by the provider, 1 begins like a training row; they count neither way.",
    ]


def test_conversations_that_were_all_cut_off_say_nothing_of_tuning() -> None:
    cut = [faulty("base", f"s{n}") for n in range(6)]
    base = table(RUBRIC, [*cut, ArmTalk(arm="base", scenario="x", kind="normal", run=1, state="unjudged")], 0.0)
    assert upshot(base) == "Nothing could be judged."
    assert remedy(base, "again") == "6 of the 7 conversations of the base are faulty: raise --max-tokens."


def test_what_rounds_to_nothing_has_no_sign() -> None:
    some = [judged("base", f"s{n}", AA1="no" if n == 0 else "yes") for n in ALL]
    pair = found(PASSED, tuned(PASSED)).pairs[0]
    less = msgspec.structs.replace(pair, score=msgspec.structs.replace(pair.score, value=-0.004, low=-0.09, high=0.004))
    (line,) = [line for line in beside(msgspec.structs.replace(found(some, tuned(some)), pairs=(less,))) if "score" in line]
    assert ": 0.00 (95% interval -0.09 to 0.00, p = " in line


def test_which_safety_questions_fail_on_either_side_is_said() -> None:
    pair = found(PASSED, tuned(PASSED)).pairs[0]
    noes = (
        Regression(question="SF1", scenario="s1"),
        Regression(question="SF1", scenario="s2"),
        Regression(question="SF2", scenario="s1"),
    )
    both = msgspec.structs.replace(pair, regressions=noes, relieved=noes[2:], unmatched=noes[:1])
    lines = [*beside(msgspec.structs.replace(found(PASSED, tuned(PASSED)), pairs=(both,)))]
    assert "Safety: the tuned model fails safety questions that the base passes: SF1 in 2 scenarios, SF2 in 1." in lines
    assert (
        "The tuned model also fails safety questions where none of the conversations of the base could be judged, so these "
        "failures may or may not be new: SF1 in 1 scenario." in lines
    )
    assert "In the other direction, the base fails safety questions that the tuned model passes: SF2 in 1 scenario." in lines
