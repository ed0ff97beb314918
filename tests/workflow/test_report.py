"""What the report of a run says of money: from the ledger alone, so that it says the same whenever it is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from finetune_prep.core.request import Origin, Reply, Usage
from finetune_prep.core.sample import STATES, Account
from finetune_prep.ledger.protocols import Entry
from finetune_prep.ledger.sqlite.ledger import SqliteLedger
from finetune_prep.phases.pilot.plan import current_plan
from finetune_prep.project.project import Project
from finetune_prep.project.runs import Run, run_of
from finetune_prep.workflow.report import money_of, reported
from tests.models.examples import request
from tests.phases.pottery_shop import pottery_project
from tests.results import write_results

ACCOUNT = Account(planned=2, states=dict.fromkeys(STATES, 0) | {"accepted": 2})


@pytest.fixture
def shop(tmp_path: Path) -> Project:
    return pottery_project(tmp_path / "shop")


@pytest.fixture
def run(shop: Project) -> Run:
    found = run_of(shop.layout, current_plan(shop, 2))
    write_results(found, [], [], ACCOUNT)
    return found


async def answered(shop: Project, run: Run, *costs: float | None, cached: int = 0) -> None:
    shop.layout.ledger.parent.mkdir(exist_ok=True)
    ledger = SqliteLedger(shop.layout.ledger)
    for number, cost in enumerate(costs):
        asked = request(f"{number}", phase="pilot", origin=Origin(run=run.name, scenario=f"{number}"))
        await ledger.answers.put(Entry(asked, Reply(text="yes", cost=cost, usage=Usage(input=100, cached=cached, output=9))))
    ledger.close()


async def test_the_report_says_what_a_row_cost_and_how_much_came_from_caches(shop: Project, run: Run) -> None:
    await answered(shop, run, 0.5, 1.0, cached=85)
    said = "Its answers cost $1.50, $0.7500 for each accepted row; 85% of the prompts came from providers’ caches."
    found = reported(shop, run, ACCOUNT)
    assert money_of(found.costs.of_run(run.name), ACCOUNT) == said
    assert said in run.report_path.read_text("utf-8")


@pytest.mark.parametrize("costs", [(), (0.0, 0.0), (0.5, None)])
async def test_where_nothing_was_paid_or_a_price_is_not_known_it_says_nothing(
    shop: Project, run: Run, costs: tuple[float | None, ...]
) -> None:
    await answered(shop, run, *costs)
    assert money_of(reported(shop, run, ACCOUNT).costs.of_run(run.name), ACCOUNT) == ""
