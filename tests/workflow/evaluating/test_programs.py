"""`fp.evaluate`: the same from a program, with money agreed to first."""

from __future__ import annotations

from pathlib import Path

import pytest

import finetune_prep as fp
from finetune_prep.project.project import open_project
from tests.cli.evaluated import evaluated
from tests.phases.pottery_shop import pottery_project

PRICED = "".join(f'[prices."{name}"]\ninput = 1.0\noutput = 4.0\n' for name in ("shop-base", "shop-tuned"))


async def test_a_program_evaluates(tmp_path: Path) -> None:
    shop = pottery_project(tmp_path / "shop")
    with evaluated(shop) as running:
        result = await fp.evaluate(
            open_project(shop.folder), "before/shop-base", "after/shop-tuned", groups=6, runs=1, single=True
        )
        calls = len(running.replies)
        again = await fp.evaluate(
            open_project(shop.folder), "before/shop-base", "after/shop-tuned", groups=6, runs=1, single=True
        )
    assert result.upshot == "Established: the tuned model is better than the base."
    assert result.table is not None
    assert (again.table, calls, len(running.replies)) == (result.table, 12, 12)
    assert (shop.folder / result.report).is_file()


async def test_money_is_agreed_to_first(tmp_path: Path) -> None:
    shop = pottery_project(tmp_path / "shop")
    with evaluated(shop, more=PRICED) as running:
        with pytest.raises(fp.FinetunePrepError) as caught:
            await fp.evaluate(open_project(shop.folder), "before/shop-base", groups=6, runs=1)
        assert "confirm=" in caught.value.next
        assert running.replies == []
        asked: list[int] = []
        result = await fp.evaluate(
            open_project(shop.folder),
            "before/shop-base",
            groups=6,
            runs=1,
            confirm=lambda estimate: asked.append(estimate.calls) is None,
        )
    assert asked and result.table is not None
    assert result.cost is not None and result.cost > 0


async def test_too_few_groups_are_refused(tmp_path: Path) -> None:
    with pytest.raises(fp.FinetunePrepError, match="5 groups are too few to tell models apart"):
        await fp.evaluate(pottery_project(tmp_path / "shop"), "batch/small", groups=5)
