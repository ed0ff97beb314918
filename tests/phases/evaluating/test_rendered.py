"""What user and model are given before anybody has written their prompts, kept as files to be read and reviewed.

After a change that is meant: FINETUNE_PREP_WRITE_SNAPSHOTS=1 python -m pytest tests/phases/evaluating/test_rendered.py
"""

from __future__ import annotations

import os
from pathlib import Path

from finetune_prep.models.roles import Roles
from finetune_prep.phases.evaluating.evaluate import named, voices
from finetune_prep.phases.requests import Requests
from tests.phases.pottery_shop import accept_all, pottery_project

FOLDER = Path(__file__).parent / "rendered"


def test_the_brief_stands_in_as_it_was_reviewed(tmp_path: Path) -> None:
    shop = named(pottery_project(tmp_path / "shop"), "batch/small", "")
    found = voices(Requests(shop, Roles(shop.config)))["base"]
    texts = {"evaluate-user": found.user, "evaluate-assistant": found.assistant}
    if os.environ.get("FINETUNE_PREP_WRITE_SNAPSHOTS"):
        FOLDER.mkdir(exist_ok=True)
        for name, text in texts.items():
            (FOLDER / f"{name}.txt").write_text(f"{text}\n", "utf-8")
    assert {path.stem: path.read_text("utf-8") for path in FOLDER.glob("*.txt")} == {
        name: f"{text}\n" for name, text in texts.items()
    }


def test_accepted_prompts_go_before_it(tmp_path: Path) -> None:
    shop = named(pottery_project(tmp_path / "shop"), "batch/small", "batch/small-tuned")
    accept_all(shop)
    found = voices(Requests(shop, Roles(shop.config)))
    assert found["base"] == found["tuned"]
    assert found["base"].user == found["prompted"].user
    assert len(found["prompted"].assistant) > 5 * len(found["base"].assistant)
