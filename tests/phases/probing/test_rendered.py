"""Every prompt of probes as it is sent, kept as a file to be read and reviewed.

After a change that is meant: FINETUNE_PREP_WRITE_SNAPSHOTS=1 python -m pytest tests/phases/probing/test_rendered.py
"""

from __future__ import annotations

import os
from pathlib import Path

from finetune_prep.core.request import Request
from finetune_prep.models.providers.scripted import Scripted
from finetune_prep.phases.drafting.prompt_files import BUILT_IN
from finetune_prep.phases.probing.probe import Sizes, Source
from tests.phases.pottery_shop import accept_all, pottery_project
from tests.phases.probing.models import People, talks
from tests.phases.probing.test_probe import run
from tests.phases.test_rendered_prompts import rendered

FOLDER = Path(__file__).parent / "rendered"


def test_every_prompt_of_probes_is_sent_as_it_was_reviewed(tmp_path: Path) -> None:
    shop = pottery_project(tmp_path / "shop")
    accept_all(shop)
    script = Scripted(People(joined={"CP2": "NS2"}).answer)
    run(shop, script, Sizes(gate=1, each=1, neutral=1), Source(name="pilot-001", conversations=talks(2)))
    first: dict[str, Request] = {}
    for request in sorted(script.asked, key=lambda request: request.origin.item):
        if request.origin.about in BUILT_IN:
            first.setdefault(request.origin.about, request)
    assert set(first) == {name for name in BUILT_IN if name.startswith("probe-")}
    if os.environ.get("FINETUNE_PREP_WRITE_SNAPSHOTS"):
        FOLDER.mkdir(exist_ok=True)
        for name, request in first.items():
            (FOLDER / f"{name}.txt").write_text(rendered(request), "utf-8")
    kept = {path.stem: path.read_text("utf-8") for path in FOLDER.glob("*.txt")}
    for name, request in first.items():
        assert rendered(request) == kept[name], f"{name} is sent differently; see the head of this file"
