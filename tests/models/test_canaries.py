"""Keys: planted, sent, echoed by the endpoint in every place and spelling, and found nowhere afterwards."""

from __future__ import annotations

import asyncio
import base64
import html
import json
import traceback
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest

from finetune_prep.errors import FinetunePrepError
from finetune_prep.ledger.recording import export_recording
from finetune_prep.ledger.sqlite.ledger import SqliteLedger
from finetune_prep.models.door import open_door
from finetune_prep.models.wire.http_status import DETAIL_LIMIT
from tests.fake_endpoint import Behaviour, Call, Completion, FakeEndpoint, Flood, HalfAnswer, Reset, Stall, Status
from tests.models.examples import KEY_ENV, config, request

pytestmark = [pytest.mark.usefixtures("one_try"), pytest.mark.environment]
CANARIES = (
    "sk-canary-0123456789",
    "sk/canary/with/slashes",
    "sk-CANARY/9f8e7d6c5b4a+Zq",
    "sk+canary+with+signs==",
    "canary.eyJhbGciOi.J9-_",
    "AIzaCanary_0-9_wxyz",
    'canary"with"quotes&<>',
    "canary\\with\\backslashes",
    "c4n4ry" * 20,
)
DUMMIES = (
    "EMPTY",
    "test",
    "none",
    "ollama",
    "token",
    "0",
    "stop",
    "content",
    '"',
    "\\",
    "message",
    "lm-studio",
    "sk-no-key-required",
)


def _raw(written: str, body: bytes | None = None) -> bytes:
    """A body in whose JSON stands what was written, where else an @ would be."""
    return (Completion("@").body("larch-1") if body is None else body).replace(b"@", written.encode())


def _signs(key: str, form: str) -> str:
    return "".join(c if c.isalnum() else form.format(ord(c)) for c in key)


def _all(key: str, form: str) -> str:
    return "".join(form.format(ord(c)) for c in key)


ERROR = b'{"error": {"message": "you sent @", "code": "@", "param": "@"}}'


# name → what the endpoint does with the key it was sent
ECHOES: dict[str, Callable[[str], Behaviour]] = {
    "answer": lambda key: Completion(f"Your key is {key}."),
    "answer, escaped": lambda key: Status(200, raw=_raw(_signs(key, "\\u{:04x}"))),
    "answer, escaped in upper case": lambda key: Status(200, raw=_raw(_all(key, "\\u{:04X}"))),
    "answer, in an address": lambda key: Completion(f"See http://larch.example/?key={quote(key, safe='')}"),
    "answer in parts": lambda key: Completion(
        message={"content": [{"type": "text", "text": key[:9]}, {"type": "text", "text": key[9:]}]}
    ),
    "error, escaped": lambda key: Status(400, raw=_raw(_signs(key, "\\u{:04X}"), ERROR)),
    "error, all escaped": lambda key: Status(400, raw=_raw(_all(key, "\\u{:04X}"), ERROR)),
    "error, .NET": lambda key: Status(400, raw=_raw(json.dumps(key)[1:-1].replace("+", "\\u002B"), ERROR)),
    "error, HTML": lambda key: Status(400, raw=_raw(html.escape(key), ERROR)),
    "error, Basic": lambda key: Status(400, raw=_raw(base64.b64encode(f"user:{key}".encode()).decode(), ERROR)),
    "error, hex": lambda key: Status(400, raw=_raw(key.encode().hex(), ERROR)),
    "error, where it is cut": lambda key: Status(400, error={"message": "x" * (DETAIL_LIMIT - 8) + key}),
    "page, where it is cut": lambda key: Status(400, raw=b"x" * (DETAIL_LIMIT - 8) + key.encode()),
    "no JSON, where it is cut": lambda key: Status(200, raw=b"x" * 72 + key.encode()),
    "answer, slashes escaped": lambda key: Status(200, raw=_raw(json.dumps(key)[1:-1].replace("/", "\\/"))),
    "reasoning": lambda key: Completion(f"<think>{key}</think>"),
    "refusal": lambda key: Completion(message={"content": None, "refusal": key}),
    "finish reason": lambda key: Completion("A", finish=key),
    "served model": lambda key: Completion(more={"model": key}),
    "request id": lambda key: Completion(headers={"x-request-id": key}),
    "refused for good": lambda key: Status(400, error={"message": f"bad key {key}", "code": key}),
    "server error": lambda key: Status(500, error={"message": key}),
    "page": lambda key: Status(502, raw=f"<html>?key={quote(key, safe='')}</html>".encode()),
    "no JSON": lambda key: Status(200, raw=f"oops {key}".encode()),
    "too many": lambda key: Status(429, error={"message": key}),
    "wrong key": lambda key: Status(401, error={"message": f"Incorrect API key provided: {key}"}),
    "no credit": lambda key: Status(402, error={"message": key}),
    "redirect": lambda key: Status(307, headers={"Location": f"http://127.0.0.1:1/?key={quote(key, safe='')}"}),
    "reset": lambda key: Reset(),
    "half an answer": lambda key: HalfAnswer(),
    "silence": lambda key: Stall(),
    "flood": lambda key: Flood(17 * 1024 * 1024),
}


