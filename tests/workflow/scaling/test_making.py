"""The report of a scaled run: written with it, the same as a pilot's with waves and cells beside it, and paged like one."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import msgspec
import pytest

from finetune_prep.core.request import Request
from finetune_prep.errors import Paused
from finetune_prep.exports.talks import pages
from finetune_prep.models.providers.scripted import Answer, Scripted
from finetune_prep.phases.scaling.scale import Passed, Size
from finetune_prep.phases.session import open_session
from finetune_prep.project.project import Project
from finetune_prep.project.runs import SCALE, runs
from finetune_prep.statistics.rates import wilson
from finetune_prep.workflow.report import renew_report
from finetune_prep.workflow.reviewing.judge_word import NOT_MEASURED
from finetune_prep.workflow.scaling.making import make_rows
from finetune_prep.workflow.scaling.summary import ScaleSummary
from tests.exports.test_report import Page
from tests.phases.pottery_shop import accept_all, pottery_project
from tests.phases.scaling.simulated import Rate, Simulated
from tests.phases.scaling.test_scale import AT_THE_PILOT, by_cell
from tests.workflow.reviewing.pilots import say


@pytest.fixture
def shop(tmp_path: Path) -> Project:
    found = pottery_project(tmp_path / "shop")
    accept_all(found)
    return found.conversing("one-call")


def made(shop: Project, rows: int, rate: Rate = by_cell, passed: Passed = AT_THE_PILOT) -> ScaleSummary:
    script = Scripted(Simulated(shop, rate).answer)

    async def go() -> ScaleSummary:
        async with open_session(shop, provider=script) as session:
            return await make_rows(session, Size(rows=rows), passed, {})

    return asyncio.run(go())


def page_of(shop: Project, found: ScaleSummary) -> Page:
    return Page((shop.folder / found.report).read_text("utf-8"))


def test_it_says_what_a_pilots_report_says_and_every_wave_and_cell(shop: Project) -> None:
    def rate(scenario: object, written: int) -> float:
        return 0.03 if str(scenario.cell) == "TP3/normal" else by_cell(scenario, written)  # type: ignore[attr-defined]

    found = made(shop, 150, rate, Passed(0.6, frozenset()))
    page = page_of(shop, found)
    assert f"scale-001: 150 rows wanted, {found.planned} conversations made" in page.text
    assert "150 of 150 rows" in page.text
    (given_up,) = found.exhausted
    assert (
        f"{given_up.cell} is exhausted: {given_up.accepted} of {given_up.planned} rows, after {given_up.good} of {given_up.tried}"
        in page.text
    )
    assert not found.off, "others have more only to make up for it"
    rate_of = found.rate
    assert f"passed: {rate_of.k} of {rate_of.n}, 95% interval {100 * rate_of.low:.0f} to {100 * rate_of.high:.0f}%" in page.text
    rows, surplus = found.states["accepted"], found.states.get("surplus", 0)
    assert (
        f"acceptable: {rows + surplus} of {rate_of.n} ({(rows + surplus) / rate_of.n:.0%}); {rows} are training rows" in page.text
    )
    labels = [attributes.get("aria-label") or "" for _, attributes in page.tags]
    assert not [label for label in labels if label.startswith("accepted:")], "a number that was ordered has no interval"
    for number, wave in enumerate(found.result.waves, start=1):
        passed = wilson(wave.passed, wave.counted)
        assert passed.value is not None
        mix = "as in the pilot" if wave.fair else "cells that lack rows"
        expected = f"{100 * wave.expected_passed / wave.tested:.0f}%"
        assert f"{number} {mix} {wave.candidates} {100 * passed.value:.0f}% {expected} {wave.accepted}" in page.text
        label = f"95% interval {100 * passed.low:.0f} to {100 * passed.high:.0f}%"
        assert label in [attributes.get("aria-label") for _, attributes in page.tags]
    for cell in found.result.cells:
        assert f"{cell.cell} {'exhausted ' if cell.exhausted else ''}{cell.accepted} {cell.planned} {cell.tried}" in page.text
    for heading in ("Waves", "Cells", "Questions", "Where they pass", "Read these first", "Conversations"):
        assert heading in page.text
    assert "Drift: " in page.text
    assert NOT_MEASURED in page.text


def test_waves_and_cells_sum_to_what_the_account_says(shop: Project) -> None:
    found = made(shop, 150)
    waves = found.result.waves
    assert sum(wave.candidates for wave in waves) == found.planned == sum(found.states.values())
    assert sum(wave.accepted for wave in waves) == found.states["accepted"] == 150
    assert (sum(wave.passed for wave in waves), sum(wave.counted for wave in waves)) == (found.rate.k, found.rate.n)
    assert sum(wave.tested_passed for wave in waves) == found.result.tested_passed
    assert [wave.fair for wave in waves] == sorted((wave.fair for wave in waves), reverse=True)
    assert len(waves) > 1


def test_one_that_drift_stopped_leads_to_its_last_failures(shop: Project) -> None:
    found = made(shop, 400, lambda scenario, written: 0.3, Passed(0.9, frozenset()))
    (run,) = runs(shop.layout, SCALE)
    page = page_of(shop, found)
    assert "Stopped: fewer pass than in the pilot" in page.text
    assert "400 rows wanted" in page.text
    failed = [sample.scenario.id for sample in run.each_sample() if sample.state == "rejected"][-3:]
    assert all(f"shows what is said above · {id}" in page.text for id in failed)
    assert found.report == "runs/scale-001/report.html"


def test_a_large_one_has_pages(shop: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "MOST_IN_ONE", 60_000)
    monkeypatch.setattr(pages, "MOST_OF_A_PAGE", 50_000)
    monkeypatch.setattr(pages, "MOST_OF_A_GROUP", 20_000)
    found = made(shop, 60)
    (run,) = runs(shop.layout, SCALE)
    beside = sorted((run.folder / pages.FOLDER).glob("*.html"))
    assert len(beside) > 2
    told = "".join(path.read_text("utf-8") for path in beside)
    assert all(sample.scenario.id in told for sample in run.each_sample())
    assert f"of {found.planned} are shown here" in page_of(shop, found).text


def test_what_people_said_since_stands_in_it(shop: Project) -> None:
    found = made(shop, 40)
    (run,) = runs(shop.layout, SCALE)
    assert "A person has labelled 0 of its conversations; 10 are asked for" in page_of(shop, found).text
    judged = [number for number, sample in enumerate(run.samples()) if sample.score is not None]
    for number in judged[:10]:
        say(shop, run, number, "pass")
    renew_report(shop, run)
    text = page_of(shop, found).text
    assert "are asked for" not in text
    assert "Against people's labels it is" in text


def test_one_that_is_stopped_has_a_report_of_what_is_there(shop: Project) -> None:
    simulated, left = Simulated(shop, by_cell), [90]

    def answer(request: Request) -> Answer:
        left[0] -= 1
        return Paused("the budget is spent") if left[0] < 0 else simulated.answer(request)

    async def go() -> ScaleSummary:
        async with open_session(shop, provider=Scripted(answer)) as session:
            return await make_rows(session, Size(rows=150), AT_THE_PILOT, {}, window=8)

    with pytest.raises(Paused):
        asyncio.run(go())
    (run,) = runs(shop.layout, SCALE)
    account = run.account()
    assert account is not None
    text = Page(run.report_path.read_text("utf-8")).text
    assert f"{account.states['accepted']} of 150 rows" in text
    assert "Stopped: the budget is spent" in text


def test_as_json_it_holds_what_the_terminal_says(shop: Project) -> None:
    told = json.loads(msgspec.json.encode(made(shop, 40)))
    assert told["judge"] == NOT_MEASURED
    assert told["figures"]["habits"]
    assert [wave["candidates"] for wave in told["result"]["waves"]]
    assert told["report"] == "runs/scale-001/report.html"
