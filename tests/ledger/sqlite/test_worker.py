"""A thread that works for an event loop: what comes within its pause is done together, and nobody who comes later waits."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from finetune_prep.ledger.sqlite import worker
from finetune_prep.ledger.sqlite.worker import Worker
from tests.waiting import HUNG

PAUSE = 2.0


class Clock:
    """A clock that stands still unless it is moved. Whoever sleeps by it sleeps until he is woken."""

    def __init__(self) -> None:
        self.now = 100.0
        self.asleep = threading.Event()
        self.wake = threading.Event()
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.asleep.set()
        assert self.wake.wait(HUNG)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(worker, "time", clock)
    return clock


class Group:
    """Notes which jobs were done together."""

    def __init__(self) -> None:
        self.done: list[list[Any]] = []

    def __call__(self, jobs: Sequence[Any]) -> list[Any]:
        self.done.append([*jobs])
        return [*jobs]


async def started(do: Callable[[Any], asyncio.Future[Any]], job: int) -> asyncio.Future[Any]:
    """The job in a turn of the loop of its own."""
    future = do(job)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return future


async def test_what_comes_within_the_pause_is_done_together(clock: Clock) -> None:
    group = Group()
    thread = Worker("a worker", Path("ledger"), group, PAUSE)
    async with asyncio.timeout(HUNG):
        assert await thread.do(0) == 0
        clock.now += 0.5
        waiting = [await started(thread.do, 1)]
        await asyncio.to_thread(clock.asleep.wait, HUNG)
        waiting += [await started(thread.do, job) for job in (2, 3)]
        clock.wake.set()
        assert await asyncio.gather(*waiting) == [1, 2, 3]
    thread.close()
    assert group.done == [[0], [1, 2, 3]]
    assert clock.slept == [1.5]


async def test_what_comes_after_the_pause_does_not_wait(clock: Clock) -> None:
    thread = Worker("a worker", Path("ledger"), Group(), PAUSE)
    async with asyncio.timeout(HUNG):
        for job in range(3):
            assert await thread.do(job) == job
            clock.now += PAUSE
    thread.close()
    assert clock.slept == []


async def test_without_a_pause_nobody_waits(clock: Clock) -> None:
    thread = Worker("a worker", Path("ledger"), Group())
    async with asyncio.timeout(HUNG):
        assert [await thread.do(job) for job in range(3)] == [0, 1, 2]
    thread.close()
    assert clock.slept == []
