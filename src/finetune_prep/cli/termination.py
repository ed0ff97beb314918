"""SIGTERM, which `kill`, a service manager or a closing container sends, taken as Ctrl-C is: calls under way may finish.

It is also how a job in the background is stopped: a script starts it with Ctrl-C ignored, and so it stays, since a Ctrl-C then
means somebody else.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

from finetune_prep.cli.app import Terminated

T = TypeVar("T")


def run(job: Coroutine[Any, Any, T]) -> T:
    """`asyncio.run`, in which the first SIGTERM cancels the job; the second one ends the process as it always did.

    Raises Terminated when the job has ended because of it.
    """
    return asyncio.run(_terminable(job))


async def _terminable(job: Coroutine[Any, Any, T]) -> T:
    if threading.current_thread() is not threading.main_thread():
        return await job  # Python hands signals to the main thread alone
    loop = asyncio.get_running_loop()
    task = loop.create_task(job)
    told = asyncio.Event()

    def tell() -> None:
        told.set()
        loop.remove_signal_handler(signal.SIGTERM)
        task.cancel()

    loop.add_signal_handler(signal.SIGTERM, tell)
    try:
        return await task
    except asyncio.CancelledError:
        if told.is_set():
            raise Terminated from None
        raise
    finally:
        loop.remove_signal_handler(signal.SIGTERM)
