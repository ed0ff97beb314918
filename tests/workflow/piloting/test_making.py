"""A run that has come to its end is made once, and again as soon as anything has changed that its rows rest on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from finetune_prep.core.request import Request
from finetune_prep.core.sample import Account
from finetune_prep.errors import Unreachable
from finetune_prep.models.providers.scripted import Scripted
from finetune_prep.phases.pilot import pilot as piloting
from finetune_prep.phases.pilot import waves
from finetune_prep.phases.pilot.made import Made
from finetune_prep.phases.pilot.waves import Course
from finetune_prep.phases.scaling.scale import Passed, Size
from finetune_prep.phases.session import open_session
from finetune_prep.project.decisions import Decision
from finetune_prep.project.project import Project
from finetune_prep.project.runs import Run
from finetune_prep.workflow.piloting import making
from finetune_prep.workflow.piloting.making import made_before, make_pilot
from finetune_prep.workflow.scaling import making as scaling
from finetune_prep.workflow.scaling.making import make_rows
from tests.phases.pottery_shop import accept_all, pottery_project, rewrite
from tests.phases.scaling.simulated import Simulated
from tests.phases.scaling.test_scale import by_cell


@pytest.fixture
def shop(tmp_path: Path) -> Project:
    found = pottery_project(tmp_path / "shop")
    accept_all(found)
    return found.conversing("one-call")


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is made, each time that it really is."""
    times: list[str] = []
    pilot, scale = making.pilot, scaling.scale

    async def piloted(*given: object) -> object:
        times.append("pilot")
        return await pilot(*given)  # type: ignore[arg-type]

    async def scaled(*given: object, **more: object) -> object:
        times.append("scale")
        return await scale(*given, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(making, "pilot", piloted)
    monkeypatch.setattr(scaling, "scale", scaled)
    return times


def piloted(shop: Project, n: int = 6, provider: Scripted | str | None = None) -> tuple[Run, Account]:
    async def go() -> tuple[Run, Account]:
        async with open_session(shop, provider=provider or Scripted(Simulated(shop, by_cell).answer)) as session:
            return (await make_pilot(session, n, Course()))[:2]

    return asyncio.run(go())


def scaled(shop: Project, rows: int, ruled_out: dict[str, str] | None = None) -> None:
    async def go() -> None:
        async with open_session(shop, provider=Scripted(Simulated(shop, by_cell).answer)) as session:
            await make_rows(session, Size(rows=rows), Passed(0.6, frozenset()), ruled_out or {})

    asyncio.run(go())


def known_before(shop: Project, n: int = 6) -> Run | None:
    async def go() -> Run | None:
        async with open_session(shop, provider=Scripted(Simulated(shop, by_cell).answer)) as session:
            found = await made_before(session, n)
            return found[0] if found else None

    return asyncio.run(go())


def files(run: Run) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (run.samples_path, run.verdicts_path, run.account_path)}


def kept(shop: Project, name: str) -> bool:
    return (shop.layout.private / "remembered" / f"finished-{name}.json").exists()


def made_until_kept(shop: Project) -> Run:
    """What was written in the present tick of the file system's clock is not trusted yet."""
    for _ in range(100):
        run, _ = piloted(shop)
        if kept(shop, run.name):
            return run
    raise AssertionError("never kept")


def test_a_pilot_by_batch_is_made_wave_by_wave(shop: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[bool] = []

    def in_waves(*given: Any, by_batch: bool) -> AsyncGenerator[Made]:
        told.append(by_batch)
        return waves.in_waves(*given, by_batch=by_batch)

    monkeypatch.setattr(piloting, "in_waves", in_waves)
    piloted(shop)
    _, account = piloted(shop, 60, "batch")
    assert told == [False, True]
    waiting, later = account.states["waiting"], account.states["not run"]
    assert (waiting > 0, later) == (True, 40), "beyond the first wave nothing is asked"
    (written,) = (shop.folder / "batches").glob("*.requests.jsonl")
    assert len(written.read_text("utf-8").splitlines()) == waiting


def test_a_finished_pilot_is_not_made_again(shop: Project, begun: list[str]) -> None:
    assert known_before(shop) is None
    run = made_until_kept(shop)
    assert known_before(shop) == run
    assert known_before(shop, 7) is None
    before, told = files(run), run.report_path.read_bytes()
    del begun[:]
    assert piloted(shop)[0] == run
    assert not begun
    assert files(run) == before
    assert run.report_path.read_bytes() == told
    piloted(shop, 7)
    assert begun == ["pilot"], "another size is another run"


def test_rows_that_were_changed_by_hand_are_made_again(shop: Project, begun: list[str]) -> None:
    run = made_until_kept(shop)
    before = files(run)
    for path in (run.samples_path, run.verdicts_path, run.account_path):
        path.write_bytes(path.read_bytes().replace(b"a", b"b", 1))
        del begun[:]
        made_until_kept(shop)
        assert begun, path.name
        assert files(run) == before


def test_a_run_rests_on_the_documents_that_are_in_no_plan(shop: Project, begun: list[str]) -> None:
    """The reference says which failures are grave, and which figures of a reply are known."""
    run = made_until_kept(shop)
    rewrite(shop, "domain-frameworks", "Name, own, next step", "Name, own, and the next step")
    rewrite(shop, "generation-prompt", "Name, own, next step", "Name, own, and the next step")
    accept_all(shop)
    del begun[:]
    made_until_kept(shop)
    assert begun
    del begun[:]
    path = shop.layout.document("domain-frameworks")
    path.write_text(f"{path.read_text('utf-8')}\n<!-- seen -->\n", "utf-8")
    accept_all(shop)
    assert piloted(shop)[0].plan.kind == run.plan.kind
    assert begun == ["pilot"]


def test_what_a_person_opens_again_is_asked_for(shop: Project, begun: list[str]) -> None:
    made_until_kept(shop)
    del begun[:]
    decision = Decision(decision="retry", by="Ada", at="2026-01-01T00:00:00+00:00", text="", keys=("0" * 32,))
    with shop.layout.decisions.open("ab") as file:
        file.write(msgspec.json.encode(decision) + b"\n")
    piloted(shop)
    assert begun == ["pilot"]


def test_a_pilot_with_outstanding_answers_is_gone_on_with(shop: Project, begun: list[str]) -> None:
    class Gone(Simulated):
        def answer(self, request: Request) -> str:
            if request.role == "judge":
                raise Unreachable("the judge is gone")
            return super().answer(request)

    for _ in range(3):
        run, account = piloted(shop, provider=Scripted(Gone(shop, by_cell).answer))
        assert account.outstanding == account.planned
        assert not kept(shop, run.name)
    del begun[:]
    assert not piloted(shop)[1].outstanding
    assert begun == ["pilot"]


def test_rows_that_are_there_are_not_made_again_unless_a_person_rules_one_out(shop: Project, begun: list[str]) -> None:
    for _ in range(100):
        scaled(shop, 12)
        if kept(shop, "scale-001"):
            break
    del begun[:]
    scaled(shop, 12)
    assert not begun
    scaled(shop, 12, {"0" * 32: "it names somebody"})
    assert begun == ["scale"]
    del begun[:]
    scaled(shop, 14)
    assert begun == ["scale"]
