"""`evaluate` in front of real engines: what their lists say, one model behind two names, and an account of every talk.

Both engines serve the same random weights, so nothing of the models is asserted.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from finetune_prep.project.beginning.scaffold import config_text
from finetune_prep.project.project import Project, open_project
from tests.cli.evaluated import judged
from tests.cli.terminal import Terminal
from tests.cli.test_evaluate import read, refusal
from tests.cli.test_pilot import asked_of
from tests.engine.engines import Served, serving
from tests.fake_endpoint import Behaviour, Call, Completion, FakeEndpoint
from tests.phases.pottery_shop import accept_all, pottery_project

SIZE = ("-n", "6", "--runs", "2", "--single", "--max-tokens", "48")


@pytest.fixture(scope="module")
def other(served: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A second server of the same engine, with a model of another name."""
    if not served.engine.named:
        pytest.skip(f"{served.engine.name} gives its model no name of its own")
    with serving(served.engine, tmp_path_factory.mktemp("other"), "tiny-tuned") as running:
        yield running


@pytest.fixture
def shop(served: Served, other: Served, tmp_path: Path) -> Iterator[Project]:
    """The pottery shop with a simulated user and a judge at a fake endpoint, and both engines."""

    def played(call: Call) -> Behaviour:
        questions = asked_of(call)
        return (
            judged(call, questions)
            if questions
            else Completion(f"My bowl came cracked. {sum(map(ord, call.text)) % 9973} Now what?")
        )

    project = pottery_project(tmp_path / "shop")
    with FakeEndpoint(played) as playing:
        text = config_text("pottery", "larch/larch-1", playing.base_url, "", year=2026)
        for name, engine in (("before", served), ("after", other)):
            text += f'\n[providers.{name}]\nkind = "openai-compatible"\nbase_url = "{engine.base_url}"\n'
        project.layout.config.write_text(text, "utf-8")
        accept_all(open_project(project.folder))
        yield project


@pytest.fixture
def terminal(capsys: pytest.CaptureFixture[str], shop: Project) -> Terminal:
    return Terminal(capsys, shop)


def models(served: Served, other: Served) -> tuple[str, ...]:
    return ("evaluate", "--base", f"before/{served.model}", "--tuned", f"after/{other.model}")


def test_every_talk_is_accounted_for(shop: Project, terminal: Terminal, served: Served, other: Served) -> None:
    found = read(terminal(*models(served, other), *SIZE, "--json"))
    for row in found["table"]["arms"]:
        assert row["judged"] + row["faulty"] + row["unjudged"] + row["failed"] + row["seen"] == row["talks"] == 12
        assert sum(row["by_itself"]) >= row["talks"] - row["failed"]
    talks = [json.loads(line) for line in (shop.layout.runs / "evaluation-001" / "talks.jsonl").read_text("utf-8").splitlines()]
    assert Counter(talk["arm"] for talk in talks) == {"base": 12, "tuned": 12}
    assert {(talk["arm"], talk["served"]) for talk in talks} == {("base", served.model), ("tuned", other.model)}
    assert {talk["ended"] for talk in talks} <= {"by itself", "cut at the limit", "without a word"}


def test_one_model_behind_two_names_is_found(shop: Project, terminal: Terminal, served: Served, other: Served) -> None:
    """The same weights answer alike where nothing is drawn: either one model is asked twice, or tuning changed nothing."""
    with shop.layout.config.open("a", encoding="utf-8") as config:
        for role, model in (("base", f"before/{served.model}"), ("tuned", f"after/{other.model}")):
            config.write(f'\n[roles.{role}]\nmodel = "{model}"\ntemperature = 0.0\n')
    shown = terminal("evaluate", *SIZE)
    assert shown.code == 3, shown.out
    assert "replies of base and tuned are the same to the letter" in refusal(shown)


def test_a_wrong_port_is_named(shop: Project, terminal: Terminal, served: Served, other: Served) -> None:
    shown = terminal("evaluate", "--base", f"before/{served.model}", "--tuned", f"before/{other.model}", *SIZE)
    assert shown.code == 2
    assert f"serves {served.model}, and not “{other.model}”" in refusal(shown)


def test_the_context_is_what_the_server_says(shop: Project, terminal: Terminal, served: Served, other: Served) -> None:
    if served.engine.name not in ("llamacpp", "vllm"):
        pytest.skip(f"{served.engine.name} says nothing of its context")
    found = read(terminal(*models(served, other), *SIZE, "--prompted", "--json"))
    assert found["left_out"] == ""
    assert [row["arm"] for row in found["table"]["arms"]] == ["base", "tuned", "prompted"]
