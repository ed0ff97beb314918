"""Accepting and waiving from the page: what `accept` records, and what it refuses, in the same words."""

from __future__ import annotations

import html
import re

import msgspec
import pytest
from starlette.testclient import TestClient

from finetune_prep.errors import FinetunePrepError
from finetune_prep.labels.label import Labeller
from finetune_prep.project.lock import locked
from finetune_prep.project.project import Project
from finetune_prep.project.runs import Run
from finetune_prep.web.app import application
from finetune_prep.web.desk import Desk
from finetune_prep.workflow import accepting
from tests.cli.terminal import Terminal
from tests.phases.pottery_shop import rewrite
from tests.web.conftest import OWN, PORT

FROM_US = {"origin": OWN, "sec-fetch-site": "same-origin"}
RUBRIC = "/documents/evaluation-rubric"


def fields(client: TestClient, path: str) -> dict[str, str]:
    """The hidden fields of a page, and every reason field, empty."""
    text = client.get(path).text
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', text))
    return hidden | dict.fromkeys(re.findall(r'name="(because:[^"]+)"', text), "")


def accepted(client: TestClient, path: str = RUBRIC, **changed: str) -> tuple[int, str]:
    """The page after “Accept this text”. changed: fields in other words than the page's."""
    answer = client.post(f"{path}/accept", data=fields(client, path) | changed, headers=FROM_US)
    return answer.status_code, html.unescape(answer.text)


def reasons(client: TestClient, path: str = RUBRIC) -> dict[str, str]:
    return {name: "we read it ourselves" for name in fields(client, path) if name.startswith("because:")}


@pytest.fixture
def edited(shop: Project, run: Run) -> Project:
    """The rubric as it was accepted, but for a threshold; what judges said of it speaks of another text."""
    rewrite(shop, "evaluation-rubric", "threshold: 0.75", "threshold: 0.7")
    return shop


def test_a_text_is_accepted_with_the_gates_that_are_waived(client: TestClient, edited: Project) -> None:
    before = len(edited.decisions())
    given = reasons(client)
    assert given
    status, text = accepted(client, **given)
    assert status == 200
    assert "Accepted as it stands by Ada Larch" in text
    new = edited.decisions()[before:]
    assert [decision.decision for decision in new] == ["override"] * len(given) + ["accept"]
    assert {(decision.by, decision.because) for decision in new[:-1]} == {("Ada Larch", "we read it ourselves")}
    assert (new[-1].document, new[-1].by, new[-1].interactive) == ("evaluation-rubric", "Ada Larch", True)
    assert "threshold: 0.7" in edited.layout.published("evaluation-rubric").read_text("utf-8")
    assert "we read it ourselves" in text


def test_open_gates_are_refused_in_the_words_of_the_command(
    client: TestClient, edited: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(FinetunePrepError) as refused:
        accepting.propose(edited, "evaluation-rubric")
    said = Terminal(capsys, edited)("accept", "evaluation-rubric", "--yes", "--by", "Ada")
    status, text = accepted(client)
    assert (status, said.code) == (409, 1)
    for words in (refused.value.what, *(detail.strip() for detail in refused.value.details), refused.value.next):
        assert words in text
    assert refused.value.what in " ".join(said.err.split())
    assert edited.acceptance("evaluation-rubric") is None


def test_what_was_written_comes_back_with_a_refusal(client: TestClient, edited: Project) -> None:
    first, *others = reasons(client)
    assert others
    status, text = accepted(client, **{first: "only this one, “quoted”"})
    assert status == 409
    assert 'value="only this one, “quoted”"' in text


def test_nobody_accepts_what_they_have_not_read(client: TestClient, edited: Project) -> None:
    shown = fields(client, RUBRIC)
    rewrite(edited, "evaluation-rubric", "threshold: 0.7", "threshold: 0.8")
    status, text = accepted(client, **reasons(client) | {"of": shown["of"]})
    assert status == 409
    assert "reference/evaluation-rubric.md changed while you were reading it" in text
    assert edited.acceptance("evaluation-rubric") is None


def test_a_waiver_speaks_of_what_was_shown(client: TestClient, edited: Project) -> None:
    gate = next(name for name in fields(client, RUBRIC) if name.startswith("bound:"))
    status, text = accepted(client, **reasons(client) | {gate: "0" * 32})
    assert status == 409
    assert f"what {gate.removeprefix('bound:')} finds changed while you were reading" in text
    assert edited.acceptance("evaluation-rubric") is None


def test_the_gate_that_nobody_may_waive_is_not_waived(client: TestClient, edited: Project) -> None:
    with pytest.raises(FinetunePrepError) as refused:
        accepting.override(edited, "rubric.safety-gate", "evaluation-rubric", by="Ada", because="x")
    status, text = accepted(client, **{"because:rubric.safety-gate": "I know better"})
    assert status == 409
    assert refused.value.what in text


def test_a_gate_of_the_workflow_is_waived_by_itself(client: TestClient, shop: Project, run: Run) -> None:
    form = fields(client, "/documents")
    assert form["because:workflow.spot-check"] == ""
    refused = client.post("/gates/workflow.spot-check/waive", data=form, headers=FROM_US)
    assert refused.status_code == 409
    assert "workflow.spot-check is not waived" in refused.text
    form["because:workflow.spot-check"] = "ten of us sat together"
    assert client.post("/gates/workflow.spot-check/waive", data=form, headers=FROM_US).status_code == 200
    last = shop.decisions()[-1]
    assert (last.gate, last.because, last.by) == ("workflow.spot-check", "ten of us sat together", "Ada Larch")
    assert "because:workflow.spot-check" not in fields(client, "/documents")


def test_a_gate_of_a_text_nobody_accepted_is_waived_with_it_alone(client: TestClient, edited: Project) -> None:
    before = edited.decisions()
    form = fields(client, RUBRIC) | reasons(client)
    gate = next(iter(reasons(client))).removeprefix("because:")
    answer = client.post(f"/gates/{gate}/waive", data=form, headers=FROM_US)
    assert answer.status_code == 409
    assert "is waived with the acceptance of reference/evaluation-rubric.md" in answer.text
    assert edited.decisions() == before
    assert client.post("/gates/no.such/waive", data=form, headers=FROM_US).status_code == 404
    assert client.post("/documents/brief/accept", data=form, headers=FROM_US).status_code == 404


def test_while_a_command_works_on_the_project_nothing_is_decided(client: TestClient, edited: Project) -> None:
    given = reasons(client)
    with locked(edited.layout.lock, "pilot"):
        status, text = accepted(client, **given)
    assert status == 409
    assert "is working on this project" in text
    assert edited.acceptance("evaluation-rubric") is None
    assert accepted(client, **given)[0] == 200


def test_a_model_accepts_nothing(edited: Project) -> None:
    guard = application(Desk(edited, Labeller("larch-1", "model"), n=10), PORT)
    client = TestClient(guard, base_url=OWN)
    client.get(guard.link)
    status, text = accepted(client, **reasons(client))
    assert status == 409
    assert "nobody is at a terminal to read it" in text
    assert edited.acceptance("evaluation-rubric") is None


def test_accepting_twice_is_one_decision_more_at_most(client: TestClient, edited: Project) -> None:
    """A second click sends the same form again."""
    form = fields(client, RUBRIC) | reasons(client)
    assert client.post(f"{RUBRIC}/accept", data=form, headers=FROM_US).status_code == 200
    before = msgspec.json.encode(edited.decisions())
    client.post(f"{RUBRIC}/accept", data=form, headers=FROM_US)
    assert msgspec.json.encode(edited.decisions()) == before
