"""The folder of an evaluation: the same plan is the same one, a margin is chosen once, and what cannot be read is said."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from finetune_prep.errors import UsageError
from finetune_prep.project.evaluating.runs import (
    EvaluationPlan,
    begin,
    evaluation_run_of,
    evaluation_runs,
    forget,
    write_talks,
)
from finetune_prep.project.layout import Layout
from finetune_prep.project.runs import runs
from tests.statistics.evaluation.talks import faulty, judged

PLAN = EvaluationPlan(
    arms=("base", "tuned"),
    groups=24,
    runs=2,
    margin=0.1,
    single=False,
    seed=1,
    scenarios=("a", "b"),
    language="en",
    models={
        "base": {"model": "small", "provider": "before/small"},
        "tuned": {"model": "small-tuned", "provider": "after/small-tuned"},
        "judge": {"model": "larch-1", "provider": "larch/larch-1"},
    },
    rubric="r1",
    evaluation_prompt="p1",
    texts={"user": "u", "base": "s", "tuned": "s"},
    prompts={"judge": "j1"},
)


def test_the_same_plan_is_the_same_evaluation_and_another_one_the_next(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    first = evaluation_run_of(layout, PLAN)
    assert (first.name, first.folder.exists()) == ("evaluation-001", False)
    begin(first)
    assert evaluation_run_of(layout, PLAN) == first
    assert evaluation_run_of(layout, msgspec.structs.replace(PLAN, rubric="r2")).name == "evaluation-002"
    assert [run.name for run in evaluation_runs(layout)] == ["evaluation-001"]
    assert runs(layout) == []  # no pilot


def test_another_margin_for_replies_that_are_known_is_refused(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    begin(evaluation_run_of(layout, PLAN))
    with pytest.raises(UsageError, match=r"was 0\.1 before its first reply") as refused:
        evaluation_run_of(layout, msgspec.structs.replace(PLAN, margin=0.3))
    assert refused.value.next == PLAN.command


@pytest.mark.parametrize(
    ("plan", "command"),
    [
        (
            PLAN,
            "finetune-prep evaluate --base before/small --tuned after/small-tuned -n 24 --runs 2 --margin 0.1",
        ),
        (
            msgspec.structs.replace(
                PLAN, arms=("base",), margin=0.0, single=True, models={name: PLAN.models[name] for name in ("base", "judge")}
            ),
            "finetune-prep evaluate --base before/small -n 24 --runs 2 --single",
        ),
        (
            msgspec.structs.replace(PLAN, left_out="it does not fit"),
            "finetune-prep evaluate --base before/small --tuned after/small-tuned --prompted -n 24 --runs 2 --margin 0.1",
        ),
    ],
)
def test_the_command_that_goes_on_with_it(plan: EvaluationPlan, command: str) -> None:
    assert plan.command == command


def test_what_was_refused_leaves_nothing_and_what_has_talks_stays(tmp_path: Path) -> None:
    run = evaluation_run_of(Layout(tmp_path), PLAN)
    begin(run)
    forget(run)
    assert not run.folder.exists()
    begin(run)
    write_talks(run, [], [judged("base", "a"), faulty("tuned", "a")], {})
    forget(run)
    assert run.folder.exists()


def test_talks_are_read_back_and_verdicts_have_the_form_of_the_measuring_tools(tmp_path: Path) -> None:
    run = evaluation_run_of(Layout(tmp_path), PLAN)
    begin(run)
    talks = [judged("base", "a"), faulty("base", "b"), judged("tuned", "a", SF1="no")]
    write_talks(run, [], talks, {"arms": []})
    assert run.talks() == talks
    (row,) = [json.loads(line) for line in run.verdicts_path("tuned").read_text("utf-8").splitlines()]
    assert (row["group"], row["run"], row["judge"], row["answers"]["SF1"]) == ("a", "evaluation-001/1", "larch-1", "no")
    assert len(run.verdicts_path("base").read_text("utf-8").splitlines()) == 1  # a loop has no verdict
    run.talks_path.write_text("{", "utf-8")
    with pytest.raises(UsageError, match="cannot be read"):
        run.talks()


def test_a_plan_that_cannot_be_read_is_named_and_a_persons_copy_is_left_alone(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    run = evaluation_run_of(layout, PLAN)
    begin(run)
    copy = tmp_path / "runs" / "my evaluation"
    copy.mkdir()
    (copy / "evaluation.json").write_text("{", "utf-8")
    assert len(evaluation_runs(layout)) == 1
    (run.folder / "evaluation.json").write_text("{", "utf-8")
    with pytest.raises(UsageError, match="this plan cannot be read"):
        evaluation_runs(layout)
