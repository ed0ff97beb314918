"""What stands in every prompt of the preparation."""

from __future__ import annotations

from pathlib import Path

import pytest

from finetune_prep.models.roles import Roles
from finetune_prep.phases.requests import OVER_DAYS, Requests
from finetune_prep.project.project import open_project
from tests.phases.pottery_shop import pottery_project


@pytest.mark.parametrize("spans", ["sitting", "days"])
def test_who_writes_or_judges_talks_over_days_knows_of_the_lines_between_them(tmp_path: Path, spans: str) -> None:
    shop = pottery_project(tmp_path / "shop")
    brief = shop.layout.document("brief")
    brief.write_text(brief.read_text("utf-8").replace("---\n", f"---\nspans: {spans}\n", 1), "utf-8")
    project = open_project(shop.folder)
    requests = Requests(project, Roles(project.config))
    plain, told = requests.slots(question="?"), requests.slots_of_talks(question="?")
    assert OVER_DAYS not in plain["brief"]
    assert told["brief"].removeprefix(plain["brief"]).strip() == (OVER_DAYS if spans == "days" else "")
    assert (plain["question"], told["question"]) == ("?", "?")
