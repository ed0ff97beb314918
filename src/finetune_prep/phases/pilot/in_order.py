"""Working on many samples at a time in flat memory, with results in the order of the plan."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Sequence
from contextlib import aclosing
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")
AHEAD = 4  # windows that may be begun before the first unfinished item: one slow talk does not hold up the others


async def windowed(
    items: Iterable[Item], work: Callable[[Item], Coroutine[Any, Any, Result]], window: int
) -> AsyncGenerator[Result]:
    """Work on up to `window` items at a time and yield the results in the order of the items.

    At most AHEAD × window items are begun and not yet yielded, so memory stays flat however many there are. If one fails,
    the others are cancelled and the failure is raised.
    """
    begun: deque[asyncio.Task[Result]] = deque()
    running: set[asyncio.Task[Result]] = set()
    try:
        for item in items:
            task = asyncio.create_task(work(item))
            begun.append(task)
            running.add(task)
            while len(running) >= window or len(begun) >= AHEAD * window:
                _, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                while begun and begun[0].done():
                    yield begun.popleft().result()
        while begun:
            yield await begun.popleft()
    finally:
        for task in begun:
            task.cancel()
        await asyncio.gather(*begun, return_exceptions=True)


async def longest_first(
    items: Sequence[Item], work: Callable[[Item], Coroutine[Any, Any, Result]], window: int, length: Callable[[Item], int]
) -> AsyncGenerator[Result]:
    """As `windowed`, of items whose order is of no matter but for the results: the longest are begun first.

    Whatever takes long and is begun last is waited for alone. Results are held until those before them are there, so this is for
    items of which there are few, or whose results are held together anyway.
    """
    order = sorted(range(len(items)), key=lambda place: -length(items[place]))  # alike: as they stand
    found: dict[int, Result] = {}
    due = 0

    async def placed(place: int) -> tuple[int, Result]:
        return place, await work(items[place])

    async with aclosing(windowed(order, placed, window)) as finished:
        async for place, result in finished:
            found[place] = result
            while due in found:
                yield found.pop(due)
                due += 1
