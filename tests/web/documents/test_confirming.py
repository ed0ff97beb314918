"""The page of facts and severities."""

from __future__ import annotations

import html
import re

from starlette.testclient import TestClient

from finetune_prep.project.lock import locked
from finetune_prep.project.project import Project
from finetune_prep.project.runs import Run
from tests.web.conftest import OWN

FROM_US = {"origin": OWN, "sec-fetch-site": "same-origin"}


def shown(client: TestClient, id: str) -> str:
    return re.findall(
        rf'action="/confirm/{id}"[^>]*><input type="hidden" name="of" value="([^"]+)"', client.get("/confirm").text
    )[0]


def test_one_after_the_other_is_confirmed(client: TestClient, shop: Project, run: Run) -> None:
    count = int(re.findall(r"<h1>(\d+) items to confirm", client.get("/confirm").text)[0])
    answer = client.post("/confirm/FA1", data={"of": shown(client, "FA1")}, headers=FROM_US, follow_redirects=False)
    assert answer.headers["location"] == "/confirm#FM1"
    text = client.get("/confirm").text
    assert f"<h1>{count - 1} items to confirm" in text
    assert 'action="/confirm/FA1"' not in text
    assert "by Ada Larch" in text
    for id in re.findall(r'action="/confirm/(FM\d+)"', text):
        client.post(f"/confirm/{id}", data={"of": shown(client, id)}, headers=FROM_US)
    assert "All confirmed. Thank you." in client.get("/confirm").text
    assert len([one for one in shop.decisions() if one.decision == "confirm"]) == count


def test_nothing_is_confirmed_that_changed_or_while_a_command_works(client: TestClient, shop: Project, run: Run) -> None:
    before = shop.decisions()
    answer = client.post("/confirm/FA1", data={"of": "another"}, headers=FROM_US)
    assert answer.status_code == 409
    assert "FA1 changed while you were reading it" in html.unescape(answer.text)
    with locked(shop.layout.lock, "pilot"):
        assert client.get("/confirm").status_code == 200
        assert client.post("/confirm/FA1", data={"of": shown(client, "FA1")}, headers=FROM_US).status_code == 409
    assert client.post("/confirm/XX1", data={"of": ""}, headers=FROM_US).status_code == 409
    assert shop.decisions() == before
