"""The concurrency limit: how it grows, when it is cut, and that no slot is ever lost."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from finetune_prep.errors import Unreachable
from finetune_prep.ledger.sqlite import SqliteLedger
from finetune_prep.models.limits import FIRST_LIMIT, AdaptiveLimit
from finetune_prep.models.roles import open_door
from tests.fake_endpoint import Behaviour, Call, Completion, FakeEndpoint, Status
from tests.models.examples import config, request


async def test_starts_quickly_up_to_the_ceiling() -> None:
    """While nobody complains the limit doubles with every round of calls."""
    limit = AdaptiveLimit(ceiling=40)
    under_way = [await limit.enter() for _ in range(FIRST_LIMIT)]
    sizes = []
    for _ in range(4):
        for _ in range(len(under_way)):
            limit.leave(under_way.pop(0), answered=True)
            while limit.in_flight < int(limit.allowed):
                under_way.append(await limit.enter())
        sizes.append(int(limit.allowed))
    assert sizes == [16, 32, 40, 40]


async def test_unused_slots_do_not_raise_the_limit() -> None:
    """Calls one after the other say nothing about what the endpoint bears."""
    limit = AdaptiveLimit(ceiling=40)
    for _ in range(50):
        limit.leave(await limit.enter(), answered=True)
    assert limit.allowed == FIRST_LIMIT


async def test_one_cut_for_each_episode() -> None:
    """Eight complaints of calls that ran together are one cut; a call that entered afterwards may cut again."""
    limit = AdaptiveLimit(ceiling=40)
    entered = [await limit.enter() for _ in range(8)]
    await asyncio.sleep(0.001)
    for one in entered:
        limit.leave(one, congested=True)
    assert limit.allowed == pytest.approx(8 * 0.7)
    await asyncio.sleep(0.001)
    limit.leave(await limit.enter(), congested=True)
    assert limit.allowed == pytest.approx(8 * 0.7 * 0.7)


async def test_cancelled_waiters_lose_no_slot() -> None:
    """Whenever a waiter is cancelled, before, in, or after its turn, all slots are free in the end."""
    limit = AdaptiveLimit(ceiling=4)
    stream = random.Random(7)

    async def call() -> None:
        entered = await limit.enter()
        try:
            await asyncio.sleep(stream.random() / 500)
        finally:
            limit.leave(entered)

    tasks = [asyncio.create_task(call()) for _ in range(300)]
    while any(not task.done() for task in tasks):
        stream.choice(tasks).cancel()
        await asyncio.sleep(stream.choice((0, 0, 0.001)))
        assert 0 <= limit.in_flight <= 4
    await asyncio.gather(*tasks, return_exceptions=True)
    assert limit.in_flight == 0
    assert sum(not task.cancelled() for task in tasks) > 30


async def test_finds_the_limit_of_the_endpoint(ledger: SqliteLedger, tmp_path: Path) -> None:
    """An endpoint that bears 12 calls at once and refuses more: few calls are refused, most of its capacity is used."""
    refused = 0
    under_way = 0

    def answer(call: Call) -> Behaviour:
        nonlocal refused, under_way
        if endpoint._at_once > 12:
            refused += 1
            return Status(429)
        return Completion(latency=0.02)

    with FakeEndpoint(answer) as endpoint:
        async with open_door(config(endpoint.base_url, concurrency=64), ledger, tmp_path) as door:
            loop = asyncio.get_running_loop()
            started = loop.time()
            await door.ask_all([request(str(n)) for n in range(1200)])
            seconds = loop.time() - started
        calls = len(endpoint.calls)
    print(f"{refused / calls:.1%} refused, {1200 / seconds / (12 / 0.02):.0%} of the capacity")
    assert refused / calls <= 0.05
    assert seconds < 1200 * 0.02 / 12 / 0.6, "the machine of the test is shared: 60% here, the benchmark shows the rest"


async def test_never_more_than_the_ceiling(ledger: SqliteLedger, tmp_path: Path) -> None:
    with FakeEndpoint(Completion(latency=0.002)) as endpoint:
        async with open_door(config(endpoint.base_url, concurrency=5), ledger, tmp_path) as door:
            await door.ask_all([request(str(n)) for n in range(100)])
        assert endpoint.most_at_once == 5


async def test_waiting_for_a_slot_is_not_counted_as_time_of_the_call(ledger: SqliteLedger, tmp_path: Path) -> None:
    """Thirty calls through one slot take longer than the deadline of one, and all are answered."""
    with FakeEndpoint(Completion(latency=0.02)) as endpoint:
        async with open_door(config(endpoint.base_url, concurrency=1, timeout=0.3), ledger, tmp_path) as door:
            try:
                await door.ask_all([request(str(n)) for n in range(30)])
            except Unreachable as error:
                pytest.fail(str(error))
