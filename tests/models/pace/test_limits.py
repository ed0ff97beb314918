"""The concurrency limit: how it grows, when it is cut, and that no slot is ever lost."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from finetune_prep.core.request import Reply, Request
from finetune_prep.ledger.sqlite.ledger import SqliteLedger
from finetune_prep.models.door import open_door
from finetune_prep.models.pace.complaints import LAST_TRIAL, LONG_WAIT, SHORTEST_CONSENT
from finetune_prep.models.pace.limit import AdaptiveLimit
from finetune_prep.models.pace.rates import Resource
from finetune_prep.models.pace.slots import CUT, FIRST
from finetune_prep.models.providers.provider import Fault
from finetune_prep.models.routes import Route
from tests.fake_endpoint import Behaviour, Call, Completion, FakeEndpoint, Status
from tests.models.examples import config, request
from tests.models.pace import virtual_time
from tests.models.pace.simulated import AtOnce, Bucket, Endpoint, FixedWindow, Open, SlidingWindow, answered, run_against
from tests.waiting import HUNG

pytestmark = pytest.mark.environment


async def test_starts_quickly_up_to_the_ceiling() -> None:
    """While nobody complains the limit doubles with every round of calls."""
    limit = AdaptiveLimit(ceiling=40)
    under_way = [await limit.enter() for _ in range(FIRST)]
    sizes = []
    for _ in range(4):
        for _ in range(len(under_way)):
            limit.leave(under_way.pop(0), answered=True)
            while limit.slots.taken < int(limit.slots.allowed):
                under_way.append(await limit.enter())
        sizes.append(int(limit.slots.allowed))
    assert sizes == [16, 32, 40, 40]


async def test_unused_slots_do_not_raise_the_limit() -> None:
    """Calls one after the other say nothing about what the endpoint bears."""
    limit = AdaptiveLimit(ceiling=40)
    for _ in range(50):
        limit.leave(await limit.enter(), answered=True)
    assert limit.slots.allowed == FIRST


async def refuse_more_than(bears: int, limit: AdaptiveLimit, entries: int) -> None:
    """So many calls enter together; the endpoint bears some of them and refuses the rest after 10 ms."""
    tickets = [await limit.enter() for _ in range(entries)]
    await asyncio.sleep(0.01)
    for ticket in tickets[bears:]:
        limit.refused(ticket)
    for ticket in tickets[:bears]:
        limit.leave(ticket, answered=True)


def test_one_cut_for_each_episode() -> None:
    """Three complaints of calls that ran together are one cut; after a call has gone through again, the next one cuts again."""

    async def episodes() -> tuple[float, float]:
        limit = AdaptiveLimit(ceiling=40)
        tickets = [await limit.enter() for _ in range(8)]
        await asyncio.sleep(0.01)
        limit.refused(tickets[5])
        limit.refused(await limit.enter())  # the trial: so it was not one call in so many
        for ticket in tickets[6:]:
            limit.refused(ticket)
        for ticket in tickets[:5]:
            limit.leave(ticket, answered=True)
        first = limit.slots.allowed
        limit.leave(await limit.enter(), answered=True)
        await asyncio.sleep(0.01)
        await refuse_more_than(2, limit, entries=4)
        return first, limit.slots.allowed

    first, second = virtual_time.run(episodes())
    assert first == pytest.approx(8 * CUT, rel=0.1)  # as many as there were with the one on trial
    assert second == pytest.approx(3 * CUT, rel=0.2)  # the third was the first that was refused


def test_one_refusal_among_many_answers_changes_nothing() -> None:
    """Where no limit is known and the next call is let in at the same pace, neither the number at once nor the rate is cut."""

    async def some() -> AdaptiveLimit:
        limit = AdaptiveLimit(ceiling=40)
        tickets = [await limit.enter() for _ in range(8)]
        await asyncio.sleep(0.01)
        limit.refused(tickets.pop())
        tickets.append(await limit.enter())
        for ticket in reversed(tickets):
            limit.leave(ticket, answered=True)
        return limit

    limit = virtual_time.run(some())
    assert limit.slots.allowed >= FIRST
    assert limit.pace.requests.rate == math.inf


def test_after_a_complaint_one_call_goes_on_trial() -> None:
    """Nobody else goes in until it is answered, or has been silent for longer than a refusal takes."""

    async def entries() -> list[float]:
        limit = AdaptiveLimit(ceiling=40)
        await refuse_more_than(5, limit, entries=8)
        started = asyncio.get_running_loop().time()
        tickets = await asyncio.gather(*(limit.enter() for _ in range(3)))
        return [ticket.entered - started for ticket in tickets]

    first, second, third = virtual_time.run(entries())
    assert first == 0
    assert second == third == pytest.approx(SHORTEST_CONSENT)


def test_an_endpoint_that_lets_nothing_through_is_asked_seldom() -> None:
    """A minute of refusals costs a dozen calls, not thousands, and its end is noticed."""

    async def minute() -> tuple[int, float]:
        loop = asyncio.get_running_loop()
        provider = Closed(until=loop.time() + 60)
        route = Route("closed", provider, AdaptiveLimit(ceiling=64), timeout=200)
        await asyncio.gather(*(answered(route, request(str(n))) for n in range(64)))
        return provider.refused, loop.time()

    refused, ended = virtual_time.run(minute())
    assert refused < 40
    assert 60 < ended < 60 + 4 * LAST_TRIAL  # the call on trial rests by chance, for up to half a minute after that long


def test_a_long_wait_closes_the_endpoint_for_everybody() -> None:
    """Who comes after a complaint with a wait beyond LONG_WAIT is let in when it has passed, not before."""

    async def wait() -> float:
        limit = AdaptiveLimit(ceiling=40)
        limit.refused(await limit.enter(), LONG_WAIT + 0.5)
        started = asyncio.get_running_loop().time()
        await limit.enter()
        return asyncio.get_running_loop().time() - started

    assert virtual_time.run(wait()) == pytest.approx(LONG_WAIT + 0.5)


async def test_nobody_waits_when_the_run_has_stopped() -> None:
    """Neither for a slot, nor for an endpoint that is closed, nor between two attempts."""
    limit = AdaptiveLimit(ceiling=1)
    limit.refused(await limit.enter(), 3600)
    waiting = [asyncio.create_task(limit.enter()) for _ in range(5)]
    resting = asyncio.create_task(limit.rest(3600))
    await asyncio.sleep(0)
    limit.abandon()
    async with asyncio.timeout(HUNG):
        await asyncio.gather(*waiting, resting)
    assert all(task.done() for task in (*waiting, resting))


# name → endpoint of 100 calls a second, or of as many tokens as a hundred calls use
LIMITED: dict[str, Callable[[], Endpoint]] = {
    "requests in a window": lambda: Endpoint(FixedWindow(100, 1)),
    "requests in a window of 2 s": lambda: Endpoint(FixedWindow(200, 2)),
    "requests in a window, told how long": lambda: Endpoint(FixedWindow(100, 1), retry_after=lambda wait: wait),
    "requests in a window, told in headers": lambda: Endpoint(FixedWindow(100, 1), headers=True),
    "requests in a window, slow answers": lambda: Endpoint(FixedWindow(200, 2), seconds=0.5),
    "requests in any second": lambda: Endpoint(SlidingWindow(100, 1)),
    "requests from a bucket": lambda: Endpoint(Bucket(100, 20)),
    "requests from a bucket for half a second": lambda: Endpoint(Bucket(100, 50)),
    "requests from a large bucket": lambda: Endpoint(Bucket(100, 100)),
    "requests from a bucket, told in headers": lambda: Endpoint(Bucket(100, 100), headers=True),
    "tokens in a window": lambda: Endpoint(FixedWindow(180_000, 1), counts="tokens"),
    "tokens in a window, told in words": lambda: Endpoint(FixedWindow(180_000, 1), counts="tokens", words=True),
    "tokens in a window, told in headers": lambda: Endpoint(FixedWindow(360_000, 2), counts="tokens", headers=True),
    "tokens in any second": lambda: Endpoint(SlidingWindow(180_000, 1), counts="tokens"),
    "tokens from a bucket": lambda: Endpoint(Bucket(180_000, 180_000), counts="tokens"),
    "6 at once": lambda: Endpoint(AtOnce(6, 0.05)),
    "40 at once": lambda: Endpoint(AtOnce(40, 0.05)),
    "20 at once, 2 s each": lambda: Endpoint(AtOnce(20, 2.0), seconds=2.0, spread=0.6),
}


@pytest.mark.slow
@pytest.mark.parametrize("hosted", [False, True], ids=["", "hosted"])
@pytest.mark.parametrize("make", LIMITED.values(), ids=LIMITED.keys())
def test_finds_the_limit_of_the_endpoint(make: Callable[[], Endpoint], hosted: bool) -> None:
    """From the first call on and without tuning: at most 5% refused, at least 85% of the limit used."""
    random.seed(7)
    (result,) = virtual_time.run(run_against(make(), seconds=40, hosted=hosted))
    assert result.refused <= 0.05
    assert result.used >= 0.85
    assert result.unreachable == 0


def test_a_wait_told_in_whole_seconds_is_kept_to_the_letter() -> None:
    """Where a tenth of a second would do it costs throughput at first, and few experiments are made afterwards."""
    random.seed(7)
    endpoint = Endpoint(FixedWindow(100, 1), retry_after=math.ceil)
    early, late = virtual_time.run(run_against(endpoint, seconds=90, changes=((30, endpoint.rule),)))
    assert early.refused <= 0.05
    assert late.refused <= 0.02
    assert late.used >= 0.85


@pytest.mark.slow
@pytest.mark.parametrize("headers", [False, True], ids=["", "told in headers"])
@pytest.mark.parametrize("counts", ["requests", "tokens"])
@pytest.mark.parametrize("by", [2.0, 0.5], ids=["doubled", "halved"])
def test_follows_a_limit_that_changes(by: float, counts: Resource, headers: bool) -> None:
    """Twenty seconds after a change the new limit is used as the old one was."""
    random.seed(7)
    most = 100.0 if counts == "requests" else 180_000.0
    endpoint = Endpoint(FixedWindow(most, 1), counts=counts, headers=headers)
    changes = ((20.0, FixedWindow(most * by, 1)), (40.0, FixedWindow(most * by, 1)))
    before, meanwhile, after = virtual_time.run(run_against(endpoint, seconds=60, changes=changes))
    assert max(before.refused, meanwhile.refused, after.refused) <= 0.05
    assert min(before.used, after.used) >= 0.85


@pytest.mark.parametrize("share", [0.01, 0.02, 0.05, 0.1])
def test_refusals_at_random_do_not_slow_a_run_down(share: float) -> None:
    """An endpoint without a limit refuses one call in a hundred, fifty, twenty or ten: from the first call on, 85% of what
    64 calls at once can do gets through.
    """
    random.seed(7)
    endpoint = Endpoint(Open(64 / 0.05), whims=share)
    (result,) = virtual_time.run(run_against(endpoint, seconds=5, askers=256, ceiling=64))
    print(f"\n{share:.0%} refused at random: {result.used:.0%} of what can be done")
    assert result.used >= 0.85


def test_refusals_at_random_are_told_from_a_limit() -> None:
    """Both at once: the limit is found, and hardly more is refused than at random."""
    random.seed(7)
    endpoint = Endpoint(FixedWindow(100, 1), whims=0.05)
    _, late = virtual_time.run(run_against(endpoint, seconds=40, changes=((20, endpoint.rule),)))
    assert late.refused <= 0.05 + 0.05
    assert late.used >= 0.85


class Closed:
    """A provider that refuses everything until a time of the loop's clock."""

    def __init__(self, until: float) -> None:
        self.until = until
        self.refused = 0

    async def answer(self, request: Request) -> Reply:
        await asyncio.sleep(0.01)
        if asyncio.get_running_loop().time() < self.until:
            self.refused += 1
            raise Fault("too many", congested=True)
        return Reply(text="yes")

    async def close(self) -> None:
        """Nothing to give back."""


