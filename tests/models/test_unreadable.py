"""A body with HTTP 200 in which nobody finds an answer: bought twice at most, kept as it came, and asked for anew when all is well."""

from __future__ import annotations

import asyncio
import json
import threading
from pathlib import Path

import pytest

from finetune_prep.errors import Paused, Unreachable
from finetune_prep.ledger.protocols import MOST_ASIDE
from finetune_prep.ledger.sqlite.ledger import SqliteLedger
from finetune_prep.models.door import open_door
from tests.fake_endpoint import Behaviour, Call, Completion, FakeEndpoint, Status
from tests.ledgers import entries
from tests.models.examples import KEY_ENV, config, request

pytestmark = pytest.mark.usefixtures("quick")

LOGIN = b"<!DOCTYPE html>\n<html><title>Sign in</title>\n<body>next: finetune-prep evil</body></html>"
BODIES = {
    "the login page of a proxy": LOGIN,
    "no JSON": b"Service is starting",
    "JSON of another shape": b'{"output": [{"paid": "text"}], "usage": {"input_tokens": 1000, "output_tokens": 500}}',
    "a message, of which nobody says that it is an error": b'{"message": "Here is your answer."}',
    "a number": b"7",
    "half an answer": b'{"choices": [{"mess',
    "deep JSON": b"[" * 100_000,
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
async def test_it_is_tried_twice_and_kept(body: bytes, ledger: SqliteLedger, tmp_path: Path) -> None:
    """Then the run pauses, shows the beginning on one line, and says what was kept; it does not say that nothing is lost."""
    with FakeEndpoint(Status(200, raw=body)) as endpoint:
        async with open_door(config(endpoint.base_url), ledger, tmp_path) as door:
            with pytest.raises(Paused) as paused:
                await door.ask(request())
        assert len(endpoint.calls) == 2
    said = str(paused.value)
    assert " ".join(body.decode().split())[:60] in paused.value.what
    assert "\n" not in paused.value.what
    assert f"both bodies are kept and may have been billed: finetune-prep show {request().key[:12]}" in said
    assert "nothing is lost" not in said
    assert [found.body for found in await ledger.answers.aside(request().key[:8])] == [body.decode()] * 2
    assert await entries(ledger) == []


async def test_a_later_run_asks_again_and_uses_the_good_answer(ledger: SqliteLedger, tmp_path: Path) -> None:
    for behaviour in (Status(200, raw=LOGIN), Completion("It is whole.")):
        with FakeEndpoint(behaviour) as endpoint:
            async with open_door(config(endpoint.base_url), ledger, tmp_path) as door:
                outcome = (await asyncio.gather(door.ask(request()), return_exceptions=True))[0]
    assert getattr(outcome, "text", outcome) == "It is whole."
    assert len(await ledger.answers.aside(request().key)) == 2


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
async def test_one_such_body_is_tried_again(body: bytes, ledger: SqliteLedger, tmp_path: Path) -> None:
    with FakeEndpoint(lambda call: Completion("Yes.") if call.nth == 2 else Status(200, raw=body)) as endpoint:
        async with open_door(config(endpoint.base_url), ledger, tmp_path) as door:
            assert (await door.ask(request())).text == "Yes."
    assert len(await ledger.answers.aside(request().key)) == 1


async def test_many_at_once_buy_it_twice_each_at_most(ledger: SqliteLedger, tmp_path: Path) -> None:
    """The first to get it twice stops the others."""
    with FakeEndpoint(Status(200, raw=LOGIN)) as endpoint:
        async with open_door(config(endpoint.base_url, concurrency=8), ledger, tmp_path) as door:
            outcomes = await asyncio.gather(*(door.ask(request(str(n))) for n in range(200)), return_exceptions=True)
        assert all(isinstance(outcome, Paused) for outcome in outcomes)
        assert endpoint.most_for_one_body <= 2
        assert len(endpoint.calls) <= 2 * 8
        assert len(await ledger.answers.aside("")) == len(endpoint.calls)


async def test_a_single_row_that_gets_it_holds_up_no_other(ledger: SqliteLedger, tmp_path: Path) -> None:
    """Where others are answered meanwhile, it is that request's trouble: it has no answer, and the run goes on."""
    answered = threading.Event()

    def answer(call: Call) -> Behaviour:
        return Status(200, raw=LOGIN, after=answered) if call.text == "Hm?" else Completion("Fine.")

    with FakeEndpoint(answer) as endpoint:
        async with open_door(config(endpoint.base_url), ledger, tmp_path) as door:
            odd = asyncio.create_task(door.ask(request("Hm?")))
            await asyncio.to_thread(endpoint.wait_for_calls, 1)  # it has begun before the other is answered
            assert (await door.ask(request("1"))).text == "Fine."
            answered.set()
            with pytest.raises(Unreachable, match=r"Sign in.*both bodies are kept"):
                await odd
            assert (await door.ask(request("2"))).text == "Fine."


@pytest.mark.parametrize(
    ("body", "spent"),
    [(BODIES["JSON of another shape"], 2 * (1000 * 1 + 500 * 2) / 1e6), (LOGIN, None)],
    ids=["counted in the body", "not counted"],
)
async def test_what_it_may_have_cost_counts(body: bytes, spent: float | None, ledger: SqliteLedger, tmp_path: Path) -> None:
    """By the tokens that the body tells; without them, the worst case, where there is a budget that has to hold."""
    with FakeEndpoint(Status(200, raw=body)) as endpoint:
        async with open_door(config(endpoint.base_url, budget=1.0), ledger, tmp_path) as door:
            with pytest.raises(Paused):
                await door.ask(request())
    counted = await ledger.money.spent()
    assert counted == pytest.approx(spent) if spent else 2 * 100 * 2 / 1e6 < counted < 0.01
    assert await ledger.money.held() == 0


async def test_no_key_is_kept_with_it(ledger: SqliteLedger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In whatever spelling and encoding the page gives it back."""
    key = "sk-CANARY/9f8e7d6c5b4a+Zq"
    monkeypatch.setenv(KEY_ENV, key)
    pages = [
        json.dumps({"sent": key}).replace("+", "\\u002B").encode(),
        f"<html>{key}</html>".encode("utf-16"),
        b"x" * (MOST_ASIDE - 9) + key.encode(),
    ]
    with FakeEndpoint(lambda call: Status(200, raw=pages[int(call.text)])) as endpoint:
        for n in range(len(pages)):
            async with open_door(config(endpoint.base_url, key_env=KEY_ENV), ledger, tmp_path) as door:
                with pytest.raises(Paused) as paused:
                    await door.ask(request(str(n)))
            assert "CANARY" not in str(paused.value)
    for found in await ledger.answers.aside(""):
        assert "CANARY" not in found.body.replace(f"[{KEY_ENV}]", "")
    assert "9f8e7d6c" not in (tmp_path / ".finetune-prep" / "ledger.sqlite-wal").read_bytes().decode("latin-1")


async def test_of_a_long_one_the_beginning_is_kept(ledger: SqliteLedger, tmp_path: Path) -> None:
    size = MOST_ASIDE + 1000
    with FakeEndpoint(Status(200, raw=b"y" * size)) as endpoint:
        async with open_door(config(endpoint.base_url), ledger, tmp_path) as door:
            with pytest.raises(Paused) as paused:
                await door.ask(request())
    assert len(str(paused.value)) < 1000
    first, _ = await ledger.answers.aside(request().key)
    assert (len(first.body), first.size, first.left_out) == (MOST_ASIDE, size, 1000)
