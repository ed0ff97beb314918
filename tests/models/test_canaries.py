"""Keys: planted, sent, echoed by the endpoint in every place and spelling, and found nowhere afterwards."""

from __future__ import annotations

import asyncio
import json
import traceback
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest

from finetune_prep.errors import FinetunePrepError
from finetune_prep.ledger.recording import export_recording
from finetune_prep.ledger.sqlite import SqliteLedger
from finetune_prep.models.roles import open_door
from tests.fake_endpoint import Behaviour, Call, Completion, FakeEndpoint, Flood, HalfAnswer, Reset, Stall, Status
from tests.models.examples import KEY_ENV, config, request

pytestmark = pytest.mark.usefixtures("quick")
CANARIES = (
    "sk-canary-0123456789",
    "sk/canary/with/slashes",
    "sk+canary==",
    "canary.eyJhbGciOi.J9-_",
    "AIzaCanary_0-9",
    'canary"with"quotes',
    "canary\\with\\backslashes",
    "c4n4ry" * 20,
)


def _escaped(key: str) -> bytes:
    """The key in a JSON text, with every character that is no letter or digit as an escape."""
    letters = "".join(c if c.isalnum() else f"\\u{ord(c):04x}" for c in key)
    return Completion("@").body("larch-1").replace(b"@", letters.encode())


# name → what the endpoint does with the key it was sent
ECHOES: dict[str, Callable[[str], Behaviour]] = {
    "answer": lambda key: Completion(f"Your key is {key}."),
    "answer, escaped": lambda key: Status(200, raw=_escaped(key)),
    "answer, slashes escaped": lambda key: Status(
        200, raw=Completion("@").body("larch-1").replace(b"@", json.dumps(key)[1:-1].replace("/", "\\/").encode())
    ),
    "reasoning": lambda key: Completion(f"<think>{key}</think>"),
    "refusal": lambda key: Completion(message={"content": None, "refusal": key}),
    "finish reason": lambda key: Completion("A", finish=key),
    "served model": lambda key: Completion(more={"model": key}),
    "request id": lambda key: Completion(headers={"x-request-id": key}),
    "refused for good": lambda key: Status(400, error={"message": f"bad key {key}", "code": key}),
    "server error": lambda key: Status(500, error={"message": key}),
    "page": lambda key: Status(502, raw=f"<html>?key={quote(key, safe='')}</html>".encode()),
    "no JSON": lambda key: Status(200, raw=f"oops {key}".encode()),
    "too many": lambda key: Status(429, error={"message": key}, headers={"Retry-After": "0"}),
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
            async with open_door(config(endpoint.base_url, key_env=KEY_ENV, timeout=0.3), ledger, tmp_path) as door:
                try:
                    told.append(repr(await door.ask(request(name))))
                except FinetunePrepError as error:
                    told.extend((str(error), repr(error), "".join(traceback.format_exception(error))))

    for name, echo in ECHOES.items():
        await meet(name, echo)
    await asyncio.sleep(0)
    export_recording(ledger, tmp_path / "recording.jsonl")
    ledger.close()
    assert sent == {f"Bearer {canary}"}
    assert sum(f"[{KEY_ENV}]" in words for words in told) >= 12, "the echoes arrived"
    spellings = {canary, canary.replace("/", "\\/"), json.dumps(canary)[1:-1], quote(canary, safe="")}
    output = capfd.readouterr()
    everything = "".join(told) + caplog.text + output.out + output.err
    assert [spelling for spelling in spellings if spelling in everything] == []
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) >= 2
    for path in files:
        data = path.read_bytes()
        assert [spelling for spelling in spellings if spelling.encode() in data] == [], path.name
