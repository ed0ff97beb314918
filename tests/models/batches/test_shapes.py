"""Answers come in the shapes of those who give them: what is understood is kept, what is not stays outstanding."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from finetune_prep.core.request import Request, Schema
from finetune_prep.ledger.sqlite.ledger import SqliteLedger
from finetune_prep.models.batches import pages
from finetune_prep.models.batches.answers import BatchImport, import_answers
from finetune_prep.models.batches.shapes import Foreign, Row, read_rows
from tests.models.batches.test_files import answer, ask, door_of
from tests.models.examples import request

MARK = {"object": "error", "message": "This model's maximum context length is 512 tokens", "code": 400}
MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "m",
    "content": [{"type": "text", "text": "yes"}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 5, "output_tokens": 1},
}
GOOD: dict[str, Any] = {
    "OpenAI": lambda key: answer(key),
    "Azure": lambda key: {"custom_id": key, "error": None, "response": answer(key)["response"] | {"request_id": None}},
    "a body in a string": lambda key: {"custom_id": key, "response": {"status_code": 200, "body": json.dumps(body_of(key))}},
    "an index of null": lambda key: with_choice(key, index=None),
    "Anthropic": lambda key: {"custom_id": key, "result": {"type": "succeeded", "message": MESSAGE}},
    "by hand": lambda key: {"custom_id": key, "content": "yes"},
}


def body_of(key: str) -> dict[str, Any]:
    body: dict[str, Any] = answer(key)["response"]["body"]
    return body


def with_choice(key: str, **changes: Any) -> dict[str, Any]:
    row = answer(key)
    row["response"]["body"]["choices"][0] |= changes
    return row


async def imported(
    ledger: SqliteLedger, folder: Path, rows: list[dict[str, Any]], requests: list[Request], *, array: bool = False
) -> BatchImport:
    async with door_of(ledger, folder) as door:
        await ask(door, requests)
    path = folder / "answers.jsonl"
    path.write_text(json.dumps(rows, indent=2) if array else "\n".join(map(json.dumps, rows)))
    return await import_answers(ledger, [path])


@pytest.mark.parametrize("array", [False, True], ids=["lines", "one array"])
@pytest.mark.parametrize("shape", GOOD.values(), ids=GOOD)
async def test_answers_in_every_known_shape(shape: Any, array: bool, ledger: SqliteLedger, tmp_path: Path) -> None:
    requests = [request(str(n)) for n in range(3)]
    done = await imported(ledger, tmp_path, [shape(asked.key) for asked in requests], requests, array=array)
    assert (done.answered, done.outstanding, done.unreadable) == (3, 0, ())
    assert {(await ledger.answers.get(asked.key)).reply.text for asked in requests} == {"yes"}


UNKNOWN: dict[str, Any] = {
    "Gemini": lambda key: {"key": key, "response": {"candidates": [{"content": {"parts": [{"text": "yes"}]}}]}},
    "an id that is no text": lambda key: {"custom_id": f"{key}\ud800", "content": "yes"},
    "an id with NUL": lambda key: {"custom_id": f"\0{key}", "content": "yes"},
    "no shape at all": lambda key: {"custom_id": key, "answer": "yes"},
    "a body that is no answer": lambda key: {"custom_id": key, "response": {"status_code": 200, "body": {"output": "yes"}}},
}


@pytest.mark.parametrize("array", [False, True], ids=["lines", "one array"])
@pytest.mark.parametrize("shape", UNKNOWN.values(), ids=UNKNOWN)
async def test_a_shape_that_nobody_knows_is_told_once_and_nothing_is_given_up(
    shape: Any, array: bool, ledger: SqliteLedger, tmp_path: Path
) -> None:
    requests = [request(str(n)) for n in range(20)]
    done = await imported(ledger, tmp_path, [shape(asked.key) for asked in requests], requests, array=array)
    assert (done.answered, done.released, done.outstanding) == (0, 0, 20)
    (sentence,) = done.unreadable
    assert "and 19 more rows like it" in sentence
    assert ("Gemini's Batch API" in sentence) == ("candidates" in str(shape("k")))


async def test_the_reason_beside_an_empty_body_is_kept(ledger: SqliteLedger, tmp_path: Path) -> None:
    """As vLLM's run-batch writes failures."""
    requests = [request(str(n)) for n in range(3)]
    failures = ["This model's maximum context length is 512 tokens", MARK, {"error": MARK}]
    rows = [
        {"custom_id": asked.key, "response": {"status_code": 400, "request_id": "r", "body": None}, "error": why}
        for asked, why in zip(requests, failures, strict=True)
    ]
    done = await imported(ledger, tmp_path, rows, requests)
    assert (done.answered, done.refused) == (3, 3)
    assert done.refusals == (
        "answers.jsonl:1 (and 2 more rows like it): HTTP 400: This model's maximum context length is 512 tokens",
    )
    details = {(await ledger.answers.get(asked.key)).reply.detail for asked in requests}
    assert details == {"HTTP 400: This model's maximum context length is 512 tokens"}


