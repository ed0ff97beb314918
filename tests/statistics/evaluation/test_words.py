"""The last line and the one remedy."""

from __future__ import annotations

import msgspec
import pytest

from finetune_prep.core.evaluating.talk import ArmTalk
from finetune_prep.statistics.evaluation.table import Table, table
from finetune_prep.statistics.evaluation.words import beside, remedy, upshot
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
        (FAILED, FAILED, "Not established: about 26 more groups like these would tell."),
        (FAILED[:5] + PASSED[5:], PASSED[:2] + FAILED[2:], "Not established: about "),
        (PASSED[:4], PASSED[:4], "Not established: about 2 more groups like these would tell."),
    ],
)
def test_the_last_line(base: list[ArmTalk], after: list[ArmTalk], line: str) -> None:
    assert upshot(found(base, tuned(after))).startswith(line)


def test_a_new_no_at_the_gate_goes_before_everything() -> None:
    after = tuned([judged("base", f"s{n}", SF1="no" if n == 0 else "yes") for n in ALL])
    assert remedy(found(FAILED, after), "again") == "Read the talks with a new NO at the gate first: SF1 in 1 scenario."


def test_what_never_stops_is_told_how_to_learn_it() -> None:
    after = tuned([faulty("base", f"s{n}") for n in ALL])
    assert "train the end of a turn" in remedy(found(PASSED, after), "again")


def test_where_nothing_is_established_the_remedy_is_more_groups() -> None:
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
        (14, "Whether tuning is worth it is not clear from so few groups."),
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
        "1 of 14 talks of the base are faulty, 1 of them cut at the limit: not passed, and not safe either.",
        "The base: 1 have no verdict (what could not be read: finetune-prep retry unjudged), 1 were refused by the provider, 1 begin like a training row; they count neither way.",
    ]
