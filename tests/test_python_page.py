"""docs/python.md does what it says: its code runs, in a script and under a loop that runs already."""

from __future__ import annotations

import ast
import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import finetune_prep as fp
from finetune_prep.core.request import Origin, Request
from finetune_prep.project.project import open_project
from finetune_prep.workflow.looking import looked
from tests.phases.pottery_shop import accept_all, pottery_project
from tests.whole.way import example_project

PAGE = (Path(__file__).parents[1] / "docs" / "python.md").read_text("utf-8")
CODE = "\n".join(re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))


async def run(code: str) -> dict[str, Any]:
    """Run code with `await` at its top level, as a notebook does; what it defined."""
    names: dict[str, Any] = {}
    done = eval(compile(code, "python.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), names)
    if done is not None:
        await done
    return names


def test_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """On the bundled example, whose recording answers."""
    example_project(tmp_path / "my-domain")
    monkeypatch.chdir(tmp_path)
    names = asyncio.run(run(CODE))
    assert names["prepared"].to_accept == ()
    assert names["report"].states == {"accepted": 15, "flawed": 7, "rejected": 2}
    assert names["exported"].rows == 15
    assert "22 of 24 passed" in capsys.readouterr().out


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> fp.Project:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-never-sent")
    project = pottery_project(tmp_path / "shop", model="openai/gpt-4.1")
    accept_all(project)
    return project


@pytest.mark.parametrize("confirm", [None, lambda estimate: False])
async def test_money_is_agreed_to_first(shop: fp.Project, confirm: Callable[..., bool] | None) -> None:
    """Without a budget or a yes nothing is asked."""
    with pytest.raises(fp.FinetunePrepError) as caught:
        await fp.pilot(shop, n=2, confirm=confirm)
    assert "confirm=" in caught.value.next
    assert looked(open_project(shop.folder), lambda ledger: ledger.reports.count(), 0) == 0


async def test_a_session_of_ones_own_is_agreed_to_as_well(shop: fp.Project) -> None:
    async with fp.open_session(shop) as session:
        origin = Origin("a question")
        asked = session.roles.request("expert", phase="pilot", origin=origin, messages=[fp.Message("user", "Does it hold?")])
        with pytest.raises(fp.FinetunePrepError, match="costs money, and no person has agreed to that"):
            await session.door.ask(asked)


async def test_a_question_about_money_may_be_asynchronous(shop: fp.Project) -> None:
    asked = []

    async def confirm(estimate: Any) -> bool:
        asked.append(estimate.calls)
        await asyncio.sleep(0)
        return False

    with pytest.raises(fp.FinetunePrepError, match="nothing was asked"):
        await fp.pilot(shop, n=2, confirm=confirm)
    assert asked[0] > 0


async def test_an_object_of_ones_own_answers(shop: fp.Project) -> None:
    """It is the caller's, and so is what it costs."""

    def answer(request: Request) -> str:
        return "We send a new one today."

    report = await fp.pilot(shop, n=2, provider=fp.Scripted(answer))
    assert (report.judged, report.exit_code) == (0, 1)
    assert report.reasons


def test_names_are_completed() -> None:
    assert dir(fp) == sorted(fp.__all__)


async def test_rows_that_no_judge_could_judge_are_opened_again(tmp_path: Path) -> None:
    project = pottery_project(tmp_path / "shop")
    accept_all(project)
    numbers = iter(range(100))
    mumbling = fp.Scripted(
        lambda request: "It is fine." if request.schema else f"A new bowl leaves today, number {next(numbers)}."
    )
    report = await fp.pilot(project, n=2, provider=mumbling)
    assert report.states == {"unjudged": 2}
    opened = fp.retry(project, "unjudged", by="Ada")
    assert (opened.asked_again, opened.kinds) == (2, {"unjudged": 2})
    assert fp.retry(project, by="Ada").open_already == 2