@pytest.mark.parametrize(
    "why",
    [
        "System role not supported",
        {"object": "error", "message": "System role not supported", "type": "BadRequestError", "param": None, "code": 400},
        "Unsupported parameter: 'max_completion_tokens' is not supported with this model. Use 'max_tokens' instead.",
    ],
)
async def test_what_every_request_would_meet_gives_none_of_them_up(why: Any, ledger: SqliteLedger, tmp_path: Path) -> None:
    """With another model, or another server for it, the same requests may be answered."""
    requests = [request(str(n)) for n in range(3)]
    response = {"status_code": 400, "request_id": "r", "body": None}
    done = await imported(
        ledger, tmp_path, [{"custom_id": asked.key, "response": response, "error": why} for asked in requests], requests
    )
    assert (done.answered, done.refused, done.released) == (0, 0, 3)
    (sentence,) = done.failures
    assert sentence.startswith("answers.jsonl:1 (and 2 more rows like it): HTTP 400: ")
    assert await ledger.reports.count() == 0


async def test_half_a_character_in_a_row_is_kept_as_a_mark(ledger: SqliteLedger, tmp_path: Path) -> None:
    """In the id of a call or the words of a refusal: what is kept can be written."""
    requests = [request(str(n)) for n in range(2)]
    rows = [
        {"custom_id": requests[0].key, "response": answer("k")["response"] | {"request_id": "r\ud800"}},
        {"custom_id": requests[1].key, "error": {"code": "invalid_request", "message": "too \ud800 long"}},
    ]
    rows[0]["response"]["body"].pop("id")
    done = await imported(ledger, tmp_path, rows, requests)
    assert (done.answered, done.outstanding) == (2, 0)
    kept = [await ledger.answers.get(asked.key) for asked in requests]
    assert [one.reply.request_id + one.reply.detail for one in kept if one] == ["r\ufffd", "invalid_request: too \ufffd long"]


async def test_without_credit_a_request_is_still_waited_for(ledger: SqliteLedger, tmp_path: Path) -> None:
    """The same file can be sent again; a refusal for good would have lost the rows."""
    words = "Your credit balance is too low to access the API."
    error = {"code": "invalid_request_error", "type": "invalid_request_error", "message": words}
    requests = [request(str(n)) for n in range(2)]
    rows = [
        {"custom_id": requests[0].key, "response": None, "error": error},
        {"custom_id": requests[1].key, "result": {"type": "errored", "error": {"type": "error", "error": error}}},
    ]
    done = await imported(ledger, tmp_path, rows, requests)
    assert (done.answered, done.released, done.unpaid, done.outstanding) == (0, 0, 2, 2)


async def test_an_answer_that_misses_its_schema_is_told_at_once(ledger: SqliteLedger, tmp_path: Path) -> None:
    schema = Schema("a", {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]})
    requests = [request(str(n), schema=schema) for n in range(3)]
    rows = [
        {"custom_id": requests[0].key, "content": "yes"},
        {"custom_id": requests[1].key, "content": {"a": "yes"}},
        {"custom_id": requests[2].key, "content": '{"a": "yes"}'},
    ]
    done = await imported(ledger, tmp_path, rows, requests)
    assert (done.answered, done.misfits) == (3, ("answers.jsonl:1: not JSON, line 1, column 1: invalid character",))
    assert (await ledger.answers.get(requests[1].key)).reply.text == '{"a": "yes"}'


