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
    items: Iterable[Item],
    work: Callable[[Item], Coroutine[Any, Any, Result]],
    window: int,
    *,
    due: Callable[[Item], bool] = lambda item: True,
) -> AsyncGenerator[Result]:
    """Work on up to `window` items at a time and yield the results in the order of the items.

    At most AHEAD × window items are begun and not yet yielded, so memory stays flat however many there are. If one fails,
    the others are cancelled and the failure is raised. due: whether an item may be begun. One that is not due waits, and so do
    those behind it, until a result makes it due; if no result does, they are left out.
    """
    begun: deque[asyncio.Task[Result]] = deque()
    running: set[asyncio.Task[Result]] = set()
    try:
        for item in items:
            while not due(item):
                if not begun:
                    return
                if running:
                    _, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                while begun and begun[0].done():
                    yield begun.popleft().result()
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
    async with aclosing(placed(items, work, window, order)) as finished:
        async for result in finished:
            yield result


async def placed(
    items: Sequence[Item],
    work: Callable[[Item], Coroutine[Any, Any, Result]],
    window: int,
    order: Iterable[int],
    *,
    due: Callable[[int], bool] = lambda place: True,
) -> AsyncGenerator[Result]:
    """As `windowed`, of items that are begun in an order of their own; results still come in the order of the items.

    order: places of all items. due: as of `windowed`, of a place. Results are held until those before them are there.
    """
    found: dict[int, Result] = {}
    awaited = 0

    async def one(place: int) -> tuple[int, Result]:
        return place, await work(items[place])

    async with aclosing(windowed(order, one, window, due=due)) as finished:
        async for place, result in finished:
            found[place] = result
            while awaited in found:
                yield found.pop(awaited)
                awaited += 1
