"""JSON that others write for us: each part of a batch answer or a recording replaced, doubled or gone. What is good is kept word for word."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from finetune_prep.core.request import Request
from finetune_prep.errors import DocumentError
from finetune_prep.ledger.recording import export_recording, import_recording, read_recording, write_recording
from finetune_prep.ledger.sqlite.ledger import SqliteLedger
from finetune_prep.models.batches.answers import import_answers
from tests.families.sampling import members, some
from tests.models.batches.test_files import answer, ask, door_of
from tests.models.examples import entry, request

INSTEAD: tuple[Any, ...] = (None, True, -1, 10**30, 0.5, "", "x", "\ud800\x00", [], [[[]]], {}, {"x": 1})
TEXT = "Within 30 days, says the desk."


def mutations(value: Any) -> Iterator[tuple[str, Any]]:
    """The value with each of its parts replaced by each of `INSTEAD`, taken out, or given twice."""
    for path in paths(value):
        for other in (*INSTEAD, "GONE", "TWICE"):
            changed = copy.deepcopy(value)
            part = changed
            for step in path[:-1]:
                part = part[step]
            if other == "GONE":
                del part[path[-1]]
            elif other == "TWICE":
                part[path[-1]] = [part[path[-1]]] * 2
            else:
                part[path[-1]] = other
            yield f"{'.'.join(map(str, path))} {other!r}", changed


def paths(value: Any, here: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, part in inside:
        yield (*here, name)
        yield from paths(part, (*here, name))


def anthropic(key: str) -> dict[str, Any]:
    message = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [{"type": "text", "text": TEXT}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 5, "output_tokens": 1},
    }
    return {"custom_id": key, "result": {"type": "succeeded", "message": message}}


def refused(key: str) -> dict[str, Any]:
    error = {"object": "error", "message": "too long", "type": "BadRequestError", "param": None, "code": 400}
    return {"id": "vllm-1", "custom_id": key, "response": {"status_code": 400, "request_id": "r", "body": None}, "error": error}


SHAPES: dict[str, Callable[[str], dict[str, Any]]] = {
    "OpenAI": lambda key: answer(key, TEXT),
    "Anthropic": anthropic,
    "vLLM, refused": refused,
    "by hand": lambda key: {"custom_id": key, "content": TEXT},
    "an error alone": lambda key: {"custom_id": key, "response": None, "error": {"code": "batch_expired", "message": "late"}},
}


def parts_of(value: Any) -> set[str]:
    """Every text in a value, as it is and with what no file can hold replaced."""
    if isinstance(value, str):
        return {value}
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return {text for part in inside for text in parts_of(part)}


@members("shape", SHAPES, 5)
async def test_a_row_with_any_part_replaced(shape: Callable[[str], dict[str, Any]], ledger: SqliteLedger, tmp_path: Path) -> None:
    """No row stops another; each request is answered, asked again or still waited for; a kept answer is what the row says."""
    found = some([*mutations(shape("KEY"))], 60)
    requests = [request(f"question {number}") for number in range(len(found))]
    async with door_of(ledger, tmp_path) as door:
        await ask(door, requests)
    rows: list[str] = []
    said: dict[str, set[str]] = {}
    for asked, (_, row) in zip(requests, found, strict=True):
        if row.get("custom_id") == "KEY":
            row["custom_id"] = asked.key
        said[asked.key] = parts_of(row)
        rows.append(json.dumps(row))
    path = tmp_path / "answers.jsonl"
    path.write_text("\n".join(rows))
    done = await import_answers(ledger, [path])
    kept = {asked.key: one for asked in requests if (one := await ledger.answers.get(asked.key)) is not None}
    assert len(kept) == done.answered
    assert done.answered + done.released + done.outstanding == len(requests)
    for key, one in kept.items():
        text = one.reply.text
        joined = not text.replace(TEXT, "")  # parts of a text are joined
        assert joined or one.reply.problem or text in said[key] or json.loads(text) is not None, text
    again = await import_answers(ledger, [path])
    assert again.answered == 0
    print(f"\n{len(rows)} rows: {done.answered} kept, {done.released} asked again, {done.outstanding} waited for")


async def test_a_recording_with_any_part_replaced(tmp_path: Path) -> None:
    """It is read as it was written, or nothing is taken from it and the line is named."""
    path = tmp_path / "recording.jsonl"
    write_recording([entry(TEXT, "Yes. " * 60)], path)
    lines = path.read_text().splitlines()
    tried = read = 0
    for number, line in enumerate(lines):
        for name, changed in some([*mutations(json.loads(line))], 60):
            path.write_text("\n".join([*lines[:number], json.dumps(changed), *lines[number + 1 :]]))
            tried += 1
            try:
                entries = read_recording(path)
            except DocumentError as error:
                assert "recording.jsonl:" in str(error) or error.details, name
                continue
            read += 1
            assert all(isinstance(found.request, Request) and found.key == found.request.key for found in entries), name
            ledger = SqliteLedger(tmp_path / f"{number}-{tried}.sqlite")
            await import_recording(ledger, path)
            await export_recording(ledger, tmp_path / "again.jsonl")
            ledger.close()
            assert {found.key for found in read_recording(tmp_path / "again.jsonl")} == {found.key for found in entries}, name
    print(f"\n{tried} recordings: {read} read, {tried - read} refused with the line")