@pytest.mark.parametrize("canary", CANARIES, ids=range(len(CANARIES)))
async def test_the_key_is_nowhere(
    canary: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """In no file, log, message, traceback or output, in none of its spellings, whatever the endpoint does with it."""
    monkeypatch.setenv(KEY_ENV, canary)
    caplog.set_level("DEBUG")
    told: list[str] = []
    sent: set[str] = set()
    ledger = SqliteLedger(tmp_path / "ledger.sqlite")

    async def meet(name: str, echo: Callable[[str], Behaviour]) -> None:
        def answer(call: Call) -> Behaviour:
            sent.add(call.headers["authorization"])
            return echo(call.headers["authorization"].removeprefix("Bearer "))

        with FakeEndpoint(answer) as endpoint:
            settings = config(endpoint.base_url, key_env=KEY_ENV, timeout=0.3 if name == "silence" else 300.0)
            async with open_door(settings, ledger, tmp_path) as door:
                try:
                    told.append(repr(await door.ask(request(name))))
                except FinetunePrepError as error:
                    told.extend((str(error), repr(error), "".join(traceback.format_exception(error))))

    for name, echo in ECHOES.items():
        await meet(name, echo)
    await asyncio.sleep(0)
    await export_recording(ledger, tmp_path / "recording.jsonl")
    ledger.close()
    assert sent == {f"Bearer {canary}"}
    assert sum(f"[{KEY_ENV}]" in words for words in told) >= 12, "the echoes arrived"
    spellings = {
        canary, canary[:7], canary.replace("/", "\\/"), json.dumps(canary)[1:-1], quote(canary, safe=""), html.escape(canary),
        _signs(canary, "\\u{:04x}"), _signs(canary, "\\u{:04X}"), _all(canary, "\\u{:04X}"), canary.encode().hex(),
        base64.b64encode(f"user:{canary}".encode()).decode()[8:-4],
    }  # fmt: skip
    output = capfd.readouterr()
    everything = "".join(told) + caplog.text + output.out + output.err
    assert [spelling for spelling in spellings if spelling in everything] == []
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) >= 2
    for path in files:
        data = path.read_bytes()
        assert [spelling for spelling in spellings if spelling.encode() in data] == [], path.name


@pytest.mark.parametrize("dummy", DUMMIES)
async def test_a_dummy_key_changes_no_answer(
    dummy: str, ledger: SqliteLedger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Local servers document words for keys: what they are sent may be in any text, and in the names of every body."""
    monkeypatch.setenv(KEY_ENV, dummy)
    text = f"If the box is {dummy}, send a message to test the content: none of it may stop at {dummy}."
    with FakeEndpoint(Completion(text)) as endpoint:
        async with open_door(config(endpoint.base_url, key_env=KEY_ENV), ledger, tmp_path) as door:
            reply = await door.ask(request())
    assert (reply.text, reply.problem, reply.finish) == (text, None, "stop")
    entry = await ledger.answers.get(request().key)
    assert entry is not None
    assert entry.reply.text == text


async def test_an_answer_that_holds_the_key_is_not_used(
    ledger: SqliteLedger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is kept without the key, paid for, and says what to do; what merely resembles the key is an answer like any other."""
    key = CANARIES[2]
    monkeypatch.setenv(KEY_ENV, key)
    with FakeEndpoint(lambda call: Completion(f"Take {key}." if call.text == "a" else f"Take {key[:-1]}.")) as endpoint:
        async with open_door(config(endpoint.base_url, key_env=KEY_ENV), ledger, tmp_path) as door:
            bad, good = await door.ask_all([request("a"), request("b")])
    assert (bad.text, bad.problem) == (f"Take [{KEY_ENV}].", "malformed")
    assert bad.detail.startswith("key in the answer: ")
    assert f"{KEY_ENV}" in bad.detail
    assert "change that key" in bad.detail
    assert bad.cost is not None
    assert (good.text, good.problem) == (f"Take {key[:-1]}.", None)
