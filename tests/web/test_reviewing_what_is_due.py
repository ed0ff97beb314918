"""The page reviews what a full export waits for, says which run that is, and goes on with what has been begun."""

from __future__ import annotations

import re

import pytest
from starlette.testclient import TestClient

from finetune_prep.project.project import Project
from finetune_prep.project.runs import Run
from finetune_prep.web.app import application
from finetune_prep.web.desk import Desk
from tests.web.conftest import OWN, PORT
from tests.workflow.auditing.sets import scaled
from tests.workflow.reviewing.pilots import ADA, BEN, pilot_of, say
from tests.workflow.scaling.projects import allow


def label_all(client: TestClient) -> str:
    """Pass everything that waits; the page at the end."""
    for _ in range(30):
        page = client.get("/review")
        if page.url.path.endswith("/end"):
            return page.text
        hidden = dict(re.findall(r'name="(of|seen)" value="([^"]*)"', page.text))
        client.post(f"{page.url.path}/label", data={"label": "pass"} | hidden, headers={"origin": OWN})
    raise AssertionError("it never ends")


@pytest.fixture
def client(shop: Project, run: Run) -> TestClient:
    guard = application(Desk(shop, ADA), PORT)
    browser = TestClient(guard, base_url=OWN)
    browser.get(guard.link)
    return browser


def test_the_button_of_the_overview_opens_the_run_that_is_waited_for(client: TestClient, shop: Project, run: Run) -> None:
    allow(shop, run)
    scaled(shop, 20)
    overview = client.get("/").text
    assert "Next: <code>finetune-prep review --run scale-001 -n 10</code>" in overview
    assert "Review of scale-001" in overview
    assert "0 of 10 conversations read by a person" in overview
    button = re.search(r'class="button main" href="([^"]+)">Read the next one', overview)
    assert button
    page = client.get(button[1]).text
    assert '<a href="/runs/scale-001">scale-001</a> · <span>1 of 11</span>' in page
    assert "10 conversations; 1 of them comes a second time at the end." in page


def test_whoever_has_begun_a_pilot_ends_it_and_is_led_to_what_is_waited_for_then(
    client: TestClient, shop: Project, run: Run
) -> None:
    scaled(shop, 20)
    assert '<a href="/runs/pilot-001">pilot-001</a>' in client.get("/review").text
    allow(shop, run)  # the gate holds by Ada's ten labels, and the second reading of one still waits for her
    ended = label_all(client)
    assert '<p class="crumb">pilot-001</p>' in ended
    assert "of 10 that the spot-check of pilot-001 needs" in ended
    assert '<a class="button main" href="/review?run=scale-001">Go on with scale-001</a>' in ended
    assert '<a href="/runs/scale-001">scale-001</a>' in client.get("/review?run=scale-001").text
    assert '<a href="/runs/scale-001">scale-001</a>' in client.get("/review").text


def test_a_page_that_was_opened_for_a_run_stays_with_it(shop: Project, run: Run) -> None:
    allow(shop, run)
    scaled(shop, 20)
    guard = application(Desk(shop, BEN, run="pilot-001", n=5), PORT)
    browser = TestClient(guard, base_url=OWN)
    browser.get(guard.link)
    browser.get("/")
    assert '<a href="/runs/pilot-001">pilot-001</a> · <span>1 of 5</span>' in browser.get("/review?run=scale-001").text


def test_a_later_pilot_takes_the_place_of_one_that_nobody_has_read(client: TestClient, shop: Project, run: Run) -> None:
    say(shop, run, 0, "pass")
    assert "pilot-001" in client.get("/review").text
    pilot_of(shop, "p" * 14)
    assert '<a href="/runs/pilot-002">pilot-002</a>' in client.get("/review").text
