"""The door, over real HTTP: what is asked, how often, what is kept, what it costs, and what a person is told."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from finetune_prep.core.request import Origin, Reply, Request, Schema
from finetune_prep.errors import ConfigError, LedgerBroken, Paused, Unreachable, Unusable
from finetune_prep.ledger.sqlite.ledger import SqliteLedger
from finetune_prep.models import attempts
from finetune_prep.models.door import open_door
from finetune_prep.models.progress import Progress, RoleProgress
from finetune_prep.models.providers.provider import Fault
from finetune_prep.models.providers.scripted import Scripted
from finetune_prep.models.roles import Roles
from finetune_prep.project.config import ProviderKind, ProviderSettings
from tests.fake_endpoint import Behaviour, Call, Completion, FakeEndpoint, Flood, HalfAnswer, Reset, Stall, Status
from tests.ledgers import entries
from tests.models.examples import KEY_ENV, config, request
from tests.waiting import HUNG, skip

pytestmark = [pytest.mark.usefixtures("quick"), pytest.mark.environment]


async def test_an_answer_is_asked_once_and_kept(ledger: SqliteLedger, tmp_path: Path) -> None:
    """The second asking, in this run or the next, is answered from the ledger, with everything that came."""
    with FakeEndpoint(Completion("yes", headers={"x-request-id": "r-7"})) as endpoint:
        async with open_door(config(endpoint.base_url), ledger, tmp_path) as door:
            first = await door.ask(request())
            assert await door.ask(request()) == first
        async with open_door(config(endpoint.base_url), ledger, tmp_path) as door:
            assert await door.ask(request()) == first
            assert door.progress == Progress(asked=1, known=1, roles={"judge": RoleProgress(known=1)})
        assert len(endpoint.calls) == 1
    assert (first.text, first.problem, first.finish) == ("yes", None, "stop")
    assert (first.usage.input, first.usage.output) == (100, 10)
    assert first.cost == pytest.approx((100 * 1 + 10 * 2) / 1e6)
    assert (first.served_model, first.request_id) == ("larch-1", "r-7")
    assert first.at.endswith("+00:00")


async def test_what_is_sent(ledger: SqliteLedger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The body is what the request says, and the key travels in the header."""
    monkeypatch.setenv(KEY_ENV, "sk-canary")
    with FakeEndpoint() as endpoint:
        async with open_door(config(endpoint.base_url, key_env=KEY_ENV), ledger, tmp_path) as door:
            await door.ask(request("Hm?"))
        call = endpoint.calls[0]
    assert call.path == "/v1/chat/completions"
    assert call.headers["authorization"] == "Bearer sk-canary"
    assert call.body == {
        "model": "larch-1",
        "messages": [{"role": "system", "content": "You judge."}, {"role": "user", "content": "Hm?"}],
        "max_tokens": 100,
    }


async def test_asked_together_asked_once(ledger: SqliteLedger, tmp_path: Path) -> None:
    """Twenty askers of the same request at the same time share one call; labels make no difference."""
    with FakeEndpoint(Completion(latency=0.05)) as endpoint:
        async with open_door(config(endpoint.base_url), ledger, tmp_path) as door:
            replies = await asyncio.gather(*(door.ask(request("Same?", about=str(n))) for n in range(20)))
        assert len(endpoint.calls) == 1
    assert len(set(map(id, replies))) == 1


async def test_samples_are_asked_apart(ledger: SqliteLedger, tmp_path: Path) -> None:
    """Five samples of one prompt are five calls."""
    with FakeEndpoint() as endpoint:
        async with open_door(config(endpoint.base_url), ledger, tmp_path) as door:
            await door.ask_all([request(sample=f"judge/{n}") for n in range(5)])
        assert endpoint.most_for_one_body == 5


async def test_answers_come_in_the_order_of_the_questions(ledger: SqliteLedger, tmp_path: Path) -> None:
    """Whatever the order in which they arrive."""

    def answer(call: Call) -> Behaviour:
        return Completion(call.text, latency=0.05 if call.text == "0" else 0.0)

    with FakeEndpoint(answer) as endpoint:
        async with open_door(config(endpoint.base_url), ledger, tmp_path) as door:
            replies = await door.ask_all([request(str(n)) for n in range(10)])
    assert [reply.text for reply in replies] == [str(n) for n in range(10)]


