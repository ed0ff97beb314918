"""`judge`: conversations of any origin through the project's judge, and a file that the measuring commands read."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from finetune_prep.core.conversation import Conversation, Message
from finetune_prep.documents.kinds import Documents
from finetune_prep.project.beginning.scaffold import config_text
from finetune_prep.project.project import Project, open_project
from tests.cli.terminal import Shown, Terminal
from tests.cli.test_pilot import asked_of, verdict
from tests.fake_endpoint import Behaviour, Call, Completion, FakeEndpoint, Status
from tests.phases.pottery_shop import accept_all
from tests.records.judged import lines

Judge = Callable[[Call, list[str]], Behaviour]
TALKS = [
    ("one", "Can I return the bowl?", "Within thirty days."),
    ("two", "Is it glazed?", "By hand, in spring."),
    ("bad", "Hello?", " "),
]


def talk(id: str, asked: str, answered: str) -> dict[str, Any]:
    turns = [{"role": "user", "content": asked}, {"role": "assistant", "content": answered}]
    return {"id": id, "group": f"g-{id}", "messages": [{"role": "system", "content": "Sell bowls."}, *turns]}


@pytest.fixture
def served(shop: Project, tmp_path: Path) -> Iterator[Callable[[Judge], FakeEndpoint]]:
    """Has a model on this machine judge for the shop, whose documents are accepted; three conversations stand in talks.jsonl."""
    lines(tmp_path / "talks.jsonl", *(talk(*given) for given in TALKS))
    endpoints: list[FakeEndpoint] = []

    def serve(judge: Judge) -> FakeEndpoint:
        endpoint = FakeEndpoint(lambda call: judge(call, asked_of(call))).__enter__()
        endpoints.append(endpoint)
        shop.layout.config.write_text(config_text("pottery", "larch/larch-1", endpoint.base_url, "", year=2026), "utf-8")
        accept_all(open_project(shop.folder))
        return endpoint

    yield serve
    for endpoint in endpoints:
        endpoint.__exit__(None, None, None)


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_given_conversations_are_judged_once_and_scored(served: Any, shop: Project, terminal: Terminal, tmp_path: Path) -> None:
    def judge(call: Call, questions: list[str]) -> Behaviour:
        return verdict(questions, "By hand, in spring.", **({"SF1": "NO"} if "glazed" in str(call.body) else {}))

    endpoint = served(judge)
    shown = terminal("judge", str(tmp_path / "talks.jsonl"))
    assert shown.code == 1  # one of them has a fault
    assert "2 of 3 conversations judged" in shown.out
    assert "line 3, bad, not put to the judge: empty turn" in shown.out
    out = tmp_path / "talks.verdicts.jsonl"
    first, second = rows(out)
    assert (first["conversation_id"], second["conversation_id"], first["group"]) == ("one", "two", "g-one")
    assert first["hash"] == Conversation(tuple(Message(**turn) for turn in talk(*TALKS[0])["messages"])).id
    assert first["rubric"] == open_project(shop.folder).value(Documents.rubric).version
    assert [*second["answers"].values()].count("no") == 1
    assert len(endpoint.calls) == 2
    assert "Sell bowls" not in str(endpoint.calls[0].body)
    written = out.read_bytes()
    again = terminal("judge", str(tmp_path / "talks.jsonl"))
    assert "Nothing is left to ask." in again.out
    assert (len(endpoint.calls), out.read_bytes()) == (2, written)
    assert f"next: finetune-prep score {out} --rubric reference/evaluation-rubric.md" in shown.out
    scored = terminal(
        "score",
        str(out),
        "--rubric",
        str(shop.layout.document("evaluation-rubric")),
        "--conversations",
        str(tmp_path / "talks.jsonl"),
    )
    assert (scored.code, scored.out.splitlines()[0]) == (0, "50% of 2 judged conversations passed, according to the judge")


def test_verdicts_that_cannot_be_read_are_missing(served: Any, shop: Project, terminal: Terminal, tmp_path: Path) -> None:
    served(lambda call, questions: Completion(json.dumps(dict.fromkeys(questions, True))))
    shown = terminal("judge", str(tmp_path / "talks.jsonl"))
    assert shown.code == 1
    assert "0 of 3 conversations judged" in shown.out
    assert "2 verdicts cannot be read, and count neither way" in shown.out
    assert all(row["missing"] and "no" not in row["answers"].values() for row in rows(tmp_path / "talks.verdicts.jsonl"))
    scored = terminal("score", str(tmp_path / "talks.verdicts.jsonl"), "--rubric", str(shop.layout.document("evaluation-rubric")))
    assert "None of 2 conversations has an answer to every question" in scored.out


def test_json_says_where_and_how_many(served: Any, terminal: Terminal, tmp_path: Path) -> None:
    served(lambda call, questions: verdict(questions))
    out = tmp_path / "here.jsonl"
    found = json.loads(terminal("judge", str(tmp_path / "talks.jsonl"), "--out", str(out), "--json").out)
    assert (found["verdicts"], found["judged"], found["unread"], found["waiting"]) == (str(out), 2, 0, 0)
    assert [row["id"] for row in found["faulty"]] == ["bad"]
    assert len(rows(out)) == 2


def test_by_batch_file_it_waits_and_writes_nothing(shop: Project, terminal: Terminal, tmp_path: Path) -> None:
    accept_all(open_project(shop.folder))
    lines(tmp_path / "talks.jsonl", *(talk(*given) for given in TALKS))
    shown = terminal("judge", str(tmp_path / "talks.jsonl"))
    assert shown.code == 4
    assert "2 questions to models" in shown.err
    assert not (tmp_path / "talks.verdicts.jsonl").exists()


def test_another_file_with_the_same_ids_gives_up_nothing_that_waits(shop: Project, terminal: Terminal, tmp_path: Path) -> None:
    """What lies in a batch file may have been paid for; a conversation of the same name is not that one in other words."""
    accept_all(shop)
    for name, answered in (("first", "It leaves today."), ("second", "It leaves tomorrow.")):
        lines(tmp_path / f"{name}.jsonl", talk("one", "Where is my bowl?", answered))
        assert terminal("judge", str(tmp_path / f"{name}.jsonl")).code in (4, 5)
    assert [found["outstanding"] for found in json.loads(terminal("batch", "--json").out)] == [1, 1]


def refused(terminal: Terminal, *arguments: str) -> Shown:
    shown = terminal("judge", *arguments)
    assert shown.code in (2, 3)
    return shown


def test_what_cannot_be_judged_is_refused_before_anything_is_asked(
    served: Any, shop: Project, terminal: Terminal, tmp_path: Path
) -> None:
    endpoint = served(lambda call, questions: Status(500))
    talks = str(tmp_path / "talks.jsonl")
    assert "would overwrite the conversations" in refused(terminal, talks, "--out", talks).err
    assert "there is no such file" in refused(terminal, str(tmp_path / "none.jsonl")).err
    path = shop.layout.document("evaluation-prompt")
    path.write_text(path.read_text("utf-8").replace("assistant", "helper", 1), "utf-8")
    assert "Judging must wait: " in refused(terminal, talks).err
    assert endpoint.calls == []


def test_nobody_pays_without_a_yes(served: Any, shop: Project, terminal: Terminal, tmp_path: Path) -> None:
    endpoint = served(lambda call, questions: verdict(questions))
    text = shop.layout.config.read_text("utf-8")
    shop.layout.config.write_text(f"{text}\n[prices.larch-1]\ninput = 1.0\noutput = 2.0\n", "utf-8")
    shown = refused(terminal, str(tmp_path / "talks.jsonl"))
    assert "Estimate: 2 calls" in shown.out
    assert "Nothing was sent: this costs money, or may" in shown.err
    assert "judge" in shown.err and "--yes" in shown.err
    assert endpoint.calls == []
    assert terminal("judge", str(tmp_path / "talks.jsonl"), "--yes").code == 1
    assert len(endpoint.calls) == 2
