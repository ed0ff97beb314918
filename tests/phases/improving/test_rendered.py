"""Every prompt of `improve` as it is sent, kept as a file to be read and reviewed.

After a change that is meant: FINETUNE_PREP_WRITE_SNAPSHOTS=1 python -m pytest tests/phases/improving/test_rendered.py
"""

from __future__ import annotations

import os
from pathlib import Path

from finetune_prep.core.request import Request
from finetune_prep.phases.drafting.prompt_files import BUILT_IN
from tests.phases.improving.projects import new_shop, piloted, proposed, taken, trial_of
from tests.phases.improving.simulated import Simulated, with_rules
from tests.phases.improving.test_simulations import RATES, SECOND, rule
from tests.phases.test_rendered_prompts import rendered

FOLDER = Path(__file__).parent / "rendered"


def test_every_prompt_of_improve_is_sent_as_it_was_reviewed(tmp_path: Path) -> None:
    """An edit of a clause that is there, one that adds what is missing, and the second judge."""
    first: dict[str, Request] = {}
    for name, weak, missing in (("improve-edit", ["FM1"], []), ("improve-edit.missing", [], ["FM2"])):
        shop = new_shop(tmp_path / name, more=SECOND)
        with_rules(shop, weak=weak, missing=missing)
        found = piloted(shop, Simulated(RATES, rule), 30, waive=("generation-prompt.guards",) if missing else ())
        if proposed(found)[0].state == "proposed":
            taken(found)
            trial_of(found)
        asked = [request for request in found.models.asked if request.origin.about in BUILT_IN]
        first.setdefault(name, next(one for one in asked if one.origin.item == "improve-001/1"))
        for request in asked:
            first.setdefault(request.origin.about, request)
    assert {name.partition(".")[0] for name in first} == {name for name in BUILT_IN if name.startswith("improve-")}
    if os.environ.get("FINETUNE_PREP_WRITE_SNAPSHOTS"):
        FOLDER.mkdir(exist_ok=True)
        for name, request in first.items():
            (FOLDER / f"{name}.txt").write_text(rendered(request), "utf-8")
    kept = {path.stem: path.read_text("utf-8") for path in FOLDER.glob("*.txt")}
    for name, request in first.items():
        assert rendered(request) == kept[name], f"{name} is sent differently; see the head of this file"
