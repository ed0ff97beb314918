"""The page of proposed edits: what it shows and withholds, and that only a person decides, about what was shown."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest
from starlette.testclient import TestClient

from finetune_prep.labels.label import Labeller
from finetune_prep.project.improving.runs import improve_runs, write_proposals
from finetune_prep.project.project import Project
from finetune_prep.web.app import application
from finetune_prep.web.desk import Desk
from tests.phases.improving.projects import Shop, new_shop, piloted, proposed
from tests.phases.improving.simulated import Simulated, with_rules
from tests.phases.improving.test_simulations import RATES, rule
from tests.phases.pottery_shop import rewrite

PORT = 8124
OWN = f"http://127.0.0.1:{PORT}"
ADA, MODEL = Labeller("Ada Larch", "person"), Labeller("larch-1", "model")


def with_edits(folder: Path) -> Shop:
    """A shop whose first guard is weak, with the edit for it proposed."""
    shop = new_shop(folder)
    with_rules(shop, weak=["FM1"])
    found = piloted(shop, Simulated(RATES | {"FM1": 0.6}, rule), 30)
    assert proposed(found)[0].state == "proposed"
    return found


@pytest.fixture
def shop(tmp_path: Path) -> Project:
    return with_edits(tmp_path / "shop").project


def browser(project: Project, labeller: Labeller = ADA, n: int = 10) -> TestClient:
    guard = application(Desk(project, labeller, n=n), PORT)
    found = TestClient(guard, base_url=OWN)
    assert found.get(guard.link, follow_redirects=False).status_code == 303
    return found


def post(client: TestClient, act: str, **more: str) -> tuple[int, str]:
    shown = client.get("/improve").text
    of = re.findall(r'name="of" value="([0-9a-f]*)"', shown)
    given = {"act": act, "of": of[0] if of else ""} | more
    answer = client.post("/improve/improve-001/1", data=given, headers={"origin": OWN}, follow_redirects=False)
    return answer.status_code, answer.text


def prompt(project: Project) -> str:
    return project.layout.document("generation-prompt").read_text("utf-8")


def test_an_edit_is_shown_below_what_fails_and_taken(shop: Project) -> None:
    client = browser(shop)
    shown = client.get("/improve").text
    assert "CP1 fails in " in shown
    assert "GD1 is the guard against that" in shown
    assert "<ins>" in shown
    before = prompt(shop)
    assert post(client, "take")[0] == 303
    assert prompt(shop) == before.replace("name it first", "keep to the rule KEEPS-FM1 then", 1)
    decision = shop.decisions()[-1]
    assert (decision.decision, decision.edit, decision.by, decision.interactive) == ("take", "improve-001/1", "Ada Larch", True)
    shown = client.get("/improve").text
    assert "Edit 1 is taken and not tried yet" in shown
    assert "Taken by Ada Larch" in shown
    assert post(client, "back")[0] == 303
    assert prompt(shop) == before
    assert shop.decisions()[-1].decision == "back"


def test_an_edit_is_left(shop: Project) -> None:
    client = browser(shop)
    before = prompt(shop)
    assert post(client, "leave")[0] == 303
    assert prompt(shop) == before
    assert "left by Ada Larch" in client.get("/improve").text


def test_a_model_takes_nothing(shop: Project) -> None:
    before = prompt(shop)
    status, told = post(browser(shop, MODEL), "take")
    assert status == 409
    assert "a person has to decide" in told
    assert prompt(shop) == before
    assert not [decision for decision in shop.decisions() if decision.edit]


def test_what_changed_while_somebody_was_reading_is_not_taken(shop: Project) -> None:
    client = browser(shop)
    of = re.findall(r'name="of" value="([0-9a-f]+)"', client.get("/improve").text)[0]
    rewrite(shop, "generation-prompt", "The kiln room decides about damage.", "The kiln room decides about all damage.")
    before = prompt(shop)
    status, told = post(client, "take", of=of)
    assert status == 409
    assert "changed while you were reading" in told
    assert prompt(shop) == before


def test_passages_of_talks_that_wait_for_a_blind_label_are_withheld(tmp_path: Path) -> None:
    """What a judge quotes of a talk would tell a reader its verdict before the label."""
    found = with_edits(tmp_path / "shop")
    passages = proposed(found)[0].diagnosis.passages
    shown = browser(found.project, n=30).get("/improve").text  # the whole pilot is drawn for review
    assert "CP1 fails in " in shown
    assert passages
    assert not any(passage.text in shown for passage in passages)
    assert "of talks that wait for your blind label" in shown


def test_nothing_yet_and_what_no_form_sends(shop: Project, tmp_path: Path) -> None:
    empty = new_shop(tmp_path / "empty")
    assert "Nothing has been diagnosed yet" in browser(empty).get("/improve").text
    assert post(browser(shop), "eat")[0] == 422
    client = browser(shop)
    unknown = client.post("/improve/improve-009/1", data={"act": "take", "of": ""}, headers={"origin": OWN})
    assert unknown.status_code == 409
    assert "there is no edit improve-009/1" in unknown.text


def test_what_a_model_wrote_is_shown_as_it_is(shop: Project) -> None:
    """Diagnoses, edits and reasons hold words of models and users."""
    bad = "<script>alert(1)</script>"
    run = improve_runs(shop.layout)[0]
    first = run.proposals()[0]
    diagnosis = msgspec.structs.replace(first.diagnosis, says=bad, because=bad)
    write_proposals(run, [msgspec.structs.replace(first, diagnosis=diagnosis, new=f"say {bad}", because=bad, author=bad)])
    shown = browser(shop).get("/improve").text
    assert "<script>" not in shown.replace('<script src="/static/keys.js" defer></script>', "").replace("<script src=", "")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown
