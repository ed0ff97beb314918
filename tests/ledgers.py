"""A ledger as tests use it: with or without an event loop of their own."""

from __future__ import annotations

from pathlib import Path

from finetune_prep.ledger.fetched import Archive, Fetched
from finetune_prep.ledger.opening import look_at_ledger
from finetune_prep.ledger.protocols import Entry, Ledger


async def entries(ledger: Ledger) -> list[Entry]:
    """All entries, by key."""
    return [entry async for entry in ledger.answers.all()]


async def pages(archive: Archive) -> list[Fetched]:
    """All that came from the web, by key."""
    return [found async for found in archive.all()]


async def kept(path: Path) -> list[Entry]:
    """The entries that stand in a file."""
    async with look_at_ledger(path) as ledger:
        return await entries(ledger)
