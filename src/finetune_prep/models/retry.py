"""How long to wait before trying again: full-jitter back-off. The attempts of a call to a model: see `attempts`.

"Full jitter" after M. Brooker, Exponential Backoff and Jitter (AWS Architecture Blog, 2015): wait a uniformly random time up
to a bound that doubles, so that callers that failed together do not come back together.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from finetune_prep.models.providers.provider import Fault

T = TypeVar("T")

FIRST_BOUND = 0.5  # seconds
LAST_BOUND = 30.0


async def persist(attempt: Callable[[], Awaitable[T]], seconds: float) -> T:
    """What `attempt` gives, tried again after passing faults for at most so many seconds. Raises the last Fault.

    For calls that are no questions to a model (files, lists, states). What may have been billed is not tried again.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    tries = 1
    while True:
        try:
            return await attempt()
        except Fault as fault:
            pause = pause_before_next(tries, fault.retry_after)
            if fault.maybe_billed or loop.time() + pause >= deadline:
                raise
        await asyncio.sleep(pause)
        tries += 1


def pause_before_next(tries: int, retry_after: float | None) -> float:
    """Seconds to wait after so many tries."""
    bound = min(LAST_BOUND, FIRST_BOUND * 2 ** min(tries - 1, 10))
    jitter = random.uniform(0, bound)
    return jitter if retry_after is None else retry_after + min(jitter, 1.0)
