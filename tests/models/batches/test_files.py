"""Batch files: what is recorded, written, read back, and asked again."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import msgspec
import pytest

from finetune_prep.core.request import Origin, Parameters, Request, Schema
from finetune_prep.errors import FinetunePrepError, NotYet, Paused, UsageError
from finetune_prep.ledger.sqlite.ledger import SqliteLedger
from finetune_prep.models.batches import files
from finetune_prep.models.batches.answers import import_answers
from finetune_prep.models.door import Door, open_door
from tests.ledgers import entries
from tests.models.examples import config, request


def door_of(ledger: SqliteLedger, folder: Path) -> Door:
    return open_door(config(), ledger, folder, provider="batch")


async def ask(door: Door, requests: list[Request]) -> None:
    with pytest.raises(NotYet):
        await door.ask_all(requests)


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def answer(key: str, text: str = "yes", status: int = 200) -> dict[str, Any]:
    body = {
        "id": "chatcmpl-1",
        "model": "larch-1",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 5, "completion_tokens": 1},
    }
    if status != 200:
        body = {"error": {"message": text, "code": None}}
    return {"id": "b", "custom_id": key, "response": {"status_code": status, "request_id": "r", "body": body}, "error": None}


def write(path: Path, lines: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


async def test_a_group_goes_into_one_file(ledger: SqliteLedger, tmp_path: Path) -> None:
    """All of ask_all is recorded before NotYet; the file is OpenAI's format, in an order that does not depend on arrival."""
    requests = [request(str(n)) for n in range(5)]
    async with door_of(ledger, tmp_path) as door:
        await ask(door, random.Random(1).sample(requests, 5))
        (written,) = await door.flush()
        assert await door.flush() == (files.OpenRound(number=1, path=written.path, asked=5, outstanding=5, fresh=False),), (
            "a second flush writes nothing"
        )
    assert (written.path.relative_to(tmp_path).as_posix(), written.asked, written.fresh) == (
        "batches/round-001.requests.jsonl",
        5,
        True,
    )
    assert written.answers_path.name == "round-001.answers.jsonl"
    found = rows(written.path)
    assert [row["custom_id"] for row in found] == [asked.key for asked in requests]
    assert found[0] | {"custom_id": ""} == {
        "custom_id": "",
        "method": "POST",
        "url": "/v1/chat/completions",
        "body": {
            "model": "larch-1",
            "messages": [{"role": "system", "content": "You judge."}, {"role": "user", "content": "0"}],
            "max_completion_tokens": 100,
        },
    }


async def test_nothing_is_asked_twice(ledger: SqliteLedger, tmp_path: Path) -> None:
    """A run that meets open requests again writes only the new ones, in a further round."""
    async with door_of(ledger, tmp_path) as door:
        await ask(door, [request("a"), request("b")])
    async with door_of(ledger, tmp_path) as door:
        await ask(door, [request("a"), request("b"), request("c")])
        first, second = await door.flush()
    assert [row["custom_id"] for row in rows(second.path)] == [request("c").key]
    assert (first.fresh, second.fresh) == (False, True)
    async with door_of(ledger, tmp_path) as door:
        await ask(door, [request("a"), request("c")])
    assert len(list((tmp_path / "batches").iterdir())) == 2


async def test_what_is_asked_in_other_words_now_is_waited_for_no_longer(ledger: SqliteLedger, tmp_path: Path) -> None:
    """A document was edited while its questions lay in a file: the old wording is given up, its neighbours are not."""

    def of(text: str, item: str) -> Request:
        return msgspec.structs.replace(request(text), origin=Origin("one thing", item))

    async with door_of(ledger, tmp_path) as door:
        await ask(door, [of("old words", "CP1"), of("the same words", "CP2"), of("elsewhere", "CP3")])
    async with door_of(ledger, tmp_path) as door:
        await ask(door, [of("new words", "CP1"), of("the same words", "CP2")])
        first, second = await door.flush()
    assert (first.outstanding, second.outstanding) == (2, 1)
    assert await ledger.rounds.outstanding(of("old words", "CP1").key) is None
    came = await import_answers(ledger, [write(tmp_path / "late.jsonl", [answer(of("old words", "CP1").key)])])
    assert came.answered == 1, "it was paid for, so it is kept"


async def test_one_model_a_file(ledger: SqliteLedger, tmp_path: Path) -> None:
    """OpenAI refuses files with more than one model."""
    async with door_of(ledger, tmp_path) as door:
        await ask(door, [request("a"), request("b", model="larch-2"), request("c")])
        rounds = await door.flush()
    assert [{row["body"]["model"] for row in rows(found.path)} for found in rounds] == [{"larch-1"}, {"larch-2"}]