PASSING: dict[str, Behaviour] = {
    "429": Status(429),
    "429 with seconds": Status(429, headers={"Retry-After": "0.05"}),
    "429 with a date": Status(429, headers={"Retry-After": "Fri, 20 Nov 2020 10:00:00 GMT"}),
    "429 with milliseconds": Status(429, headers={"retry-after-ms": "20"}),
    "408": Status(408),
    "500": Status(500),
    "502 as a page": Status(502, raw=b"<html>Bad gateway</html>", headers={"Content-Type": "text/html"}),
    "503": Status(503),
    "529": Status(529),
    "reset": Reset(),
    "half an answer": HalfAnswer(),
    "empty body": Status(200, raw=b""),
    "an error in a 200": Status(200, error={"message": "upstream is down", "code": 502}),
    "a flood": Flood(17 * 1024 * 1024),
}


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING.keys())
async def test_passing_faults_are_tried_again(fault: Behaviour, ledger: SqliteLedger, tmp_path: Path) -> None:
    """After two failures of any passing kind the third attempt is the answer."""
    with FakeEndpoint(lambda call: Completion("yes") if call.nth == 3 else fault) as endpoint:
        async with open_door(config(endpoint.base_url), ledger, tmp_path) as door:
            assert (await door.ask(request())).text == "yes"
        assert len(endpoint.calls) == 3


async def test_retry_after_is_honoured(ledger: SqliteLedger, tmp_path: Path) -> None:
    """The call is not sent again before the time that the endpoint asked for."""
    with FakeEndpoint(lambda call: Status(429, headers={"Retry-After": "0.5"}) if call.nth < 3 else Completion()) as endpoint:
        async with open_door(config(endpoint.base_url), ledger, tmp_path) as door:
            await door.ask(request())
        first, second, third = (call.at for call in endpoint.calls)
    assert second - first >= 0.5
    assert third - second >= 0.5


async def test_a_wait_beyond_the_deadline_is_not_waited(ledger: SqliteLedger, tmp_path: Path) -> None:
    """Retry-After of an hour ends a call that has less left; it is not kept, and the next run asks again."""
    with FakeEndpoint(lambda call: Status(429, headers={"Retry-After": "3600"}) if call.nth == 2 else Status(500)) as endpoint:
        async with asyncio.timeout(HUNG), open_door(config(endpoint.base_url, timeout=3600), ledger, tmp_path) as door:
            with pytest.raises(Unreachable, match="429") as caught:
                await door.ask(request())
        assert len(endpoint.calls) == 2
        assert "pilot-001 · judge · Is it broken?" in str(caught.value)
        assert await ledger.answers.get(request().key) is None


async def test_an_absurdly_long_wait_pauses_the_run(ledger: SqliteLedger, tmp_path: Path) -> None:
    """Retry-After of an hour: nobody waits for it, neither the call that was told nor those that queue; the next run asks again."""
    asked = [request(str(n)) for n in range(100)]
    with FakeEndpoint(Status(429, headers={"Retry-After": "3600"})) as endpoint:
        settings = config(endpoint.base_url, concurrency=4, timeout=300)
        async with asyncio.timeout(HUNG), open_door(settings, ledger, tmp_path) as door:
            results = await asyncio.gather(*map(door.ask, asked), return_exceptions=True)
        assert len(endpoint.calls) <= 4 + 3
    assert {type(result) for result in results} == {Paused}
    assert "no further call for 60 minutes" in str(results[0])
    assert await ledger.reports.count() == 0


@pytest.mark.parametrize("stall", [Stall(), Stall(mid_body=True)], ids=["before the headers", "in the body"])
async def test_a_stalled_endpoint_meets_the_deadline(stall: Stall, ledger: SqliteLedger, tmp_path: Path) -> None:
    """One total deadline: a silent endpoint cannot hold a call for longer, nor can all of its retries together."""
    with FakeEndpoint(lambda call: stall if call.nth == 3 else Status(503)) as endpoint:
        async with open_door(config(endpoint.base_url, timeout=3600), ledger, tmp_path) as door:
            asking = asyncio.create_task(door.ask(request()))
            await asyncio.to_thread(endpoint.wait_for_calls, 3)
            skip(3600)
            with pytest.raises(Unreachable, match=r"no answer within 3600 s; before that: .*503"):
                await asking
    assert await ledger.answers.get(request().key) is None


