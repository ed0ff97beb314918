"""What is kept of a scaled run: one run for every size, and files that say what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from finetune_prep.errors import UsageError
from finetune_prep.phases.scaling.scale import Size, scale_plan
from finetune_prep.project.project import Project
from finetune_prep.project.runs import runs
from finetune_prep.project.scaling.result import cells_in_words, read_result, result_path, same_but_for_size, scaled_run_of
from tests.phases.pottery_shop import pottery_project
from tests.workflow.auditing.sets import scaled


@pytest.fixture
def shop(tmp_path: Path) -> Project:
    return pottery_project(tmp_path / "shop")


@pytest.mark.parametrize(
    ("sizes", "command", "wanted"),
    [
        ([Size(rows=2000)], "finetune-prep scale 2000", 2000),
        ([Size(rows=2000), Size(rows=5000)], "finetune-prep scale 5000", 5000),
        ([Size(rows=300, topic="TP3")], "finetune-prep scale 300 --topic TP3", 300),
        ([Size(rows=2000), Size(rows=300, topic="TP3")], "finetune-prep scale 2000", 2300),
        ([Size(rows=300, topic="TP3"), Size(rows=2000, most=9000)], "finetune-prep scale 2000 --max-candidates 9000", 2300),
        ([Size(rows=2000, most=9000), Size(rows=2000)], "finetune-prep scale 2000", 2000),
    ],
)
def test_all_sizes_are_one_run_and_its_command_goes_on_with_it(
    shop: Project, sizes: list[Size], command: str, wanted: int
) -> None:
    for size in sizes:
        run = scaled_run_of(shop.layout, scale_plan(shop, size))
    assert [found.name for found in runs(shop.layout)] == ["scale-001"]
    assert (run.plan.command, run.plan.wanted) == (command, wanted)
    assert runs(shop.layout)[0].plan == run.plan, "the plan on disk is the one of today"


def test_other_documents_are_another_run(shop: Project) -> None:
    plan = scale_plan(shop, Size(rows=100))
    scaled_run_of(shop.layout, plan)
    other = msgspec.structs.replace(plan, seed=99)
    assert same_but_for_size(shop.layout, other) is None
    assert scaled_run_of(shop.layout, other).name == "scale-002"


def test_a_pilots_plan_says_nothing_of_scaling(shop: Project) -> None:
    """What was written of pilots before stays the same, byte for byte."""
    encoded = msgspec.json.encode(msgspec.structs.replace(scale_plan(shop, Size(rows=100)), kind="pilot"))
    assert b'"more"' not in encoded
    assert b'"most"' not in encoded


def test_a_result_that_a_person_broke_is_named_with_the_command_that_writes_it_anew(shop: Project) -> None:
    run = scaled(shop, 10)
    assert read_result(run) is not None
    assert cells_in_words(run)[-1].startswith("Every cell")
    result_path(run).write_text('{"wanted": ')
    with pytest.raises(UsageError) as caught:
        read_result(run)
    assert caught.value.where == "scale-001/scale.json"
    assert "finetune-prep scale 10" in caught.value.next
