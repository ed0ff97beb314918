"""`batch status`, `fetch`, `cancel`, `settle` and `drop` at a Batch API, and the commands that wait for it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from finetune_prep.ledger.recording import read_recording
from finetune_prep.ledger.sqlite.ledger import SqliteLedger
from finetune_prep.models import retry
from finetune_prep.models.batches import submissions
from finetune_prep.project.project import open_project
from tests.cli.terminal import Terminal
from tests.fake_batches import KEY, Api, FakeBatches, Reset, Status
from tests.whole.way import EXAMPLE, ask, example_project

KNOWN = {entry.key: entry.reply.text for entry in read_recording(EXAMPLE / "recording.jsonl")}
pytestmark = pytest.mark.environment
APIS: tuple[Api, ...] = ("openai", "anthropic")


@pytest.fixture(params=APIS)
def fake(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeBatches]:
    monkeypatch.setenv("LARCH_API_KEY", KEY)
    monkeypatch.setattr(retry, "FIRST_BOUND", 0.01)
    with FakeBatches(request.param) as served:
        yield served


@pytest.fixture
def folder(fake: FakeBatches, tmp_path: Path) -> Path:
    """The example, asking a Batch API."""
    project = example_project(tmp_path / "shop")
    kind = "openai-batch" if fake.api == "openai" else "anthropic-batch"
    ask(project, "larch", kind=kind, base_url=fake.base_url, key_env="LARCH_API_KEY")
    return project


@pytest.fixture
def typed(capsys: pytest.CaptureFixture[str], folder: Path) -> Terminal:
    return Terminal(capsys, open_project(str(folder)))


def answer(fake: FakeBatches) -> None:
    fake.work(lambda key, params: fake.answered(KNOWN[key]))


def answers(folder: Path) -> int:
    ledger = SqliteLedger(folder / ".finetune-prep" / "ledger.sqlite")
    try:
        return asyncio.run(ledger.reports.count())
    finally:
        ledger.close()


def test_a_command_sends_stops_and_goes_on(fake: FakeBatches, typed: Terminal, folder: Path) -> None:
    """Exit code 4 with the batch and the next command; later the same command goes on where it was."""
    first = typed("prepare")
    assert first.code == 4
    assert "sent to a Batch API" in first.err
    assert fake.ours[0].id in first.err
    assert "finetune-prep prepare, later" in first.err
    again = typed("prepare")
    assert (again.code, fake.calls["create"]) == (4, 1)
    assert "still with a Batch API" in again.err
    answer(fake)
    third = typed("prepare")
    assert (third.code, len(fake.ours)) == (4, 2), "the next wave"
    assert answers(folder) == len(fake.ours[0].requests)


def test_status_says_how_far_and_changes_nothing(fake: FakeBatches, typed: Terminal, folder: Path) -> None:
    typed("prepare")
    shown = typed("batch", "status")
    assert shown.code == 0
    assert fake.ours[0].id in shown.out
    assert "in progress" in shown.out
    answer(fake)
    found = json.loads(typed("batch", "status", "--json").out)
    assert [(one["round"], one["batch"], one["provider"]) for one in found] == [(1, fake.ours[0].id, "larch")]
    assert f"{len(fake.ours[0].requests)} done" in found[0]["words"]
    assert answers(folder) == 0
    assert "finetune-prep prepare" in typed("status").out
    assert "batch import" not in typed("status").out
    listed = typed("batch")
    assert f"larch {fake.ours[0].id} (sent)" in listed.out
    assert "finetune-prep batch status" in listed.out
    assert json.loads(typed("batch", "--json").out)[0]["submission"]["state"] == "sent"
    assert "set aside" not in typed("cost").out, "there is no price for this model, and no cap"


def test_fetch_takes_in_what_is_done(fake: FakeBatches, typed: Terminal, folder: Path) -> None:
    typed("prepare")
    count = len(fake.ours[0].requests)
    assert "0 answers taken in" in typed("batch", "fetch").out
    answer(fake)
    shown = typed("batch", "fetch", "--json")
    assert json.loads(shown.out) == {"taken": count, "open": [], "next": "finetune-prep status"}
    assert answers(folder) == count
    assert "Nothing is waiting at a Batch API" in typed("batch", "status").out


def test_fetch_says_what_came_to_nothing(fake: FakeBatches, typed: Terminal, folder: Path) -> None:
    typed("prepare")
    keys = sorted(custom_id.partition("-")[0] for custom_id in fake.ours[0].requests)
    rows = {keys[0]: fake.expired(), keys[1]: fake.failed(), keys[2]: fake.failed()}
    fake.work(lambda key, params: rows.get(key) or fake.answered(KNOWN[key]))
    shown = typed("batch", "fetch")
    assert f"{len(keys) - 3} answers taken in" in shown.out
    assert "round 1: 1 × " in shown.err
    assert "expired" in shown.err
    assert "round 1: 2 × HTTP 500" in shown.err


@pytest.mark.parametrize("named", ["", "id", "round"])
def test_cancel_takes_in_what_is_done_and_the_rest_is_asked_anew(
    named: str, fake: FakeBatches, typed: Terminal, folder: Path
) -> None:
    typed("prepare")
    sent = fake.ours[0]
    arguments = {"": [], "id": [sent.id], "round": ["1"]}[named]
    assert typed("batch", "cancel", "no-such-batch").code == 2
    shown = typed("batch", "cancel", *arguments)
    assert shown.code == 0
    assert sent.status in ("cancelling", "canceling")
    assert "cancel" in shown.out
    only = len(sent.requests) // 2
    fake.work(lambda key, params: fake.answered(KNOWN[key]), only=only, end="cancelled" if fake.api == "openai" else "")
    assert typed("batch", "cancel", *arguments).code == 0, "cancelling what has ended only takes it in"
    assert answers(folder) == only
    assert typed("prepare").code == 4
    assert len(fake.ours[1].requests) == len(sent.requests) - only
    assert max(fake.billed.values(), default=1) == 1


def test_a_batch_that_ends_while_it_is_cancelled(fake: FakeBatches, typed: Terminal, folder: Path) -> None:
    """The provider says that it is too late; what is there is taken in at once."""
    typed("prepare")
    fake.fault = lambda name, nth: answer(fake) if name == "cancel" else None
    assert typed("batch", "cancel").code == 0
    assert (answers(folder), fake.calls["cancel"]) == (len(fake.ours[0].requests), 1)


def test_settle_where_nobody_can_tell(fake: FakeBatches, typed: Terminal, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer to the sending was lost: a person who has looked at the provider's page says what became of it."""
    monkeypatch.setattr(retry, "FIRST_BOUND", 1e9)
    monkeypatch.setattr(retry, "LAST_BOUND", 1e9)  # nobody waits for the list, which never comes
    looked = 1 if fake.api == "anthropic" else 0  # it looks at its list before it sends
    fake.fault = lambda name, nth: (
        Reset(done=True) if name == "create" else Status(500) if name == "list" and nth > looked else None
    )
    shown = typed("prepare")
    assert shown.code == 5
    assert "nothing is sent twice" in shown.err
    fake.fault = lambda name, nth: None
    monkeypatch.setattr(submissions, "SETTLE_SECONDS", 1000.0)
    batch = fake.ours[0].id
    assert typed("batch", "settle", "1").code == 2
    assert typed("batch", "settle", "7", "--not-there").code == 2
    assert typed("batch", "settle", "1", batch).code == 0
    assert typed("batch", "settle", "1", "--not-there").code == 2, "it is settled"
    answer(fake)
    assert typed("prepare").code == 4
    assert answers(folder) == len(fake.ours[0].requests)


