"""Reading the ledger's file in a thread of its own."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import apsw
import msgspec

from finetune_prep.core.request import Request
from finetune_prep.errors import FinetunePrepError, LedgerDamaged
from finetune_prep.ledger.packing import unpack_reply, unpack_request
from finetune_prep.ledger.protocols import Entry
from finetune_prep.ledger.sqlite.connection import RESCUE, UNREADABLE, failure
from finetune_prep.ledger.sqlite.worker import Worker

T = TypeVar("T")

MOST_KEYS_PER_STATEMENT = 500
MOST_TEXTS = 4096  # shared texts that are remembered


class Reader:
    """Whatever cannot be read is told as LedgerDamaged, and stops no other job."""

    def __init__(self, path: Path, connection: apsw.Connection) -> None:
        self._path = path
        self._connection = connection
        self._texts: dict[str, str] = {}
        self._worker = Worker("ledger-reader", path, self._perform)

    async def entry(self, key: str) -> Entry | None:
        """The entry of this key. Many that are asked for at the same time are read together."""
        found: Entry | None = await self._worker.do(key)
        return found

    async def read(self, job: Callable[[apsw.Connection], T]) -> T:
        """What `job` reads."""
        found: T = await self._worker.do(job)
        return found

    def unpacked(self, request: str, reply: str) -> Entry:
        """An entry from its columns. For jobs."""
        return Entry(self.request(request), unpack_reply(msgspec.json.decode(reply), self._text))

    def request(self, packed: str) -> Request:
        """A request from its column. For jobs."""
        return unpack_request(msgspec.json.decode(packed), self._text)

    def close(self) -> None:
        self._worker.close()
        # closing copies the log into the file; where that fails, the log stays, and with it all that was committed
        with contextlib.suppress(apsw.Error):
            self._connection.close()

    def _perform(self, jobs: Sequence[Any]) -> list[Any]:
        entries = self._entries([job for job in jobs if isinstance(job, str)])
        return [entries.get(job) if isinstance(job, str) else self._guarded(partial(job, self._connection)) for job in jobs]

    def _entries(self, keys: list[str]) -> dict[str, Any]:
        """Entries by key, or why they cannot be read."""
        found: dict[str, Any] = {}
        for start in range(0, len(keys), MOST_KEYS_PER_STATEMENT):
            part = keys[start : start + MOST_KEYS_PER_STATEMENT]
            rows = self._guarded(partial(self._rows, part))
            if isinstance(rows, Exception):  # one that cannot be read spoils the statement for all: then each by itself
                rows = [row for key in part for row in self._rows_of_one(key, found)]
            for key, request, reply in rows:
                found[key] = self._guarded(partial(self.unpacked, request, reply))
        return found

    def _rows(self, keys: list[str]) -> list[Any]:
        query = f"SELECT key, request, reply FROM entry WHERE key IN ({','.join('?' * len(keys))})"  # noqa: S608
        return self._connection.execute(query, keys).fetchall()

    def _rows_of_one(self, key: str, found: dict[str, Any]) -> list[Any]:
        rows = self._guarded(partial(self._rows, [key]))
        if isinstance(rows, list):
            return rows
        found[key] = rows
        return []

    def _guarded(self, job: Callable[[], Any]) -> Any:
        """What `job` reads, or the error that its asker is to be told."""
        try:
            return job()
        except FinetunePrepError as error:
            return error
        except UNREADABLE as error:
            return failure(self._path, error)

    def _text(self, name: str) -> str:
        text = self._texts.get(name)
        if text is None:
            row = self._connection.execute("SELECT body FROM text WHERE name = ?", (name,)).fetchone()
            if row is None:
                raise LedgerDamaged(f"the ledger is damaged: it has lost the text {name}", where=str(self._path), next=RESCUE)
            text = self._texts[name] = str(row[0])
            if len(self._texts) > MOST_TEXTS:
                del self._texts[next(iter(self._texts))]
        return text
