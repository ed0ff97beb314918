"""Looking into a project's ledger from where nothing is asynchronous."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from finetune_prep.ledger.opening import look_at_ledger
from finetune_prep.ledger.protocols import Ledger
from finetune_prep.project.project import Project

T = TypeVar("T")
N = TypeVar("N")


def looked(project: Project, job: Callable[[Ledger], Awaitable[T]], nothing: N) -> T | N:
    """What `job` finds in the ledger; `nothing` if nothing was asked yet: looking makes no file, and needs no right to write.

    Raises as `look`.
    """
    path = project.layout.ledger
    return look(path, job) if path.is_file() else nothing


def look(path: Path, job: Callable[[Ledger], Awaitable[T]]) -> T:
    """What `job` finds in the ledger of this file. Raises UsageError, LedgerDamaged.

    It has a thread and an event loop of its own, so it may be called from within one as well.
    """

    async def asked() -> T:
        async with look_at_ledger(path) as ledger:
            return await job(ledger)

    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(asyncio.run, asked()).result()
