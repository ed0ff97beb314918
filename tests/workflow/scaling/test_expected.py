"""How much a scaled run will ask, by what its pilot was like."""

from __future__ import annotations

import re
from math import ceil
from pathlib import Path
from random import Random

import pytest

from finetune_prep.core.sample import Account, Sample, State, account
from finetune_prep.core.scenarios.drawing import draw, quotas
from finetune_prep.core.scenarios.scenario import Scenario
from finetune_prep.documents.kinds import Documents
from finetune_prep.phases.pilot.plan import current_plan, planned
from finetune_prep.phases.scaling.allotting import Allotment
from finetune_prep.phases.scaling.scale import Size
from finetune_prep.project.project import open_project
from finetune_prep.project.runs import run_of
from finetune_prep.workflow.planned_calls import Used, mean_exchanges
from finetune_prep.workflow.scaling.expected import expected
from tests.phases.pottery_shop import pottery_project
from tests.results import write_results
from tests.workflow.auditing.sets import scaled


def test_what_has_a_fault_is_not_judged(tmp_path: Path) -> None:
    """As large a share of the conversations as of the pilot's: rows at half of them, and verdicts for eight of ten."""
    shop = pottery_project(tmp_path / "shop")
    run = run_of(shop.layout, current_plan(shop, 10))
    write_results(run, [], [], Account(planned=10, states={"accepted": 5, "rejected": 3, "faulty": 2}))
    found = expected(shop, Used(), Size(rows=100))
    calls = {row.role: row.calls for row in found.rows}
    conversations = int(found.about.partition(" take about ")[2].split()[0])
    assert calls["judge"] == ceil(0.8 * conversations)
    assert calls["user"] == calls["assistant"] > conversations


def test_hard_cells_and_topping_up_are_counted(tmp_path: Path) -> None:
    """Half of the pilot's conversations become rows, and more than twice as many as rows are made: what a run did take."""
    shop = pottery_project(tmp_path / "shop")
    space = shop.value(Documents.space)
    rows, n = 100, 50

    def rate(scenario: Scenario) -> float:
        return 0.2 if scenario.cell.topic in ("TP1", "TP2") else 0.9

    def state(scenario: Scenario) -> State:
        return "accepted" if Random(scenario.id).random() < rate(scenario) else "rejected"

    samples = [Sample(scenario=scenario, state=state(scenario)) for scenario in planned(space, n, shop.config.seed)]
    run = run_of(shop.layout, current_plan(shop, n))
    write_results(run, samples, [], account(samples))
    accepted = sum(sample.state == "accepted" for sample in samples)
    took = Allotment(quotas(space, rows), shop.config.seed, 400)
    for wave in took.waves():
        for cell, index in wave:
            good = state(draw(space, cell, index, shop.config.seed)) == "accepted"
            took.count(cell, passed=good)
            took.cells[cell].good += good
            took.cells[cell].accepted += good and bool(took.cells[cell].missing)
    found = expected(shop, Used(), Size(rows=rows)).about
    conversations = int(found.partition(" take about ")[2].split()[0])
    assert conversations > 1.1 * rows * n / accepted, "the mean of the pilot is too cheap"
    assert conversations == pytest.approx(took.taken, rel=0.15)
    assert re.search(r"; about \d+ will be surplus \(good, but their cell is full\)\.$", found)


def test_what_a_smaller_size_of_the_run_has_made_is_counted_as_it_came_out(tmp_path: Path) -> None:
    shop = pottery_project(tmp_path / "shop")
    run = run_of(shop.layout, current_plan(shop, 10))
    write_results(run, [], [], Account(planned=10, states={"accepted": 5, "rejected": 5}))
    before = expected(shop, Used(), Size(rows=60)).about
    scaled(shop, 60)
    assert "60 rows take about 60 conversations" in expected(shop, Used(), Size(rows=60)).about != before


def test_second_verdicts_of_the_judge_are_none_of_its_own_and_a_second_judge_is_counted(tmp_path: Path) -> None:
    shop = pottery_project(tmp_path / "shop")
    more = '\n[roles.verifier]\nmodel = "batch/another-model"\n\n[pilot]\nsecond_judge = 0.25\nrepeat = 0.5\n'
    shop.layout.config.write_text(shop.layout.config.read_text("utf-8") + more, "utf-8")
    shop = open_project(shop.folder)
    run = run_of(shop.layout, current_plan(shop, 10))
    write_results(run, [], [], Account(planned=10, states={"accepted": 5, "rejected": 5}))
    calls = {row.role: row.calls for row in expected(shop, Used(), Size(rows=100)).rows}
    assert calls["verifier"] == ceil(0.25 * calls["judge"])
    assert calls["judge"] * mean_exchanges(shop) == pytest.approx(calls["user"], abs=1), "one verdict of each conversation"
