"""How much a scaled run will ask, by what its pilot was like."""

from __future__ import annotations

from pathlib import Path

from finetune_prep.core.sample import Account
from finetune_prep.phases.pilot.plan import current_plan
from finetune_prep.phases.scaling.scale import Size
from finetune_prep.project.project import open_project
from finetune_prep.project.runs import run_of
from finetune_prep.workflow.planned_calls import Used
from finetune_prep.workflow.scaling.expected import expected
from tests.phases.pottery_shop import pottery_project
from tests.results import write_results


def test_what_has_a_fault_is_not_judged(tmp_path: Path) -> None:
    """As large a share of the conversations as of the pilot's: rows at half of them, and verdicts for eight of ten."""
    shop = pottery_project(tmp_path / "shop")
    run = run_of(shop.layout, current_plan(shop, 10))
    write_results(run, [], [], Account(planned=10, states={"accepted": 5, "rejected": 3, "faulty": 2}))
    calls = {row.role: row.calls for row in expected(shop, Used(), Size(rows=100)).rows}
    assert calls["judge"] == 160
    assert calls["user"] == calls["assistant"] > 200


def test_second_verdicts_of_the_judge_are_none_of_its_own_and_a_second_judge_is_counted(tmp_path: Path) -> None:
    shop = pottery_project(tmp_path / "shop")
    more = '\n[roles.verifier]\nmodel = "batch/another-model"\n\n[pilot]\nsecond_judge = 0.25\nrepeat = 0.5\n'
    shop.layout.config.write_text(shop.layout.config.read_text("utf-8") + more, "utf-8")
    shop = open_project(shop.folder)
    run = run_of(shop.layout, current_plan(shop, 10))
    write_results(run, [], [], Account(planned=10, states={"accepted": 5, "rejected": 5}))
    calls = [(row.role, row.calls) for row in expected(shop, Used(), Size(rows=100)).rows if row.role in ("judge", "verifier")]
    assert sorted(calls) == [("judge", 200), ("verifier", 50)]
