"""Everything an endpoint can do wrong, over real HTTP, and what becomes of a call that meets it.

Passing faults, what a person must fix, and refusals for good are in `test_door`; here are answers that are not what they seem,
slow and endless ones, headers, clocks, and crowds of random faults.
"""

from __future__ import annotations

import asyncio
import random
import time
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from finetune_prep.core.request import Reply, Request, Schema
from finetune_prep.errors import Paused, Unreachable, Unusable
from finetune_prep.ledger.sqlite.ledger import SqliteLedger
from finetune_prep.models.door import open_door
from finetune_prep.models.providers import reach
from finetune_prep.models.providers.provider import Fault
from finetune_prep.models.providers.scripted import Scripted
from tests.fake_endpoint import Behaviour, Call, Completion, Drip, FakeEndpoint, Flood, HalfAnswer, Reset, Stall, Status
from tests.ledgers import entries
from tests.models.examples import config, request
from tests.soak import SOAK
from tests.waiting import HUNG, skip, until

pytestmark = [pytest.mark.usefixtures("quick"), pytest.mark.environment]


def message(**fields: Any) -> Completion:
    return Completion(message={"role": "assistant", **fields})


def choice(text: str, index: int) -> dict[str, Any]:
    return {"index": index, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}


# name → what comes, the problem by which it is known, the text that is kept
ANSWERS: dict[str, tuple[Behaviour, str | None, str]] = {
    "length": (Completion("A cracked", finish="length"), "truncated", "A cracked"),
    "content filter": (Completion("A", finish="content_filter"), "filtered", "A"),
    "refusal": (message(content=None, refusal="I can't."), "refused", "I can't."),
    "finish reason refusal": (Completion("No.", finish="refusal"), "refused", "No."),
    "unknown finish reason": (Completion("A", finish="tired"), "malformed", "A"),
    "no finish reason": (Completion("A", finish=None), "malformed", "A"),
    "empty content": (Completion(""), "empty", ""),
    "blank content": (Completion(" \n"), "empty", " \n"),
    "null with reasoning": (message(content=None, reasoning_content="Hm."), "empty", ""),
    "think, closed": (Completion("<think>Hm.</think>Yes."), None, "Yes."),
    "think, unclosed": (Completion("<think>Hm. Yes."), "malformed", "<think>Hm. Yes."),
    "think, opened by the template": (Completion("Hm.</think>Yes."), "malformed", "Hm.</think>Yes."),
    "reasoning in its own field": (message(content="Yes.", reasoning="Hm."), None, "Yes."),
    "several choices": (Completion(more={"choices": [choice("second", 1), choice("first", 0)]}), None, "first"),
    "content in parts": (message(content=[{"type": "text", "text": "Yes"}, {"type": "text", "text": "."}]), None, "Yes."),
    "half a surrogate pair": (Completion("Yes \ud83d."), "malformed", "Yes \ufffd."),
    "NUL": (Completion("Yes\x00."), "malformed", "Yes\ufffd."),
    "usage missing": (Completion("Yes.", more={"usage": None}), None, "Yes."),
    "odd usage": (Completion("Yes.", more={"usage": {"prompt_tokens": "many"}}), None, "Yes."),
    "wrong content type": (
        Status(200, raw=Completion("Yes.").body("m"), headers={"Content-Type": "text/html"}),
        None,
        "Yes.",
    ),
    "context length": (
        Status(400, error={"message": "maximum context length", "code": "context_length_exceeded"}),
        "rejected",
        "",
    ),
    "slow drip": (Drip("Yes.", pause=0.002), None, "Yes."),
}


@pytest.mark.parametrize(("behaviour", "problem", "text"), ANSWERS.values(), ids=ANSWERS.keys())
async def test_what_comes_is_known_by_its_name(
    behaviour: Behaviour, problem: str | None, text: str, ledger: SqliteLedger, tmp_path: Path
) -> None:
    """One call, one row: the text as it came, and the name of what is wrong with it."""
    with FakeEndpoint(behaviour) as endpoint:
        async with open_door(config(endpoint.base_url), ledger, tmp_path) as door:
            reply = await door.ask(request())
        assert len(endpoint.calls) == 1
    assert (reply.problem, reply.text) == (problem, text)
    kept = await ledger.answers.get(request().key)
    assert kept is not None
    assert kept.reply == reply
    text.encode()  # nothing that cannot be written to a file