@pytest.mark.usefixtures("one_try")
async def test_a_dead_endpoint_pauses_the_run(ledger: SqliteLedger, tmp_path: Path) -> None:
    """After a few calls without any answer the rest is not tried: nobody waits a deadline for each of a thousand rows."""
    with FakeEndpoint(Reset()) as endpoint:
        async with open_door(config(endpoint.base_url, concurrency=4), ledger, tmp_path) as door:
            results = await asyncio.gather(*(door.ask(request(str(n))) for n in range(200)), return_exceptions=True)
    kinds = {type(result) for result in results}
    assert kinds == {Unreachable, Paused}
    assert sum(isinstance(result, Unreachable) for result in results) < 10
    paused = next(result for result in results if isinstance(result, Paused))
    assert "the provider “larch” does not answer (1 attempt): the connection broke" in str(paused)
    assert "check that the endpoint runs" in str(paused)


async def test_a_server_that_went_away_is_told_once(
    ledger: SqliteLedger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not at the first fault, and not for each of the calls that wait."""
    told: list[str] = []
    failing = iter(range(6))  # as many calls fail after it was told
    monkeypatch.setattr(attempts, "SILENCE_SECONDS", 3600.0)
    with FakeEndpoint(lambda call: Completion() if told and next(failing, None) is None else Status(503)) as endpoint:
        async with open_door(config(endpoint.base_url, timeout=240.0), ledger, tmp_path, tell=told.append) as door:
            asking = asyncio.gather(*(door.ask(request(str(n))) for n in range(3)))
            await asyncio.to_thread(endpoint.wait_for_calls, 4)
            assert told == []
            monkeypatch.setattr(attempts, "SILENCE_SECONDS", 0.0)
            await asking
    assert len(told) == 1
    assert told[0].startswith(f"no answer from 127.0.0.1:{endpoint.port}: ")
    assert "503" in told[0]
    assert told[0].endswith("; trying again for up to 4 min")


PAUSING: dict[str, tuple[Behaviour, str]] = {
    "401": (Status(401, error={"message": "Incorrect API key provided: sk-canary-4711"}), "API key"),
    "402": (Status(402), "credit"),
    "403": (Status(403), "denies access"),
    "404": (Status(404, error={"message": "no model larch-1", "code": "model_not_found"}), "does not know this model"),
    "quota": (Status(429, error={"message": "You exceeded your quota", "code": "insufficient_quota"}), "credit or quota"),
    "credit in a 400": (Status(400, error={"message": "Your credit balance is too low"}), "credit"),
    "key in a 400": (Status(400, raw=b'[{"error": {"code": 400, "message": "API key not valid."}}]'), "API key"),
    "a setting": (Status(400, error={"message": "unsupported", "param": "temperature"}), "`temperature`"),
    "a setting in a 422": (
        Status(422, raw=b'{"detail": [{"loc": ["body", "top_p"], "msg": "Input should be less than 1", "type": "x"}]}'),
        "`top_p` (HTTP 422: top_p: Input should be less than 1)",
    ),
    "redirect": (Status(307, headers={"Location": "http://127.0.0.1:1/"}), "redirects"),
}


@pytest.mark.parametrize(("behaviour", "words"), PAUSING.values(), ids=PAUSING.keys())
async def test_what_a_person_must_mend_pauses_the_run(
    behaviour: Behaviour, words: str, ledger: SqliteLedger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No row fails, nothing is kept, few calls are wasted, the key is not shown, and the next step is."""
    monkeypatch.setenv(KEY_ENV, "sk-canary-4711")
    with FakeEndpoint(behaviour) as endpoint:
        async with open_door(config(endpoint.base_url, concurrency=4, key_env=KEY_ENV), ledger, tmp_path) as door:
            results = await asyncio.gather(*(door.ask(request(str(n))) for n in range(50)), return_exceptions=True)
        assert len(endpoint.calls) <= 4 + 3
    assert all(isinstance(result, Paused) for result in results)
    told = str(results[0])
    assert words in told
    assert "next: " in told
    assert "sk-canary" not in told
    assert list(await entries(ledger)) == []


async def test_a_paused_run_goes_on(ledger: SqliteLedger, tmp_path: Path) -> None:
    """Credit runs out in the middle: what was answered is kept, and the next run asks for the rest, each row once."""
    asked = [request(str(n)) for n in range(60)]
    credit = Status(402, error={"message": "insufficient credits"})
    with FakeEndpoint(lambda call: credit if len(endpoint.calls) > 30 else Completion(latency=0.01)) as endpoint:
        async with open_door(config(endpoint.base_url, concurrency=8), ledger, tmp_path) as door:
            results = await asyncio.gather(*map(door.ask, asked), return_exceptions=True)
        assert len(endpoint.calls) <= 30 + 8 + 3
    assert {type(result) for result in results} == {Reply, Paused}
    assert await ledger.reports.count() == 30
    with FakeEndpoint() as endpoint:
        async with open_door(config(endpoint.base_url), ledger, tmp_path) as door:
            await door.ask_all(asked)
        assert len(endpoint.calls) == 30
    assert await ledger.reports.count() == 60


@pytest.mark.parametrize("status", [400, 413, 422])
async def test_a_refused_request_is_a_final_answer(status: int, ledger: SqliteLedger, tmp_path: Path) -> None:
    """It is kept with the provider's words and not asked again."""
    with FakeEndpoint(Status(status, error={"message": "context too long", "code": "context_length_exceeded"})) as endpoint:
        async with open_door(config(endpoint.base_url), ledger, tmp_path) as door:
            reply = await door.ask(request())
            with pytest.raises(Unusable, match="context too long"):
                await door.ask_for(request(), str)
        assert len(endpoint.calls) == 1
    assert reply.problem == "rejected"
    assert (await ledger.answers.get(request().key)).reply == reply


async def test_an_invalid_body_that_is_not_about_a_setting_is_of_this_request_alone(ledger: SqliteLedger, tmp_path: Path) -> None:
    """One conversation may be too odd for a server's form; the others go on."""
    raw = b'{"detail": [{"loc": ["body", "messages", 3, "content"], "msg": "String should have at most 9 characters"}]}'
    with FakeEndpoint(Status(422, raw=raw)) as endpoint:
        async with open_door(config(endpoint.base_url), ledger, tmp_path) as door:
            reply = await door.ask(request())
    assert (reply.problem, reply.detail) == ("rejected", "HTTP 422: messages: String should have at most 9 characters")


@pytest.mark.parametrize("detail", [[], [3], [{"loc": 3}], [{"msg": 3, "loc": ["body"]}], [{"msg": "m", "loc": {}}]])
async def test_a_list_of_complaints_may_be_anything(detail: list[object], ledger: SqliteLedger, tmp_path: Path) -> None:
    with FakeEndpoint(Status(422, raw=json.dumps({"detail": detail}).encode())) as endpoint:
        async with open_door(config(endpoint.base_url), ledger, tmp_path) as door:
            assert (await door.ask(request())).problem == "rejected"


async def test_filtered_prompts_have_their_own_name(ledger: SqliteLedger, tmp_path: Path) -> None:
    """A content filter is told apart from a bad request and from a key without rights."""
    moderated = Status(403, error={"message": "flagged", "code": 403, "metadata": {"flagged_input": "…"}})
    azure = Status(400, error={"message": "filtered", "code": "content_filter"})
    with FakeEndpoint(lambda call: moderated if call.text == "a" else azure) as endpoint:
        async with open_door(config(endpoint.base_url), ledger, tmp_path) as door:
            replies = await door.ask_all([request("a"), request("b")])
    assert [reply.problem for reply in replies] == ["filtered", "filtered"]


def _number(text: str) -> int:
    if not text.isdigit():
        raise ValueError(f"“{text}” is not a number")
    return int(text)


ANY = Schema("any", {})


async def test_an_unusable_answer_is_asked_for_once_more(ledger: SqliteLedger, tmp_path: Path) -> None:
    """With the bad answer and the reason; a good second answer is the value."""
    with FakeEndpoint(lambda call: Completion("seven" if len(call.body["messages"]) == 2 else "7")) as endpoint:
        async with open_door(config(endpoint.base_url), ledger, tmp_path) as door:
            assert await door.ask_for(request(schema=ANY), _number) == 7
        again = endpoint.calls[1].body["messages"]
    assert again[2] == {"role": "assistant", "content": "seven"}
    assert "“seven” is not a number" in again[3]["content"]


async def test_three_times_unusable_is_final(ledger: SqliteLedger, tmp_path: Path) -> None:
    """All answers are kept, and the next run comes to the same end without a call."""
    with FakeEndpoint(Completion("seven")) as endpoint:
        for _ in range(2):
            async with open_door(config(endpoint.base_url), ledger, tmp_path) as door:
                with pytest.raises(Unusable, match="not a number"):
                    await door.ask_all_for([request(schema=ANY)], _number)
        assert len(endpoint.calls) == 3
    assert {entry.request.sample for entry in await entries(ledger)} == {"", "/again", "/attempt-3"}


@pytest.mark.parametrize(
    ("bad", "calls"),
    [
        (Completion("1", finish="length"), 3),
        (Completion(""), 3),
        (Completion("Hm</think>7"), 3),
        (Completion("7", finish="content_filter"), 1),
        (Completion(None, message={"content": None, "refusal": "I can't"}), 1),
    ],
    ids=["truncated", "empty", "reasoning", "filtered", "refused"],
)
async def test_a_problem_is_never_parsed(bad: Completion, calls: int, ledger: SqliteLedger, tmp_path: Path) -> None:
    """Even if the text would parse. What may come out better is asked again, a filter or a refusal is not."""
    with FakeEndpoint(bad) as endpoint:
        async with open_door(config(endpoint.base_url), ledger, tmp_path) as door:
            with pytest.raises(Unusable):
                await door.ask_for(request(), lambda text: text)
        assert len(endpoint.calls) == calls


async def test_budget_is_never_exceeded(ledger: SqliteLedger, tmp_path: Path) -> None:
    """32 at once, every call as dear as it can be: what was spent stays below the cap, over several runs."""
    worst = Completion(prompt_tokens=40, completion_tokens=100, latency=0.01)
    cap = 0.0030
    with FakeEndpoint(worst) as endpoint:
        for _ in range(2):
            async with open_door(config(endpoint.base_url, budget=cap, concurrency=32), ledger, tmp_path) as door:
                results = await asyncio.gather(*(door.ask(request(str(n))) for n in range(100)), return_exceptions=True)
            errors = [result for result in results if isinstance(result, BaseException)]
            assert errors
            assert all(isinstance(error, Paused) for error in errors)
            assert "write at least budget = 0.01 in finetune-prep.toml" in str(errors[0])
        calls = len(endpoint.calls)
    assert calls * (40 * 1 + 100 * 2) / 1e6 == pytest.approx(await ledger.money.spent())
    assert 0.8 * cap < await ledger.money.spent() <= cap


async def test_budget_waits_for_calls_that_cost_less_than_feared(ledger: SqliteLedger, tmp_path: Path) -> None:
    """Money set aside for calls under way comes back: a run of cheap answers goes on to its end."""
    with FakeEndpoint(Completion(prompt_tokens=10, completion_tokens=1, latency=0.005)) as endpoint:
        async with open_door(config(endpoint.base_url, budget=0.0015, concurrency=32), ledger, tmp_path) as door:
            replies = await door.ask_all([request(str(n)) for n in range(100)])
        assert endpoint.most_at_once <= 6
    assert sum(reply.cost for reply in replies) == pytest.approx(100 * 12e-6)


async def test_budget_counts_attempts_that_may_have_been_billed(ledger: SqliteLedger, tmp_path: Path) -> None:
    """An answer lost half-way may have cost its worst case; the cap holds for it too."""
    with FakeEndpoint(HalfAnswer()) as endpoint:
        async with open_door(config(endpoint.base_url, budget=0.0010), ledger, tmp_path) as door:
            with pytest.raises(Paused, match="budget"):
                await door.ask(request())
        assert 1 < len(endpoint.calls) <= 4


async def test_budget_takes_an_uncounted_answer_for_the_worst(ledger: SqliteLedger, tmp_path: Path) -> None:
    """No usage in the answer: its cost is unknown, and the worst case is counted as spent."""
    with FakeEndpoint(Completion(more={"usage": None})) as endpoint:
        async with open_door(config(endpoint.base_url, budget=1), ledger, tmp_path) as door:
            assert (await door.ask(request())).cost is None
    assert await ledger.money.spent() >= 100 * 2 / 1e6


async def test_no_key_is_told_before_anything_is_sent(ledger: SqliteLedger, tmp_path: Path) -> None:
    with FakeEndpoint() as endpoint:
        async with open_door(config(endpoint.base_url, key_env=KEY_ENV), ledger, tmp_path) as door:
            with pytest.raises(Paused, match=f"{KEY_ENV} is not set"):
                await door.ask(request())
        assert endpoint.calls == []


async def test_a_bad_address_is_told(ledger: SqliteLedger, tmp_path: Path) -> None:
    async with open_door(config("localhost:8000"), ledger, tmp_path) as door:
        with pytest.raises(ConfigError, match="base_url"):
            await door.ask(request())


async def test_a_call_outlives_its_asker(ledger: SqliteLedger, tmp_path: Path) -> None:
    """An answer on its way is paid for: it is kept although the asker was cancelled."""
    with FakeEndpoint(Completion("late"), held=True) as endpoint:
        async with open_door(config(endpoint.base_url), ledger, tmp_path) as door:
            asking = asyncio.create_task(door.ask(request()))
            await asyncio.to_thread(endpoint.wait_for_calls, 1)
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
            endpoint.release()
        assert len(endpoint.calls) == 1
    assert (await ledger.answers.get(request().key)).reply.text == "late"


async def test_closing_waits_no_longer_than_its_grace(ledger: SqliteLedger, tmp_path: Path) -> None:
    with FakeEndpoint(Stall()) as endpoint:
        door = open_door(config(endpoint.base_url), ledger, tmp_path)
        asking = asyncio.create_task(door.ask(request()))
        await asyncio.to_thread(endpoint.wait_for_calls, 1)
        await door.close(grace=0.1)
        with pytest.raises(asyncio.CancelledError):
            await asking


async def test_a_stopped_run_tells_what_was_never_asked_from_what_was_given_up(ledger: SqliteLedger, tmp_path: Path) -> None:
    """Two calls are under way, three wait for their turn: none of the five has failed."""
    with FakeEndpoint(Stall()) as endpoint:
        door = open_door(config(endpoint.base_url, concurrency=2), ledger, tmp_path)
        asking = asyncio.gather(*(door.ask(request(str(n))) for n in range(5)), return_exceptions=True)
        await asyncio.to_thread(endpoint.wait_for_calls, 2)
        await door.close(grace=0.1)
        await asking
    assert door.progress == Progress(asked=5, unasked=3, abandoned=2)


async def test_a_broken_ledger_stops_before_more_is_spent(ledger: SqliteLedger, tmp_path: Path) -> None:
    """When an answer cannot be kept, nothing further is sent."""
    with FakeEndpoint(lambda call: Completion(latency=0.02)) as endpoint:
        async with open_door(config(endpoint.base_url, concurrency=4), ledger, tmp_path) as door:
            ledger._writer._connection.execute("PRAGMA query_only = 1")
            results = await asyncio.gather(*(door.ask(request(str(n))) for n in range(50)), return_exceptions=True)
        assert len(endpoint.calls) <= 8
    assert {type(result) for result in results} == {LedgerBroken}


@pytest.mark.usefixtures("one_try")
async def test_progress_is_told(ledger: SqliteLedger, tmp_path: Path) -> None:
    """The observer sees every count, and the last one is the sum of the run."""
    seen: list[Progress] = []
    provider = Scripted(lambda request: Fault("no") if request.messages[-1].content == "3" else "yes")
    async with open_door(config(), ledger, tmp_path, provider=provider, observer=seen.append) as door:
        await asyncio.gather(*(door.ask(request(str(n))) for n in range(4)), return_exceptions=True)
        await door.ask(request("1"))
    judged = RoleProgress(known=1, answered=3)
    assert seen[-1] == Progress(asked=5, known=1, answered=3, in_flight=0, failed=1, roles={"judge": judged})
    assert max(progress.in_flight for progress in seen) == 4


async def test_programming_errors_in_a_provider_are_not_swallowed(ledger: SqliteLedger, tmp_path: Path) -> None:
    """They reach the asker as they are, unretried."""
    provider = Scripted([RuntimeError("a bug")])
    async with open_door(config(), ledger, tmp_path, provider=provider) as door:
        with pytest.raises(RuntimeError, match="a bug"):
            await door.ask(request())
    assert len(provider.asked) == 1


RUN = """
import asyncio, sys
from pathlib import Path
from finetune_prep.ledger.sqlite.ledger import SqliteLedger
from finetune_prep.models.door import open_door
from tests.models.examples import config, request

async def main():
    ledger = SqliteLedger(Path(sys.argv[1]) / "run.sqlite")
    async with open_door(config(sys.argv[2], concurrency=16), ledger, Path(sys.argv[1])) as door:
        async def one(n):
            reply = await door.ask(request(str(n)))
            print(request(str(n)).key, reply.text, flush=True)
        await asyncio.gather(*(one(n) for n in range(400)))
    ledger.close()

asyncio.run(main())
"""


@pytest.mark.slow
def test_killed_at_any_point_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    """SIGKILL three times, then run to the end: every answer handed over is in the ledger, only calls in flight are repeated."""
    with FakeEndpoint(lambda call: Completion(call.text, latency=0.01)) as endpoint:
        command = [sys.executable, "-c", RUN, str(tmp_path), endpoint.base_url]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
        handed_over: set[str] = set()
        for lines in (20, 120, 200):
            child = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment)
            assert child.stdout is not None
            printed = [child.stdout.readline() for _ in range(lines)]
            child.send_signal(signal.SIGKILL)
            printed += child.stdout.readlines()
            child.wait(HUNG)
            child.stdout.close()
            handed_over |= {line.split()[0].decode() for line in printed if line.endswith(b"\n")}
            ledger = SqliteLedger(tmp_path / "run.sqlite")
            kept = {entry.key for entry in asyncio.run(entries(ledger))}
            ledger.close()
            assert handed_over <= kept
        subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL, timeout=HUNG)
        assert len(endpoint.calls) <= 400 + 3 * 16
    ledger = SqliteLedger(tmp_path / "run.sqlite")
    assert {entry.reply.text for entry in asyncio.run(entries(ledger))} == {str(n) for n in range(400)}
    ledger.close()


