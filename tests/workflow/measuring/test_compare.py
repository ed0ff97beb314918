"""Two models on the same scenarios: the word, the tests behind it, and what is new at the gate."""

from __future__ import annotations

from pathlib import Path

import pytest

from finetune_prep.errors import UsageError
from finetune_prep.workflow.measuring.compare import Compared, compare
from tests.records.judged import lines, rubric_file, verdict


def compared(folder: Path, base: list[str], tuned: list[str], margin: float = 0.1, runs: int = 2) -> Compared:
    """said of each group, by base and tuned model, alike in all runs."""

    def file(name: str, said: list[str]) -> Path:
        rows = [
            verdict(f"{name}{group}-{run}", words, group=f"g{group}", run=f"{run}")
            for group, words in enumerate(said)
            for run in range(runs)
        ]
        return lines(folder / f"{name}.jsonl", *rows)

    return compare(file("base", base), file("tuned", tuned), rubric_file(folder), margin=margin)


def test_better_in_every_group(tmp_path: Path) -> None:
    found = compared(tmp_path, ["ynnn"] * 8, ["yyyy"] * 8)
    assert (found.word, found.groups, found.runs, found.evaluation) == ("better", 8, (16, 16), "")
    assert found.sign_flip is not None and found.sign_flip.p == pytest.approx(2 / 256)
    assert found.mcnemar is not None and found.mcnemar.n == 8  # groups, not runs
    assert (found.base, found.tuned, found.difference.value) == (0, 1, 1)
    cp1 = next(question for question in found.questions if question.id == "CP1")
    assert cp1.p == pytest.approx(4 * 2 / 256)  # Holm over four questions


def test_worse_and_not_safe(tmp_path: Path) -> None:
    found = compared(tmp_path, ["yyyy"] * 8, ["nyyy"] * 7 + ["yyyy"])
    assert found.word == "worse"
    assert found.questions[0].new_no == tuple(f"g{group}" for group in range(7))


def test_alike_is_not_worse(tmp_path: Path) -> None:
    assert compared(tmp_path, ["yyyy"] * 36, ["yyyy"] * 36).word == "not worse"


def test_a_few_alike_may_have_missed_what_differs(tmp_path: Path) -> None:
    """Ten groups of which none differs would be seen in a third of cases where one in ten does."""
    found = compared(tmp_path, ["yyyy"] * 10, ["yyyy"] * 10)
    assert (found.word, found.more_groups) == ("not established", 26)


def test_a_few_groups_tell_nothing(tmp_path: Path) -> None:
    found = compared(tmp_path, ["ynnn"] * 5, ["yyyy"] * 5)
    assert (found.word, found.more_groups, found.sign_flip, found.student, found.mcnemar) == (
        "not established",
        1,
        None,
        None,
        None,
    )


def test_what_was_seen_may_need_more_groups(tmp_path: Path) -> None:
    found = compared(tmp_path, ["ynnn"] * 5 + ["yyyy"] * 5, ["ynnn"] * 4 + ["yyyy"] * 4 + ["ynnn"] * 2)
    assert found.word == "not established"
    assert found.difference.value == pytest.approx(-0.1)
    assert found.more_groups is not None and found.more_groups > 50


def test_groups_of_one_file_only_are_named(tmp_path: Path) -> None:
    found = compared(tmp_path, ["yyyy"] * 8, ["yyyy"] * 7)
    assert found.unpaired == ("g7",)


def test_verdicts_of_an_old_judge_are_not_compared_with_those_of_a_new_one(tmp_path: Path) -> None:
    """That would compare judges (ClawBench#368)."""
    base = lines(tmp_path / "base.jsonl", *(verdict(f"b{n}", "ynnn", group=f"g{n}", judge="old-1") for n in range(8)))
    tuned = lines(tmp_path / "tuned.jsonl", *(verdict(f"t{n}", "yyyy", group=f"g{n}", judge="new-2") for n in range(8)))
    with pytest.raises(UsageError, match="judged by old-1 and the second by new-2"):
        compare(base, tuned, rubric_file(tmp_path), margin=0.1)


def test_files_of_two_evaluations_are_not_mixed(tmp_path: Path) -> None:
    def file(name: str, run: str) -> Path:
        return lines(
            tmp_path / f"{name}.jsonl", *(verdict(f"{name}{n}", "yyyy", group=f"g{n}", run=f"{run}/1") for n in range(8))
        )

    base, tuned, other = file("base", "evaluation-001"), file("tuned", "evaluation-001"), file("other", "evaluation-002")
    found = compare(base, tuned, rubric_file(tmp_path), margin=0.1)
    assert (found.groups, found.evaluation) == (8, "evaluation-001")
    with pytest.raises(UsageError, match="is of evaluation-001 and the second of evaluation-002"):
        compare(base, other, rubric_file(tmp_path), margin=0.1)


def test_verdicts_of_a_changed_rubric_do_not_count(tmp_path: Path) -> None:
    base = lines(tmp_path / "base.jsonl", *(verdict(f"b{n}", "ynnn", group=f"g{n}", rubric="another") for n in range(8)))
    tuned = lines(tmp_path / "tuned.jsonl", *(verdict(f"t{n}", "yyyy", group=f"g{n}") for n in range(8)))
    with pytest.raises(UsageError, match="no verdict in this file counts") as refused:
        compare(base, tuned, rubric_file(tmp_path), margin=0.1)
    assert "this verdict is of the rubric another, not" in refused.value.details[0]