def test_settle_what_was_never_there(fake: FakeBatches, typed: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then, and only then, it is sent again."""
    monkeypatch.setattr(submissions, "SETTLE_SECONDS", 1000.0)
    fake.fault = lambda name, nth: Reset(done=False) if (name, nth) == ("create", 1) else None
    shown = typed("prepare")
    assert shown.code == 4
    assert "finetune-prep batch settle 1" in shown.err
    typed("prepare")
    assert "not known whether the provider has it" in typed("batch", "status").out
    assert not fake.ours
    assert typed("batch", "settle", "1", "--not-there").code == 0
    typed("prepare")
    assert (len(fake.ours), fake.calls["create"]) == (1, 2)


def test_cancel_finds_out_first_whether_there_is_anything(fake: FakeBatches, typed: Terminal) -> None:
    """The answer to the sending was lost: what is found is cancelled, what is not found stays in doubt and is said to be."""
    fake.fault = lambda name, nth: Reset(done=False) if (name, nth) == ("create", 1) else None
    typed("prepare")
    shown = typed("batch", "cancel")
    assert shown.code == 0
    assert "round 1: it is not known whether" in shown.out
    typed("batch", "settle", "1", "--not-there")
    assert typed("batch", "cancel").code == 2
    typed("prepare")
    shown = typed("batch", "cancel", "2")
    assert f"round 2: {fake.ours[0].status}" in shown.out
    assert fake.calls["cancel"] == 1


def test_another_provider_does_not_ask_again(fake: FakeBatches, typed: Terminal) -> None:
    """What waits at a Batch API is not written to a file, nor is what waits in a file sent; each says where it waits."""
    typed("prepare")
    shown = typed("prepare", "--provider", "batch")
    assert (shown.code, fake.calls["create"]) == (4, 1)
    assert "round 1, which is with a Batch API" in shown.err
    typed("batch", "drop", "1")
    assert "batches/round-002" in typed("prepare", "--provider", "batch").err
    shown = typed("prepare")
    assert (shown.code, fake.calls["create"]) == (4, 1)
    assert "outstanding in round 2" in shown.err


def test_drop_counts_all_that_a_batch_may_cost(fake: FakeBatches, typed: Terminal, folder: Path) -> None:
    path = folder / "finetune-prep.toml"
    prices = '\n[prices."language-model"]\ninput = 1.0\noutput = 2.0\n'
    text = path.read_text().replace('name = "online-shop"', 'name = "online-shop"\nbudget = 10.0')
    path.write_text(text.replace('model = "larch/language-model"', 'model = "larch/language-model"\nmax_tokens = 4000') + prices)
    typed("prepare", "--yes")
    cost = json.loads(typed("cost", "--json").out)
    assert cost["committed"] > 0
    assert typed("batch", "drop", "1").code == 0
    after = json.loads(typed("cost", "--json").out)
    assert (after["committed"], after["spent"]) == (0.0, pytest.approx(cost["committed"]))
    assert typed("prepare", "--yes").code == 4
    assert len(fake.ours) == 2


def test_errors_never_show_the_key(fake: FakeBatches, typed: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """An endpoint that says the key back, a key that is missing, a key that is wrong."""
    typed("prepare")
    monkeypatch.setenv("LARCH_API_KEY", KEY + "-wrong")
    shown = typed("prepare")
    assert shown.code == 5
    assert KEY not in shown.err + shown.out
    assert "does not accept the API key" in shown.err
    assert KEY not in typed("batch", "status").out
    monkeypatch.delenv("LARCH_API_KEY")
    assert "LARCH_API_KEY is not set" in typed("batch", "status").out
    assert typed("batch", "cancel").code == 5


def test_doctor_lists_the_batches(fake: FakeBatches, typed: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "lists its batches" in typed("doctor").out
    monkeypatch.setenv("LARCH_API_KEY", "sk-other")
    assert "does not accept the API key" in typed("doctor").out


def test_a_provider_that_is_no_batch_api_any_more(fake: FakeBatches, typed: Terminal, folder: Path) -> None:
    """What was sent stays where it is, and the way back is named."""
    typed("prepare")
    path = folder / "finetune-prep.toml"
    path.write_text(path.read_text().replace(f'kind = "{fake.api}-batch"', 'kind = "openai-compatible"'))
    assert "is no Batch API any more" in typed("batch", "status").out
    assert typed("batch", "fetch").code == 2
