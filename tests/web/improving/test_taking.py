"""Taking and leaving an edit in a real browser: by keyboard alone, by mouse on a phone, and without a script."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from finetune_prep.project.project import Project
from tests.web.browsing import IN_A_BROWSER, opened, started, tabbed_to
from tests.web.improving.test_edits import prompt, with_edits
from tests.web.serving import Served, served

pytestmark = IN_A_BROWSER


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with started() as browser:
        yield browser


@pytest.fixture
def shop(tmp_path: Path) -> Project:
    return with_edits(tmp_path / "shop").project


@pytest.fixture
def page_of(shop: Project) -> Iterator[Served]:
    with served(shop) as page:
        yield page


def acts(project: Project) -> list[tuple[str, str, bool]]:
    return [(one.decision, one.by, one.interactive) for one in project.decisions() if one.edit]


def test_an_edit_is_taken_and_put_back_by_keyboard_alone(browser: Browser, page_of: Served, shop: Project) -> None:
    before = prompt(shop)
    context, tab = opened(browser, page_of)
    tabbed_to(tab, "nav a[href='/improve']")
    tab.keyboard.press("Enter")
    tab.wait_for_selector("h1:has-text('What fails in pilot-001')")
    assert "KEEPS-FM1" in " ".join(tab.locator("#edit-1 ins").all_inner_texts())
    tabbed_to(tab, "[aria-label='Take edit 1']")
    tab.keyboard.press("Enter")
    tab.wait_for_selector("text=Edit 1 is taken and not tried yet")
    assert "keep to the rule KEEPS-FM1 then" in prompt(shop)
    assert acts(shop) == [("take", "Ada Larch", True)]
    tabbed_to(tab, "[aria-label='Put back what stood there before edit 1']")
    tab.keyboard.press("Enter")
    tab.wait_for_selector("text=put back by Ada Larch")
    assert prompt(shop) == before
    assert acts(shop)[-1] == ("back", "Ada Larch", True)
    context.close()


@pytest.mark.parametrize("script", [True, False])
def test_an_edit_is_left_on_a_phone(browser: Browser, page_of: Served, shop: Project, script: bool) -> None:
    before = prompt(shop)
    context, tab = opened(browser, page_of, viewport={"width": 360, "height": 740}, java_script_enabled=script)
    tab.goto(f"{page_of.own}/improve")
    if script:  # nothing reaches beyond the edge
        assert tab.evaluate("document.documentElement.scrollWidth") <= 360
    tab.click("[aria-label='Leave edit 1']")
    tab.wait_for_selector("text=left by Ada Larch")
    assert prompt(shop) == before
    assert acts(shop) == [("leave", "Ada Larch", True)]
    context.close()