async def test_an_endless_drip_meets_the_deadline(ledger: SqliteLedger, tmp_path: Path) -> None:
    """An answer that always has a few bytes more is given up when the time of the call is over."""
    with FakeEndpoint(Drip("x" * 50_000, pause=0.05)) as endpoint:
        async with open_door(config(endpoint.base_url, timeout=3600), ledger, tmp_path) as door:
            asking = asyncio.create_task(door.ask(request()))
            await asyncio.to_thread(endpoint.wait_for_calls, 1)
            skip(3600)
            with pytest.raises(Unreachable, match=r"no answer within 3600 s"):
                await asking


async def test_fifty_megabytes_are_not_read(ledger: SqliteLedger, tmp_path: Path) -> None:
    with FakeEndpoint(lambda call: Flood(50 * 1024 * 1024) if call.nth == 1 else Completion("Yes.")) as endpoint:
        async with open_door(config(endpoint.base_url), ledger, tmp_path) as door:
            assert (await door.ask(request())).text == "Yes."
        assert len(endpoint.calls) == 2


async def test_another_model_than_asked_is_told(ledger: SqliteLedger, tmp_path: Path) -> None:
    """The row says who answered; the key is that of what was asked."""
    with FakeEndpoint(Completion(more={"model": "willow-tiny"})) as endpoint:
        async with open_door(config(endpoint.base_url), ledger, tmp_path) as door:
            assert (await door.ask(request())).served_model == "willow-tiny"
    assert await ledger.answers.get(request().key) is not None


async def test_an_ignored_schema_is_asked_for_again(ledger: SqliteLedger, tmp_path: Path) -> None:
    """Prose instead of JSON: asked again with the reason, and then a failure with a name; all answers are kept."""
    asked = request(schema=Schema("verdict", {"type": "object", "properties": {"CP1": {"type": "string"}}}))

    def as_json(text: str) -> str:
        if not text.startswith("{"):
            raise ValueError("not a JSON object")
        return text

    with FakeEndpoint(Completion("Sure! Here is the JSON you wanted.")) as endpoint:
        async with open_door(config(endpoint.base_url), ledger, tmp_path) as door:
            with pytest.raises(Unusable, match="not a JSON object"):
                await door.ask_for(asked, as_json)
        assert len(endpoint.calls) == 3
        assert "response_format" in endpoint.calls[0].body
    assert await ledger.reports.count() == 3


async def test_rate_limit_headers_set_the_pace(ledger: SqliteLedger, tmp_path: Path) -> None:
    """An endpoint that says that it takes 50 calls a second, and that they are used up, is asked no faster than that."""
    spent = {
        "x-ratelimit-limit-requests": "50",
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": "1s",
    }
    with FakeEndpoint(lambda call: Completion(headers=spent if call.text == "first" else {})) as endpoint:
        async with open_door(config(endpoint.base_url, concurrency=64), ledger, tmp_path) as door:
            await door.ask(request("first"))
            await door.ask_all([request(str(n)) for n in range(50)])
        times = [call.at for call in endpoint.calls]
    assert len(times) == 51
    assert times[-1] - times[0] > 0.5  # loopback itself takes some hundredths


async def test_dates_are_read_by_the_clock_of_the_endpoint(ledger: SqliteLedger, tmp_path: Path) -> None:
    """Its clock is three hours ahead of ours: “in one second” is still one second and no three hours."""
    ahead = datetime.now(UTC) + timedelta(hours=3)
    late = {
        "Date": format_datetime(ahead, usegmt=True),
        "Retry-After": format_datetime(ahead + timedelta(seconds=1), usegmt=True),
    }
    with FakeEndpoint(lambda call: Status(429, headers=late) if call.nth == 1 else Completion()) as endpoint:
        async with open_door(config(endpoint.base_url), ledger, tmp_path) as door, asyncio.timeout(HUNG):
            await door.ask(request())
        first, second = endpoint.calls
    assert second.at - first.at >= 1