async def test_an_answer_may_be_a_file_of_its_own(ledger: SqliteLedger, tmp_path: Path) -> None:
    """In a folder or alone, over many lines, under the custom_id of its name or of what stands in it."""
    requests = [request(str(n)) for n in range(4)]
    async with door_of(ledger, tmp_path) as door:
        await ask(door, requests)
    folder = tmp_path / "answers"
    folder.mkdir()
    (folder / f"{requests[0].key}.json").write_text('{\n  "a": 1\n}')
    (folder / "second.json").write_text(json.dumps({"custom_id": requests[1].key, "content": "Fine."}, indent=2))
    (folder / "notes.json").write_text("{}")
    alone = tmp_path / f"{requests[2].key}.json"
    alone.write_text('{\n"a": 2}')
    done = await import_answers(ledger, [folder, alone])
    assert (done.answered, done.outstanding) == (3, 1)
    assert done.unreadable == ("notes.json: neither it nor its name says which request it answers: {}",)
    assert (await ledger.answers.get(requests[0].key)).reply.text == '{"a": 1}'


async def test_pages_are_answered_below_their_last_line(ledger: SqliteLedger, tmp_path: Path) -> None:
    """A page that nobody has answered is passed over; one whose last line is gone is named."""
    requests = [request(f"{n}\n<!-- answer below this line: {'0' * 32} -->\nno") for n in range(4)]
    async with door_of(ledger, tmp_path) as door:
        await ask(door, requests)
    folder = tmp_path / "round"
    folder.mkdir()
    answers = ["  yes\n", "```json\nyes\n```", ""]
    for number, (asked, text) in enumerate(zip(requests, answers, strict=False)):
        (folder / f"{number}.md").write_text(pages.page(asked) + text)
    (folder / "3.md").write_text("yes")
    done = await import_answers(ledger, [folder])
    assert (done.answered, done.outstanding, done.strangers) == (2, 2, ())
    assert [(await ledger.answers.get(asked.key)).reply.text for asked in requests[:2]] == ["yes", "yes"]
    assert len(done.unreadable) == 1
    assert done.unreadable[0].startswith("3.md")


async def test_a_file_holds_one_role(ledger: SqliteLedger, tmp_path: Path) -> None:
    """Whoever answers for the judge should not read how a conversation was made."""
    async with door_of(ledger, tmp_path) as door:
        await ask(door, [request("a"), request("b", role="user"), request("c")])
        rounds = await door.flush()
    assert [found.asked for found in rounds] == [2, 1]


HUGE = 200 * 1024 * 1024


def test_a_row_of_200_megabytes_is_a_sentence(tmp_path: Path) -> None:
    """It names file, line and size; it is never in memory as a whole; and the rows beside it are read."""
    path = tmp_path / "answers.jsonl"
    good = json.dumps({"custom_id": "a" * 32, "content": "Yes."}).encode() + b"\n"
    with path.open("wb") as file:
        file.write(good + b'{"custom_id": "b')
        file.seek(len(good) + HUGE)  # a hole, which takes no room on the disk
        file.write(b"\n" + good)
    tracemalloc.start()
    rows = list(read_rows(path))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < HUGE / 3
    first, huge, last = rows
    assert isinstance(first, Row)
    assert isinstance(last, Row)
    assert isinstance(huge, Foreign)
    assert huge.place == "answers.jsonl:2"
    assert f"{HUGE + 1:,} bytes" in huge.why
    assert len(huge.why + huge.sample) < 500


@pytest.mark.parametrize("name", ["array.json", "folder"])
def test_a_huge_array_and_a_huge_page_are_sentences(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    if name == "folder":
        path.mkdir()
    with (path / "001-page.md" if name == "folder" else path).open("wb") as file:
        file.write(b"[")
        file.truncate(HUGE)
    (huge,) = read_rows(path)
    assert isinstance(huge, Foreign)
    assert f"{HUGE:,} bytes" in huge.why
    assert len(huge.why + huge.sample) < 500


def test_an_id_that_is_none_is_not_repeated(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    path.write_text(json.dumps({"custom_id": "c" * 10_000_000, "content": "Yes."}))
    (foreign,) = read_rows(path)
    assert isinstance(foreign, Foreign)
    assert "10,000,000 characters" in foreign.why
    assert len(foreign.why + foreign.sample) < 500