async def test_large_batches_are_split(ledger: SqliteLedger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By number of requests and by bytes."""
    monkeypatch.setattr(files, "MOST_REQUESTS", 3)
    async with door_of(ledger, tmp_path) as door:
        await ask(door, [request(str(n)) for n in range(7)])
        assert [found.asked for found in await door.flush()] == [3, 3, 1]
    monkeypatch.setattr(files, "MOST_BYTES", 1000)
    async with door_of(ledger, tmp_path) as door:
        await ask(door, [request("x" * 600), request("y" * 600)])
        assert [found.asked for found in await door.flush()][3:] == [1, 1]


async def test_a_crash_between_record_and_file_is_mended(ledger: SqliteLedger, tmp_path: Path) -> None:
    """A round that was recorded but whose file was not written is written by the next flush, as it would have been."""
    await ledger.rounds.open([request("a"), request("b")])
    async with door_of(ledger, tmp_path) as door:
        await ask(door, [request("a"), request("b")])
        (found,) = await door.flush()
    assert found.fresh
    assert [row["custom_id"] for row in rows(found.path)] == [request("a").key, request("b").key]


async def test_round_trip(ledger: SqliteLedger, tmp_path: Path) -> None:
    """Answers shuffled over two files, with errors, duplicates, strangers and rubbish: every row gets its due."""
    requests = {name: request(name) for name in ("good", "again", "bad", "expired", "slow", "null", "silent", "odd")}
    keys = {name: asked.key for name, asked in requests.items()}
    async with door_of(ledger, tmp_path) as door:
        await ask(door, list(requests.values()))
    one = write(
        tmp_path / "one.jsonl",
        [
            answer(keys["again"], "first"),
            answer(keys["slow"], "slow down", 429),
            answer("0" * 32, "a stranger"),
            {"custom_id": keys["expired"], "response": None, "error": {"code": "batch_expired", "message": "too late"}},
            answer(keys["good"], "\ud83d half \u2028 line"),
        ],
    )
    two = write(
        tmp_path / "two.jsonl",
        [
            answer(keys["again"], "second"),
            answer(keys["bad"], "context too long", 400),
            {"custom_id": keys["null"], "response": None, "error": None},
            answer(keys["odd"]) | {"response": {"status_code": 200, "body": {"hello": 1}}},
        ],
    )
    two.write_text(two.read_text() + '{"custom_id": 7}\n\n{"custom_id": "x", \n')
    found = await import_answers(ledger, [two, one])
    assert (found.answered, found.refused, found.known, found.released, found.outstanding) == (3, 1, 1, 2, 3)
    assert found.strangers == ("0" * 32,)
    assert [line.split(": ")[0] for line in found.unreadable] == ["two.jsonl:3", "two.jsonl:4", "two.jsonl:5", "two.jsonl:7"]
    assert any("one.jsonl:4: batch_expired: too late" in failure for failure in found.failures)
    assert (await ledger.answers.get(keys["again"])).reply.text == "second", "the first that was imported"
    assert (await ledger.answers.get(keys["bad"])).reply.problem == "rejected"
    good = (await ledger.answers.get(keys["good"])).reply
    assert (good.text, good.problem, good.cost, good.usage.input) == ("\ufffd half \u2028 line", "malformed", None, 5)

    async with door_of(ledger, tmp_path) as door:
        await ask(door, list(requests.values()))
        first, second = await door.flush()
    assert (first.outstanding, second.outstanding) == (3, 2), "what was not understood is still waited for"
    assert {row["custom_id"] for row in rows(second.path)} == {keys[name] for name in ("slow", "expired")}
    rest = write(tmp_path / "rest.jsonl", [answer(keys[name]) for name in ("slow", "expired", "null", "odd", "silent", "good")])
    found = await import_answers(ledger, [rest])
    assert (found.answered, found.known, found.replaced, found.outstanding) == (5, 0, 1, 0), "half a character gave way"
    async with door_of(ledger, tmp_path) as door:
        assert [reply.text for reply in await door.ask_all([requests["slow"], requests["silent"]])] == ["yes", "yes"]
        assert await door.flush() == ()


async def test_a_failure_beside_an_answer_does_not_count(ledger: SqliteLedger, tmp_path: Path) -> None:
    """The error file says expired, the output file holds the answer: the answer stands, whichever is read first."""
    async with door_of(ledger, tmp_path) as door:
        await ask(door, [request("a")])
    expired = {"custom_id": request("a").key, "response": None, "error": {"code": "batch_expired"}}
    both = write(tmp_path / "a.jsonl", [expired, answer(request("a").key), expired])
    found = await import_answers(ledger, [both])
    assert (found.answered, found.released, found.outstanding) == (1, 0, 0)


async def test_the_unusable_answer_is_asked_again_in_a_further_round(ledger: SqliteLedger, tmp_path: Path) -> None:
    """ask_for works over batch files as it does over HTTP: the second attempt is a request of the next round."""
    asked = request("a", schema=Schema("any", {}))
    async with door_of(ledger, tmp_path) as door:
        await ask(door, [asked])
    await import_answers(ledger, [write(tmp_path / "a.jsonl", [answer(asked.key, "seven")])])
    async with door_of(ledger, tmp_path) as door:
        with pytest.raises(NotYet):
            await door.ask_for(asked, int)
        (found,) = await door.flush()
    assert rows(found.path)[0]["body"]["messages"][2]["content"] == "seven"


async def test_a_missing_answer_file_is_told(ledger: SqliteLedger, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        await import_answers(ledger, [tmp_path / "nowhere.jsonl"])


async def test_a_crash_of_the_program_writes_no_half_round(ledger: SqliteLedger, tmp_path: Path) -> None:
    """An error of the user's world still writes what was recorded; a bug or an interrupt does not."""
    with pytest.raises(Paused):
        async with door_of(ledger, tmp_path) as door:
            await ask(door, [request("a")])
            raise Paused("enough")
    assert (await ledger.rounds.all())[0].asked == 1
    with pytest.raises(KeyError):
        async with door_of(ledger, tmp_path) as door:
            await ask(door, [request("b")])
            raise KeyError("bug")
    assert len(await ledger.rounds.all()) == 1


def test_not_yet_is_an_error_with_exit_code_4() -> None:
    assert issubclass(NotYet, FinetunePrepError)
    assert NotYet.exit_code == 4
    assert Parameters(temperature=0) == Parameters(temperature=0.0)


FORM = Schema(name="number", schema={"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]})


async def test_a_later_good_answer_replaces_an_unusable_one(ledger: SqliteLedger, tmp_path: Path) -> None:
    """The first one is put aside, not lost; a good one stays, whatever comes later; the same file again changes nothing."""
    form, turn = request("How many?", schema=FORM), request("Hello?")
    async with door_of(ledger, tmp_path) as door:
        await ask(door, [form, turn])
    first = write(tmp_path / "first.jsonl", [answer(form.key, "I'm sorry."), answer(turn.key, "Hi.")])
    assert (await import_answers(ledger, [first])).answered == 2
    good = write(tmp_path / "good.jsonl", [answer(form.key, '{"n": 7}'), answer(turn.key, "Bye.")])
    found = await import_answers(ledger, [good])
    assert (found.answered, found.replaced, found.known) == (0, 1, 1)
    again = await import_answers(ledger, [first, good])
    assert (again.answered, again.replaced, again.known) == (0, 0, 4)
    kept = {entry.key: entry.reply.text for entry in await entries(ledger)}
    assert kept == {form.key: '{"n": 7}', turn.key: "Hi."}
    assert [aside.body for aside in await ledger.answers.aside(form.key)] == ["I'm sorry."]


async def test_what_was_asked_for_want_of_it_is_waited_for_no_longer(ledger: SqliteLedger, tmp_path: Path) -> None:
    """The second attempt is out in another file when the good answer to the first one comes."""
    form = request("How many?", schema=FORM)

    def number(text: str) -> int:
        return int(json.loads(text)["n"]) if text.startswith("{") else _no_number()

    for text in ("I'm sorry.", ""):
        async with door_of(ledger, tmp_path) as door:
            with pytest.raises(NotYet):
                await door.ask_for(form, number)
        if text:
            await import_answers(ledger, [write(tmp_path / "bad.jsonl", [answer(form.key, text)])])
    assert [found.outstanding for found in await ledger.rounds.all()] == [0, 1]
    found = await import_answers(ledger, [write(tmp_path / "good.jsonl", [answer(form.key, '{"n": 7}')])])
    assert (found.replaced, found.outstanding) == (1, 0)
    async with door_of(ledger, tmp_path) as door:
        assert await door.ask_for(form, number) == 7


def _no_number() -> int:
    raise ValueError("there is no n")


async def test_an_answer_that_was_used_is_not_undone(ledger: SqliteLedger, tmp_path: Path) -> None:
    """The second attempt was good, and what followed rests on it: a late good answer to the first one changes nothing."""
    form = request("How many?", schema=FORM)

    def number(text: str) -> int:
        return int(json.loads(text)["n"]) if text.startswith("{") else _no_number()

    for text in ("I'm sorry.", '{"n": 8}'):
        async with door_of(ledger, tmp_path) as door:
            with pytest.raises(NotYet):
                await door.ask_for(form, number)
            (open_round,) = await door.flush()
        (asked,) = rows(open_round.path)
        await import_answers(ledger, [write(tmp_path / "answers.jsonl", [answer(asked["custom_id"], text)])])
    found = await import_answers(ledger, [write(tmp_path / "late.jsonl", [answer(form.key, '{"n": 7}')])])
    assert (found.replaced, found.known) == (0, 1)
    async with door_of(ledger, tmp_path) as door:
        assert await door.ask_for(form, number) == 8
