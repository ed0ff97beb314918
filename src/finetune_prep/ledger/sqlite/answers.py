"""Answers: kept, and found again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from typing import Any

import apsw
import msgspec

from finetune_prep.ledger.packing import Packer
from finetune_prep.ledger.protocols import Aside, Entry
from finetune_prep.ledger.sqlite.reader import Reader
from finetune_prep.ledger.sqlite.writer import Put, Writer, packed_json, packed_request

PAGE = 500  # entries that are read at a time
# the user speaks first in each exchange, and the judge when all is said
OF_SCENARIO = """
SELECT key FROM entry WHERE scenario = ? AND scenario != ''
ORDER BY run, turn = 0, turn, request ->> 'role' != 'user', attempt, id
"""
OUTSIDE_RUNS = "SELECT request, reply FROM entry WHERE run = '' AND request ->> 'role' = ? ORDER BY id"
ASIDE = "SELECT request, why, body, size, at FROM aside WHERE key >= ?1 AND key < ?1 || char(1114111) ORDER BY id"
PUT_ASIDE = "INSERT INTO aside (key, request, why, body, size, at) VALUES (?, ?, ?, ?, ?, ?)"
ASIDE_FIELDS = ("request", "why", "body", "size", "at")


class SqliteAnswers:
    """keys: of all entries; None where another process may write, so that only the file knows."""

    def __init__(self, reader: Reader, writer: Writer, keys: set[str] | None) -> None:
        self._reader = reader
        self._writer = writer
        self._keys = keys

    async def get(self, key: str) -> Entry | None:
        if self._keys is not None and key not in self._keys:
            return None  # most requests of a run are new: a set knows that without a query
        return await self._reader.entry(key)

    async def known(self, keys: Collection[str]) -> frozenset[str]:
        if self._keys is not None:
            return frozenset(key for key in keys if key in self._keys)
        return await self._reader.read(lambda connection: frozenset(key for key in keys if _holds(connection, key)))

    async def put(self, entry: Entry, *, spent: float = 0.0) -> None:
        await self._writer.do(Put((entry,), spent))

    async def put_all(self, entries: Sequence[Entry]) -> None:
        await self._writer.do(Put(entries))

    async def all(self) -> AsyncIterator[Entry]:
        last = ""
        while page := await self._page(last):
            for entry in page:
                yield entry
            last = page[-1].key

    async def beginning(self, start: str) -> tuple[str, ...]:
        query = "SELECT key FROM entry WHERE key >= ?1 AND key < ?1 || char(1114111) ORDER BY key LIMIT 2"
        return await self._reader.read(lambda connection: tuple(str(key) for (key,) in connection.execute(query, (start,))))

    async def put_aside(self, found: Aside) -> None:
        packer = Packer()
        row = _aside_row(packer, found)

        def write(connection: apsw.Connection) -> None:
            self._writer.keep_texts(packer.texts)
            connection.execute(PUT_ASIDE, row)

        await self._writer.do(write)

    async def replace(self, entry: Entry, former: Aside) -> None:
        packer = Packer()
        row, reply = _aside_row(packer, former), packed_json(packer.reply(entry.reply))

        def write(connection: apsw.Connection) -> None:
            self._writer.keep_texts(packer.texts)
            connection.execute(PUT_ASIDE, row)
            connection.execute("UPDATE entry SET reply = ? WHERE key = ?", (reply, entry.key))

        await self._writer.do(write)

    async def aside(self, start: str) -> tuple[Aside, ...]:
        def read(connection: apsw.Connection) -> tuple[Aside, ...]:
            if not connection.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'aside'").get:
                return ()  # an earlier version wrote the file, and it is only looked at
            rows: list[Any] = connection.execute(ASIDE, (start,)).fetchall()
            return tuple(
                msgspec.convert(dict(zip(ASIDE_FIELDS, (self._reader.request(str(row[0])), *row[1:]), strict=True)), Aside)
                for row in rows
            )

        return await self._reader.read(read)

    async def of_scenario(self, scenario: str) -> tuple[str, ...]:
        return await self._reader.read(
            lambda connection: tuple(str(key) for (key,) in connection.execute(OF_SCENARIO, (scenario,)))
        )

    async def outside_runs(self, role: str) -> tuple[Entry, ...]:
        def read(connection: apsw.Connection) -> tuple[Entry, ...]:
            rows: list[Any] = connection.execute(OUTSIDE_RUNS, (role,)).fetchall()
            return tuple(self._reader.unpacked(str(request), str(reply)) for request, reply in rows)

        return await self._reader.read(read)

    async def _page(self, after: str) -> list[Entry]:
        query = f"SELECT request, reply FROM entry WHERE key > ? ORDER BY key LIMIT {PAGE}"  # noqa: S608

        def read(connection: apsw.Connection) -> list[Entry]:
            return [
                self._reader.unpacked(str(request), str(reply))
                for request, reply in connection.execute(query, (after,)).fetchall()
            ]

        return await self._reader.read(read)


def _holds(connection: apsw.Connection, key: str) -> bool:
    return bool(connection.execute("SELECT count(*) FROM entry WHERE key = ?", (key,)).get)


def _aside_row(packer: Packer, found: Aside) -> tuple[str, str, str, str, int, str]:
    return found.request.key, packed_request(packer, found.request), found.why, found.body, found.size, found.at