async def test_a_limit_is_learned_from_refusals_over_http(ledger: SqliteLedger, tmp_path: Path) -> None:
    """An endpoint that bears 12 at once and says nothing about it: everybody is answered, and few are sent in vain.

    How fast, and how much of a limit is used: in virtual time above, over HTTP by `make bench-door`.
    """

    def answer(call: Call) -> Behaviour:
        return Status(429) if endpoint.at_once > 12 else Completion(latency=0.005)

    with FakeEndpoint(answer) as endpoint:
        async with open_door(config(endpoint.base_url, concurrency=256), ledger, tmp_path) as door:
            await door.ask_all([request(str(n)) for n in range(400)])
    print(f"\n{len(endpoint.calls) - 400} of {len(endpoint.calls)} calls refused")
    assert len(endpoint.calls) < 2 * 400  # 410 to 550, and without learning 1,050, on an idle machine and a busy one


async def test_as_many_as_the_ceiling_and_never_more(ledger: SqliteLedger, tmp_path: Path) -> None:
    with FakeEndpoint(Completion(latency=0.05)) as endpoint:
        async with open_door(config(endpoint.base_url, concurrency=5), ledger, tmp_path) as door:
            await asyncio.gather(*(door.ask(request(str(n))) for n in range(100)))
        assert endpoint.most_at_once == 5


def test_waiting_for_a_slot_is_not_counted_as_time_of_the_call() -> None:
    """Thirty calls through one slot take longer than the deadline of one, and all are answered."""

    async def one_after_the_other() -> tuple[int, float]:
        route = Route("slow", Endpoint(Open(10.0), seconds=0.1, spread=0.0), AdaptiveLimit(ceiling=1), timeout=0.3)
        replies = await asyncio.gather(*(answered(route, request(str(n))) for n in range(30)))
        return len(replies), asyncio.get_running_loop().time()

    count, seconds = virtual_time.run(one_after_the_other())
    assert count == 30
    assert seconds >= 30 * 0.1