def test_keys_do_not_depend_on_the_way() -> None:
    """Labels, provider and the spelling of a number are no part of the key; everything else is."""
    base = request()
    assert request(phase="scale-001", origin=Origin("x", run="scale-001", attempt=2)).key == base.key
    changed = [
        request("Is it cracked?"),
        request(sample="2"),
        request(model="larch-2"),
        request(messages=base.messages[1:]),
        request(messages=tuple(reversed(base.messages))),
    ]
    assert len({base.key, *(other.key for other in changed)}) == 1 + len(changed)
    cold: list[Request] = [Roles(config()).request("judge", phase="p", origin=Origin("a"), messages=base.messages)]
    assert cold[0].key == base.key


@pytest.mark.parametrize(
    ("kind", "by_batch"), [("batch", True), ("openai-batch", True), ("anthropic-batch", True), ("recording", False)]
)
def test_whether_answers_come_by_batch_is_known_before_anything_is_asked(
    kind: ProviderKind, by_batch: bool, ledger: SqliteLedger, tmp_path: Path
) -> None:
    settings = msgspec.structs.replace(config("http://127.0.0.1:1/v1"), providers={"larch": ProviderSettings(kind=kind)})
    assert open_door(settings, ledger, tmp_path).by_batch(["judge"]) is by_batch
    assert not open_door(settings, ledger, tmp_path, provider=Scripted([])).by_batch(["judge"])
    assert open_door(settings, ledger, tmp_path, provider="batch").by_batch(["judge"])
