"""What is known of a pilot beside its own rows."""

from __future__ import annotations

from pathlib import Path

from finetune_prep.core.sample import Account
from finetune_prep.phases.pilot.plan import current_plan
from finetune_prep.project.runs import run_of
from finetune_prep.workflow.diagnosing.seen import seen_of
from tests.phases.pottery_shop import accept_all, pottery_project
from tests.results import write_results


def test_a_small_pilot_knows_the_finished_one_that_is_large_enough(tmp_path: Path) -> None:
    shop = pottery_project(tmp_path / "shop")
    accept_all(shop)
    small = Account(planned=20, states={"accepted": 20})
    run = run_of(shop.layout, current_plan(shop, 20))
    write_results(run, [], [], small)
    large = run_of(shop.layout, current_plan(shop, 100))
    assert seen_of(shop, run, small).larger == "", "it has not come to its end"
    whole = Account(planned=100, states={"accepted": 100})
    write_results(large, [], [], whole)
    assert seen_of(shop, run, small).larger == f"{large.name} of 100"
    assert seen_of(shop, large, whole).larger == ""
