"""The folder of a probing run: the same plan is the same run, and what cannot be read is said with the way out."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from finetune_prep.errors import UsageError
from finetune_prep.project.layout import Layout
from finetune_prep.project.probing.runs import ProbePlan, begin, forget, probe_run_of, probe_runs, write_trials
from finetune_prep.project.runs import runs

PLAN = ProbePlan(
    kind="probe",
    gate=16,
    each=6,
    neutral=24,
    seed=1,
    source="few-shots",
    bases=("a", "b"),
    rubric="r1",
    subjects="s1",
    evaluation_prompt="p1",
    models={"judge": {"model": "larch-1"}},
    prompts={"judge": "j1"},
)


def test_the_same_plan_is_the_same_run_and_another_one_the_next(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    first = probe_run_of(layout, PLAN)
    assert (first.name, first.folder.exists()) == ("probe-001", False)
    begin(first)
    assert probe_run_of(layout, PLAN) == first
    other = probe_run_of(layout, msgspec.structs.replace(PLAN, rubric="r2"))
    assert other.name == "probe-002"
    planted = probe_run_of(layout, msgspec.structs.replace(PLAN, kind="failures"))
    assert (planted.name, planted.plan.command) == ("failures-001", "finetune-prep probe --failures")
    assert [run.name for run in probe_runs(layout, "probe")] == ["probe-001"]
    assert not first.finished
    write_trials(first, [], {"run": "probe-001"})
    assert first.finished


def test_it_is_no_pilot(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    begin(probe_run_of(layout, PLAN))
    assert runs(layout) == []


def test_only_a_run_without_answers_is_taken_away(tmp_path: Path) -> None:
    run = probe_run_of(Layout(tmp_path), PLAN)
    begin(run)
    write_trials(run, [], {})
    forget(run)
    assert run.finished
    other = probe_run_of(Layout(tmp_path), msgspec.structs.replace(PLAN, seed=2))
    begin(other)
    forget(other)
    assert not other.folder.exists()


@pytest.mark.parametrize("broken", ["{", '{"kind": "probe"}', '"\\ud800"'])
def test_a_plan_that_cannot_be_read_is_named(tmp_path: Path, broken: str) -> None:
    layout = Layout(tmp_path)
    run = probe_run_of(layout, PLAN)
    begin(run)
    (run.folder / "probe.json").write_text(broken, "utf-8")
    with pytest.raises(UsageError) as refused:
        probe_runs(layout, "probe")
    assert refused.value.where == "runs/probe-001/probe.json"
    assert refused.value.next == "delete the folder probe-001"
