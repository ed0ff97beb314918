"""`scale` and `audit` as a program calls them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

import finetune_prep as fp
from finetune_prep.errors import GateError
from finetune_prep.phases.pilot.pilot import pilot
from finetune_prep.phases.session import open_session
from finetune_prep.project.project import open_project
from tests.phases.pottery_shop import accept_all, pottery_project
from tests.phases.scaling.simulated import Simulated
from tests.workflow.scaling.projects import allow


def test_a_program_scales_what_has_passed_and_audits_the_rows(tmp_path: Path) -> None:
    shop = pottery_project(tmp_path / "shop")
    text = shop.layout.config.read_text("utf-8")
    shop.layout.config.write_text(f'{text}\n[pilot]\nway = "one-call"\n', "utf-8")
    shop = open_project(shop.folder)
    accept_all(shop)
    script = fp.Scripted(Simulated(shop, lambda scenario, written: 0.9).answer)

    async def piloted() -> None:
        async with open_session(shop, provider=script) as session:
            run, _ = await pilot(session, 100)
        with pytest.raises(GateError, match="scaling must wait"):
            await fp.scale(shop, 110, provider=script)
        allow(shop, run)

    asyncio.run(piloted())
    told: list[str] = []
    found = asyncio.run(fp.scale(shop, 110, provider=script, tell=told.append))
    assert (found.result.end, found.states["accepted"], found.exit_code) == ("reached", 110, 0)
    assert sum(found.states.values()) == found.planned
    assert any("of the first 50 conversations are accepted; at this rate 110 rows take about" in line for line in told)
    assert any(line.endswith("conversations") and "of 110 rows are accepted, of 110" in line for line in told), (
        "after the first wave"
    )
    assert found.next == "finetune-prep review --run scale-001 -n 10"
    audited = fp.audit(shop)
    assert (audited.run, audited.rows) == ("scale-001", 110)
