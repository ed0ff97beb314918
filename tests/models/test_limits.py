"""The concurrency limit: how it grows, when it is cut, and that no slot is ever lost."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from finetune_prep.core.request import Reply, Request
from finetune_prep.errors import Unreachable
from finetune_prep.ledger.sqlite import SqliteLedger
from finetune_prep.models.limits import CUT, FIRST_LIMIT, LONG_WAIT, AdaptiveLimit
from finetune_prep.models.provider import Fault
from finetune_prep.models.retry import PersistentCaller
from finetune_prep.models.roles import open_door
from tests.fake_endpoint import Completion, FakeEndpoint
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
    assert limit.allowed == pytest.approx(8 * CUT)
    await asyncio.sleep(0.001)
    limit.leave(await limit.enter(), congested=True)
    assert limit.allowed == pytest.approx(8 * CUT * CUT)


async def test_a_long_wait_closes_the_endpoint_for_everybody() -> None:
    """Who comes after a complaint with a wait beyond LONG_WAIT is let in when it has passed, not before."""
    limit = AdaptiveLimit(ceiling=40)
    loop = asyncio.get_running_loop()
    limit.leave(await limit.enter(), congested=True, wait=LONG_WAIT + 0.5)
    limit._closed_until = loop.time() + 0.1  # the test does not wait that long
    started = loop.time()
    await asyncio.gather(*(limit.enter() for _ in range(3)))
    assert loop.time() - started >= 0.1


async def test_a_short_wait_concerns_one_call() -> None:
    """Others go on, unless a call that entered after the cut is refused as well: then nothing gets through."""
    limit = AdaptiveLimit(ceiling=40)
    limit.leave(await limit.enter(), answered=True)
    limit.leave(await limit.enter(), congested=True, wait=0.1)
    async with asyncio.timeout(0.05):
        entered = await limit.enter()
    limit.leave(entered, congested=True, wait=0.1)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await limit.enter()


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
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert {type(result) for result in results} == {type(None), asyncio.CancelledError}
    assert limit.in_flight == 0
    assert sum(not task.cancelled() for task in tasks) > 30


async def test_a_turn_cancelled_while_a_slot_is_given_back() -> None:
    """The cancelled one is passed over, the next one gets the slot."""
    limit = AdaptiveLimit(ceiling=1)
    entered = await limit.enter()
    cancelled, following = asyncio.create_task(limit.enter()), asyncio.create_task(limit.enter())
    await asyncio.sleep(0)
    cancelled.cancel()
    limit.leave(entered)
    with pytest.raises(asyncio.CancelledError):
        await cancelled
    limit.leave(await following)
    assert limit.in_flight == 0


class Bearing:
    """A provider that bears so many calls at once and refuses more. levels: calls under way whenever one more came."""

    def __init__(self, bears: int) -> None:
        self.bears = bears
        self.levels: list[int] = []
        self.refused = 0
        self._at_once = 0
        self._stream = random.Random(bears)

    async def answer(self, request: Request) -> Reply:
        self.levels.append(self._at_once + 1)
        if self._at_once >= self.bears:
            self.refused += 1
            raise Fault("too many", congested=True)
        self._at_once += 1
        try:
            await asyncio.sleep(self._stream.uniform(0.005, 0.015))
        finally:
            self._at_once -= 1
        return Reply(text="yes")

    async def close(self) -> None:
        """Nothing to give back."""


class Unobserved:
    """Nothing is done around attempts."""

    def begin(self) -> None: ...

    async def failed(self, fault: Fault) -> None: ...

    async def answered(self, reply: Reply) -> Reply:
        return reply


@pytest.mark.parametrize("bears", [6, 12, 40])
async def test_finds_the_limit_of_the_endpoint(bears: int) -> None:
    """Few calls are refused, and most of what the endpoint bears is used."""
    provider = Bearing(bears)
    caller = PersistentCaller(provider, AdaptiveLimit(ceiling=128), timeout=60)
    await asyncio.gather(*(caller.call(request(), Unobserved()) for _ in range(100 * bears)))
    assert provider.refused / len(provider.levels) <= 0.05
    assert sum(provider.levels) / len(provider.levels) >= 0.7 * bears


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
