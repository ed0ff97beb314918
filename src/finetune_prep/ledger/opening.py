"""The one place where a ledger is opened. What stands behind it, a file today, is nobody else's business."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from finetune_prep.ledger.protocols import Ledger
from finetune_prep.ledger.sqlite.ledger import SqliteLedger


@asynccontextmanager
async def open_ledger(path: Path) -> AsyncIterator[Ledger]:
    """A project's ledger, to write and to read; made if there is none. Whoever opens it holds the project's lock.

    Raises UsageError for a file that is not a ledger or was made by a newer version, LedgerDamaged, and LedgerBroken.
    """
    async with _opened(path, look_only=False) as ledger:
        yield ledger


@asynccontextmanager
async def look_at_ledger(path: Path) -> AsyncIterator[Ledger]:
    """The same, to read what is there and what others commit meanwhile: it needs neither lock nor right to write."""
    async with _opened(path, look_only=True) as ledger:
        yield ledger


@asynccontextmanager
async def _opened(path: Path, *, look_only: bool) -> AsyncIterator[Ledger]:
    ledger = await asyncio.to_thread(SqliteLedger, path, look_only=look_only)
    try:
        yield ledger
    finally:
        await asyncio.to_thread(ledger.close)
