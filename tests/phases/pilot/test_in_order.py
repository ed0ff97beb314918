"""Working on many samples at a time: results in order, memory bounded, nothing left running."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator

import pytest

from finetune_prep.phases.pilot.in_order import AHEAD, longest_first, placed, windowed
from tests.waiting import HUNG


class Work:
    """Work of random length that remembers how much of it went on at once and what was cancelled."""

    def __init__(self, seed: int, fails_at: int = -1) -> None:
        self.running = self.most = self.finished = 0
        self.started: list[int] = []
        self.cancelled: list[int] = []
        self._stream = random.Random(seed)
        self._fails_at = fails_at

    async def __call__(self, item: int) -> int:
        self.started.append(item)
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            for _ in range(self._stream.randrange(6)):
                await asyncio.sleep(0)
            if item == self._fails_at:
                raise RuntimeError(f"item {item} failed")
        except asyncio.CancelledError:
            self.cancelled.append(item)
            raise
        finally:
            self.running -= 1
        self.finished += 1
        return item * 10


@pytest.mark.parametrize("window", [1, 2, 7, 64])
@pytest.mark.parametrize("count", [0, 1, 7, 50])
async def test_results_come_in_the_order_of_the_items_whatever_finishes_first(count: int, window: int) -> None:
    work = Work(seed=count + window)
    assert [result async for result in windowed(range(count), work, window)] == [item * 10 for item in range(count)]
    assert work.most <= window
    assert work.running == 0


async def test_a_window_is_filled() -> None:
    gate = asyncio.Event()
    running = 0

    async def wait(item: int) -> int:
        nonlocal running
        running += 1
        if running == 5:
            gate.set()
        await gate.wait()
        return item

    async with asyncio.timeout(HUNG):
        assert [item async for item in windowed(range(9), wait, 5)] == list(range(9))


async def test_items_are_taken_only_when_there_is_room_for_them() -> None:
    taken: list[int] = []

    def endless() -> Iterator[int]:
        for item in iter(int, 1):
            taken.append(item)
            yield item

    results = windowed(endless(), Work(seed=1), 3)
    for _ in range(10):
        await anext(results)
    assert len(taken) <= 10 + AHEAD * 3
    await results.aclose()


async def test_a_failure_is_raised_in_its_turn_and_stops_the_rest() -> None:
    work = Work(seed=3, fails_at=4)
    seen = []
    with pytest.raises(RuntimeError, match="item 4 failed"):
        async for result in windowed(range(100), work, 8):
            seen.append(result)
    assert seen == [0, 10, 20, 30]
    assert work.running == 0
    assert len(work.started) <= 4 + 8


async def test_a_consumer_that_leaves_leaves_nothing_running() -> None:
    work = Work(seed=4)
    results = windowed(range(100), work, 8)
    assert await anext(results) == 0
    await results.aclose()
    assert work.running == 0
    assert len(work.started) <= 9


async def test_a_cancelled_consumer_cancels_what_is_under_way() -> None:
    never = asyncio.Event()
    cancelled = []

    async def wait(item: int) -> int:
        try:
            await never.wait()
        except asyncio.CancelledError:
            cancelled.append(item)
            raise
        return item

    async def consume() -> list[int]:
        return [item async for item in windowed(range(20), wait, 4)]

    consumer = asyncio.create_task(consume())
    await asyncio.sleep(0.01)
    consumer.cancel()
    async with asyncio.timeout(HUNG):
        with pytest.raises(asyncio.CancelledError):
            await consumer
    assert sorted(cancelled) == [0, 1, 2, 3]


async def test_one_slow_item_does_not_hold_up_the_others() -> None:
    gate = asyncio.Event()
    finished: list[int] = []

    async def work(item: int) -> int:
        if item == 0:
            await gate.wait()
        finished.append(item)
        if len(finished) == 6:
            gate.set()
        return item

    async with asyncio.timeout(HUNG):
        assert [item async for item in windowed(range(9), work, 2)] == list(range(9))
    assert finished.index(0) >= 6


@pytest.mark.parametrize("window", [1, 3, 50])
async def test_the_longest_are_begun_first_and_results_keep_their_order(window: int) -> None:
    lengths = [random.Random(place).randrange(5) for place in range(20)]
    work = Work(seed=window)
    found = [result async for result in longest_first(range(20), work, window, lengths.__getitem__)]
    assert found == [place * 10 for place in range(20)]
    assert work.started == sorted(range(20), key=lambda place: (-lengths[place], place))
    assert work.most <= window


async def test_where_the_longest_are_begun_first_a_failure_stops_the_rest_as_well() -> None:
    work = Work(seed=3, fails_at=4)
    with pytest.raises(RuntimeError, match="item 4 failed"):
        [result async for result in longest_first(range(9), work, 3, lambda item: item)]
    assert work.running == 0


@pytest.mark.parametrize("window", [1, 3, 50])
async def test_an_item_that_is_not_due_waits_for_the_result_that_makes_it_so(window: int) -> None:
    work = Work(seed=window)
    results: list[int] = []

    def due(item: int) -> bool:
        return item < 5 or len(results) >= 5

    async for result in windowed(range(12), work, window, due=due):
        results.append(result)
        assert len(results) > 5 or max(work.started) < 5
    assert results == [item * 10 for item in range(12)]
    assert work.most <= window


async def test_items_that_no_result_makes_due_are_left_out() -> None:
    work = Work(seed=1)
    assert [result async for result in windowed(range(12), work, 4, due=lambda item: item < 7)] == [0, 10, 20, 30, 40, 50, 60]
    assert work.running == 0
    assert [result async for result in windowed(range(12), work, 4, due=lambda item: False)] == []


async def test_what_is_begun_in_an_order_of_its_own_comes_in_the_order_of_the_items() -> None:
    work = Work(seed=2)
    order = [4, 3, 2, 1, 0, 9, 8, 7, 6, 5]
    found = [result async for result in placed(range(10), work, 3, order, due=lambda place: place < 5 or work.finished >= 5)]
    assert found == [place * 10 for place in range(10)]
    assert work.started == order
