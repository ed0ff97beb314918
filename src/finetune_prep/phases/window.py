"""Working on many samples at a time in flat memory, with results in the order of the plan."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


async def windowed(
    items: Iterable[Item], work: Callable[[Item], Coroutine[Any, Any, Result]], window: int
) -> AsyncIterator[Result]:
    """Work on up to `window` items at a time and yield the results in the order of the items.

    Memory stays flat however many items there are. If one fails, the others are cancelled and the failure is raised.
    """
    tasks: list[asyncio.Task[Result]] = []
    source = iter(items)
    try:
        for item in source:
            tasks.append(asyncio.create_task(work(item)))
            if len(tasks) >= window:
                yield await tasks.pop(0)
        while tasks:
            yield await tasks.pop(0)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
