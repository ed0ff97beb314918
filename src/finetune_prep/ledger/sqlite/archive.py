"""What came back from the web, in a table of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

import apsw
import msgspec

from finetune_prep.ledger.fetched import Fetched, about
from finetune_prep.ledger.sqlite.reader import Reader
from finetune_prep.ledger.sqlite.writer import Writer

INSERT = "INSERT OR IGNORE INTO fetched (key, about, body) VALUES (?, ?, ?)"
PROVIDERS = """
SELECT about ->> '$.asked[0]' AS provider FROM fetched WHERE about ->> 'kind' = 'search' GROUP BY provider ORDER BY min(id)
"""


class SqliteArchive:
    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    async def get(self, key: str) -> Fetched | None:
        query = "SELECT about, body FROM fetched WHERE key = ?"

        def read(connection: apsw.Connection) -> Fetched | None:
            row = connection.execute(query, (key,)).fetchone()
            return None if row is None else _whole(*row)

        return await self._reader.read(read)

    async def keep(self, rows: Sequence[Fetched]) -> None:
        packed = [(row.key, about(row), row.body) for row in rows]
        await self._writer.do(lambda connection: connection.executemany(INSERT, packed))

    async def all(self) -> AsyncIterator[Fetched]:
        keys = await self._reader.read(lambda connection: connection.execute("SELECT key FROM fetched ORDER BY key").fetchall())
        for (key,) in keys:
            found = await self.get(str(key))
            if found is not None:
                yield found

    async def searched_with(self) -> tuple[str, ...]:
        return await self._reader.read(lambda connection: tuple(str(name) for (name,) in connection.execute(PROVIDERS)))


def _whole(about: Any, body: Any) -> Fetched:
    return msgspec.structs.replace(msgspec.json.decode(about, type=Fetched), body=bytes(body))
