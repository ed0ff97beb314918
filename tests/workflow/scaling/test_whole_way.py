"""What the whole way to the rows of a training set costs, before a pilot shows how many are accepted."""

from __future__ import annotations

from pathlib import Path

import pytest

from finetune_prep.core.sample import Account
from finetune_prep.method import limits
from finetune_prep.phases.pilot.plan import current_plan
from finetune_prep.project.beginning.scaffold import config_text, create
from finetune_prep.project.layout import Layout
from finetune_prep.project.project import Project, open_project
from finetune_prep.project.runs import SCALE, run_of, runs
from finetune_prep.workflow.estimate import ALL, estimate
from finetune_prep.workflow.scaling.whole_way import SHARES, SHOP_CONVERSATIONS, SHOP_ROWS, way_to_rows, whole_way
from tests.phases.pottery_shop import pottery_project
from tests.results import write_results

PRICES = '\n[prices."any-model"]\ninput = 1.0\noutput = 10.0\n'
CONFIG = config_text("pottery", "larch/any-model", "http://larch.example/v1", "", year=2026)


@pytest.fixture
def fresh(tmp_path: Path) -> Project:
    """As `new` leaves it, whose models cost a dollar for a million tokens in and ten for a million out."""
    create(tmp_path / "fresh", "# Pottery\n\nA shop.\n", CONFIG + PRICES)
    return open_project(tmp_path / "fresh")


def test_documents_once_and_conversations_as_many_as_it_takes(fresh: Project) -> None:
    """The pilot's are among them: at the share that is accepted, so many give the rows."""
    whole = estimate(fresh, None, ALL)
    documents = estimate(fresh, None, [phase for phase in ALL if phase != "pilot"])
    assert documents.cost
    assert whole.cost
    found = whole_way(fresh, None)
    assert (found.rows, [way.accepted for way in found.ways]) == (limits.SCALE.fewest, [*SHARES])
    assert [way.conversations for way in found.ways] == [3334, 2858, 2500, 2223]
    each = (whole.cost - documents.cost) / limits.PILOT
    for way in found.ways:
        assert way.cost == pytest.approx(documents.cost + way.conversations * each)
        assert way.calls == pytest.approx(
            documents.calls + way.conversations * (whole.calls - documents.calls) / limits.PILOT, abs=1
        )
    assert found.first_wave == pytest.approx(found.first_conversations * each)


def test_what_is_said_of_the_bundled_shop_is_what_its_run_came_to() -> None:
    shop = Path(__file__).parents[3] / "examples" / "online-shop"
    (run,) = runs(Layout(shop), SCALE)
    account = run.account()
    assert account is not None
    assert (account.states["accepted"], account.planned) == (SHOP_ROWS, SHOP_CONVERSATIONS)


def test_documents_that_are_there_cost_nothing_more(tmp_path: Path, fresh: Project) -> None:
    shop = pottery_project(tmp_path / "shop")
    shop.layout.config.write_text(CONFIG + PRICES, "utf-8")
    project = open_project(shop.folder)
    cost = estimate(project, None, ("pilot",)).cost
    assert cost
    assert whole_way(project, None, 60).ways[0].cost == pytest.approx(cost), "100 conversations, and nothing else"


def test_a_price_that_nobody_knows_makes_no_cost(tmp_path: Path) -> None:
    create(tmp_path / "fresh", "# Pottery\n\nA shop.\n", CONFIG)
    found = whole_way(open_project(tmp_path / "fresh"), None)
    assert (found.first_wave, {way.cost for way in found.ways}) == (None, {None})
    assert found.ways[0].calls > found.ways[-1].calls > 10_000


def test_after_a_pilot_its_own_rate_is_what_counts(tmp_path: Path) -> None:
    shop = pottery_project(tmp_path / "shop")
    assert way_to_rows(shop) is not None
    run = run_of(shop.layout, current_plan(shop, 2))
    write_results(run, [], [], Account(planned=2, states={"accepted": 1, "rejected": 1}))
    assert way_to_rows(shop) is None
