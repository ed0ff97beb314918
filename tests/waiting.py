"""Waiting for what happens, and never for seconds: a machine may be as slow as it likes.

`until` waits for what must come. `skip` puts the clock of the event loop forward: a deadline is an hour away until the test has seen
what it waits for, and then it is now; no busy machine comes too late for it. Both over real sockets.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

HUNG = 120.0  # seconds after which a test is given up that waits for something which does not come: no promise, only an end


async def until(condition: Callable[[], bool]) -> None:
    given_up = time.monotonic() + HUNG
    while not condition():
        assert time.monotonic() < given_up, "it has not come"
        await asyncio.sleep(0.005)


def skip(seconds: float) -> None:
    """Put the clock of the running loop forward."""
    loop = asyncio.get_running_loop()
    before = loop.time
    loop.time = lambda: before() + seconds  # type: ignore[method-assign]
