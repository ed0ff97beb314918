"""A thread that works for event loops, so that none of them waits for the disk.

All that is asked for in one turn of a loop is handed over together, and told together: each time a thread wakes up for a single
job, it and the loop wait for each other's hold on Python's lock.
"""

from __future__ import annotations

import asyncio
import copy
import math
import queue
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from finetune_prep.errors import LedgerBroken

MOST_JOBS_TOGETHER = 4096
Perform = Callable[[Sequence[Any]], list[Any]]  # jobs → results in their order; one that is an exception is raised to its asker


class _Waiting(NamedTuple):
    """A job and the asker who waits for it."""

    job: Any
    loop: asyncio.AbstractEventLoop
    done: asyncio.Future[Any]


class Worker:
    """perform: does jobs that have come together; it may raise, which is the result of all of them. pause: seconds from the end
    of some to the beginning of the next, so that more come together; one that comes later does not wait."""

    def __init__(self, name: str, path: Path, perform: Perform, pause: float = 0.0) -> None:
        self._path = path
        self._perform = perform
        self._pause = pause
        self._ended = -math.inf
        self._gathered: dict[asyncio.AbstractEventLoop, list[_Waiting]] = {}
        self._handed_over: queue.SimpleQueue[list[_Waiting] | None] = queue.SimpleQueue()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def do(self, job: Any) -> asyncio.Future[Any]:
        """The result of a job, to be awaited. Raises LedgerBroken after `close`."""
        if self._closed:
            raise LedgerBroken("the ledger is closed", where=str(self._path))
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Any] = loop.create_future()
        gathered = self._gathered.get(loop)
        if gathered is None:
            gathered = self._gathered[loop] = []
            loop.call_soon(self._hand_over, loop)
        gathered.append(_Waiting(job, loop, done))
        return done

    def close(self) -> None:
        """Finish what was asked for, then end."""
        if self._closed:
            return
        self._closed = True
        for loop in [*self._gathered]:
            self._hand_over(loop)
        self._handed_over.put(None)
        self._thread.join()

    def _hand_over(self, loop: asyncio.AbstractEventLoop) -> None:
        gathered = self._gathered.pop(loop, None)
        if gathered is not None:  # `close` may have handed it over before
            self._handed_over.put(gathered)

    def _run(self) -> None:
        """The thread: take what has come together meanwhile, do it, tell; until a None ends it."""
        running = True
        while running:
            group: list[_Waiting] = []
            jobs = self._handed_over.get()
            if jobs is not None and (early := self._ended + self._pause - time.monotonic()) > 0:
                time.sleep(early)
            while jobs is not None:
                group += jobs
                if len(group) >= MOST_JOBS_TOGETHER or self._handed_over.empty():
                    break
                jobs = self._handed_over.get()
            running = jobs is not None
            if group:
                self._do(group)

    def _do(self, group: list[_Waiting]) -> None:
        try:
            results = self._perform([waiting.job for waiting in group])
        except Exception as error:
            results = [error] * len(group)
        self._ended = time.monotonic()
        by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Any], Any]]] = {}
        for waiting, result in zip(group, results, strict=True):
            by_loop.setdefault(waiting.loop, []).append((waiting.done, result))
        for loop, told in by_loop.items():
            if not loop.is_closed():
                loop.call_soon_threadsafe(_tell, told)


def _tell(told: list[tuple[asyncio.Future[Any], Any]]) -> None:
    for future, result in told:
        if future.done():  # its asker was cancelled; what was written is kept all the same
            continue
        if isinstance(result, Exception):
            future.set_exception(copy.copy(result))  # one for each: a traceback belongs to one asker
        else:
            future.set_result(result)
