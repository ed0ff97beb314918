"""The review as a page of its own: everything that is read, nothing that a judge said, and nothing from elsewhere."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest

from finetune_prep.errors import ActNeeded
from finetune_prep.project.project import Project
from finetune_prep.project.runs import Run
from finetune_prep.web.desk import Desk
from finetune_prep.web.still import still
from tests.web.browsing import IN_A_BROWSER, SAMPLE, started
from tests.workflow.reviewing.pilots import ADA, SECRET, pilot_of

COMMAND = "finetune-prep --project 'my shop' review"


def test_it_holds_the_ten_that_the_live_page_would_show_and_no_verdict(shop: Project, run: Run) -> None:
    text = html.unescape(still(shop, COMMAND).decode())
    drawn = [one for one in Desk(shop, ADA, n=10).sitting().drawn if not one.repeat]
    assert len(drawn) == 10
    for one in drawn:
        assert one.sample.conversation is not None
        assert one.sample.conversation.messages[-1].content in text
    assert SECRET not in text
    assert COMMAND in text
    assert "<script" not in text
    assert re.findall(r'(?:href|src|action)="', text) == []


def test_without_a_pilot_there_is_none(shop: Project) -> None:
    with pytest.raises(ActNeeded):
        still(shop, COMMAND)


@pytest.mark.slow
@IN_A_BROWSER[1]
def test_hostile_talks_do_nothing_in_it_and_its_style_holds(shop: Project, tmp_path: Path) -> None:
    pilot_of(shop, "p" * len(SAMPLE) + "fff", SAMPLE)
    page = tmp_path / "review.html"
    page.write_bytes(still(shop, SAMPLE[1].replace("\x00", "")))
    with started() as browser:
        tab = browser.new_page()
        events: list[str] = []
        tab.on("dialog", lambda dialog: (events.append(dialog.message), dialog.dismiss()))
        tab.on("request", lambda request: events.append(request.url) if request.url != page.as_uri() else None)
        tab.on("console", lambda message: events.append(message.text))
        tab.goto(page.as_uri())
        assert tab.evaluate("getComputedStyle(document.querySelector('.turn.user .said')).borderRadius") == "12px"
        assert events == []