async def test_a_clock_that_jumps_changes_nothing(ledger: SqliteLedger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The time of day goes back and forth by hours while calls run: no deadline is missed and none met too early."""
    real, stream = time.time, random.Random(5)
    monkeypatch.setattr(time, "time", lambda: real() + stream.uniform(-7200, 7200))
    with FakeEndpoint(lambda call: Completion(latency=0.02) if call.nth > 1 else Status(503)) as endpoint:
        async with open_door(config(endpoint.base_url, concurrency=8), ledger, tmp_path) as door:
            replies = await door.ask_all([request(str(n)) for n in range(40)])
    assert {reply.problem for reply in replies} == {None}
    assert all(0 <= reply.seconds < HUNG for reply in replies)


@pytest.mark.parametrize("run", range(100 if SOAK else 4))
async def test_calls_that_are_never_answered_hang_no_run(run: int, ledger: SqliteLedger, tmp_path: Path) -> None:
    """One call in a hundred stays without an answer: the run ends, and exactly those rows are missing."""
    stream = random.Random(run)
    silent = {str(n) for n in range(200) if stream.random() < 0.01}
    with FakeEndpoint(lambda call: Stall(mid_body=run % 2 == 0) if call.text in silent else Completion()) as endpoint:
        async with open_door(config(endpoint.base_url, timeout=3600, concurrency=64), ledger, tmp_path) as door:
            asking = asyncio.gather(*(door.ask(request(str(n))) for n in range(200)), return_exceptions=True)
            await until(lambda: len(endpoint.calls) == 200 and door.progress.answered == 200 - len(silent))
            skip(3600)
            results = await asking
    missing = {str(n) for n, result in enumerate(results) if isinstance(result, Unreachable)}
    assert missing == silent
    assert await ledger.reports.count() == 200 - len(silent)


async def test_many_silent_calls_at_the_end_pause_nothing(ledger: SqliteLedger, tmp_path: Path) -> None:
    """Ten calls are silent while others, begun later, are answered: that is no dead endpoint, and each has its own error."""
    silent = {str(n) for n in range(0, 50, 5)}
    with FakeEndpoint(lambda call: Stall() if call.text in silent else Completion(latency=0.01)) as endpoint:
        async with open_door(config(endpoint.base_url, timeout=3600, concurrency=32), ledger, tmp_path) as door:
            asking = asyncio.gather(*(door.ask(request(str(n))) for n in range(100)), return_exceptions=True)
            await until(lambda: len(endpoint.calls) == 100 and door.progress.answered == 90)
            skip(3600)
            results = await asking
    assert {str(n) for n, result in enumerate(results) if isinstance(result, Unreachable)} == silent
    assert not [result for result in results if isinstance(result, Paused)]


async def test_a_server_that_was_never_there_is_told_soon(
    ledger: SqliteLedger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not after the whole time of a call: the run pauses and names the address. The calls cost nothing."""
    monkeypatch.setattr(reach, "UNREACHED_SECONDS", 0.2)
    monkeypatch.setattr(reach, "UNREACHED_PAUSE", 0.05)
    with FakeEndpoint() as endpoint:
        base_url = endpoint.base_url
    async with open_door(config(base_url, timeout=300, budget=1.0), ledger, tmp_path) as door:
        results = await asyncio.gather(*(door.ask(request(str(n))) for n in range(20)), return_exceptions=True)
    assert {type(result) for result in results} == {Paused}
    assert f"cannot connect to {base_url}/chat/completions: Connection refused" in str(results[0])
    assert "start the server" in str(results[0])
    assert await ledger.money.spent() == 0.0


def test_the_time_until_that_is_told_is_short() -> None:
    """With the pause before the last try and its connection, which is refused at once."""
    assert reach.UNREACHED_SECONDS + reach.UNREACHED_PAUSE + 1.0 < 10


@pytest.mark.usefixtures("one_try")
async def test_a_server_that_goes_away_for_a_while_is_waited_for(
    ledger: SqliteLedger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once it has answered, it may be started again meanwhile: the call has all of its time."""
    monkeypatch.setattr(reach, "UNREACHED_SECONDS", 0.0)
    async with AsyncExitStack() as stack:
        with FakeEndpoint() as endpoint:
            door = await stack.enter_async_context(open_door(config(endpoint.base_url), ledger, tmp_path))
            await door.ask(request("a"))
        with pytest.raises(Unreachable, match="no answer"):
            await door.ask(request("b"))


@pytest.mark.usefixtures("one_try")
async def test_what_gave_no_answer_is_told_while_others_are_under_way(ledger: SqliteLedger, tmp_path: Path) -> None:
    """A count of what failed names nothing, and the error comes when all others have come to their end. Three are enough."""
    told: list[str] = []
    heard = asyncio.Event()

    def tell(line: str) -> None:
        told.append(line)
        heard.set()

    async def answer(asked: Request) -> str:
        if asked.origin.about.startswith("lost"):
            raise Fault("503 overloaded")
        await heard.wait()
        return "Fine."

    asked = [request("kept", about="kept"), *(request(str(n), about=f"lost {n}") for n in range(4))]
    async with open_door(config(), ledger, tmp_path, provider=Scripted(answer), tell=tell) as door:
        with pytest.raises(Unreachable):
            await door.ask_all(asked)
    assert len(told) == 3
    assert told[0] == "pilot-001 · judge · lost 0: no answer after 1 attempt: 503 overloaded"
    assert len({*told}) == 3


@pytest.mark.usefixtures("one_try")
async def test_what_fails_alone_is_told_by_its_error(ledger: SqliteLedger, tmp_path: Path) -> None:
    told: list[str] = []

    async def answer(asked: Request) -> str:
        raise Fault("503 overloaded")

    async with open_door(config(), ledger, tmp_path, provider=Scripted(answer), tell=told.append) as door:
        with pytest.raises(Unreachable):
            await door.ask(request("lost"))
    assert told == []


FAULTS: tuple[Behaviour, ...] = (
    Status(429),
    Status(429, headers={"Retry-After": "0.01"}),
    Status(500),
    Status(502, raw=b"<html>"),
    Status(503),
    Status(529),
    Status(200, raw=b""),
    Status(200, raw=b'{"choices": ['),
    Reset(),
    HalfAnswer(),
    Stall(),
    Drip(pause=0.001),
    Status(400, error={"message": "context too long"}),
    Completion("", finish="stop"),
    Completion("A", finish="length"),
    message(content=None, refusal="No."),
)


async def test_every_row_is_accounted_for(tmp_path: Path) -> None:
    """Random faults, many: each row is an answer, a named problem or a named error; the next runs fill the gaps.

    A resumed set is exact: every row once, each with the answer that the first run was given, if it was given one.
    """
    rows, share = 20_000 if SOAK else 400, 0.2

    def answer(call: Call) -> Behaviour:
        stream = random.Random(f"{call.text} {call.nth}")
        return stream.choice(FAULTS) if stream.random() < share else Completion(call.text)

    asked = [request(str(n)) for n in range(rows)]
    ledger = SqliteLedger(tmp_path / "ledger.sqlite")
    kept: dict[int, Reply] = {}
    with FakeEndpoint(answer) as endpoint:
        for run in range(100):
            async with open_door(config(endpoint.base_url, timeout=1.0, concurrency=64), ledger, tmp_path) as door:
                results = await asyncio.gather(*map(door.ask, asked), return_exceptions=True)
            assert {type(result) for result in results} <= {Reply, Unreachable, Paused}
            replies = {n: result for n, result in enumerate(results) if isinstance(result, Reply)}
            assert all(replies[n] == reply for n, reply in kept.items())
            assert all(reply.text == str(n) or reply.problem or reply.text == "Fine." for n, reply in replies.items())
            kept = replies
            print(f"\nrun {run + 1}: {len(kept)} of {rows}, {len(endpoint.calls)} calls")
            if len(kept) == rows:
                break
    assert len(kept) == rows
    assert await ledger.reports.count() == rows
    assert {entry.key for entry in await entries(ledger)} == {one.key for one in asked}
    ledger.close()
