"""What came back from the web: answers of search providers and bytes of pages, kept before anyone looks at them.

A table of its own in the ledger's file. A search or a page that failed for good is kept, too: a replay comes to the same end
without asking. What failed in passing (time-outs, overload) is not kept: the next run asks again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any, Literal, Protocol

import apsw
import msgspec

from finetune_prep.core.identity import digest

# Made where it is missing, as earlier versions did not keep it; they leave it alone.
FETCHED = """
CREATE TABLE IF NOT EXISTS fetched (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, about TEXT NOT NULL, body BLOB NOT NULL);
"""
INSERT = "INSERT OR IGNORE INTO fetched (key, about, body) VALUES (?, ?, ?)"
PROVIDERS = """
SELECT about ->> '$.asked[0]' AS provider FROM fetched WHERE about ->> 'kind' = 'search' GROUP BY provider ORDER BY min(id)
"""
Kind = Literal["search", "page"]


class Fetched(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """One question to the web and what came back."""

    kind: Kind
    asked: tuple[str, ...]
    """What tells it from others: provider, query and count of a search; the address of a page."""
    body: bytes = b""
    """The bytes after decompression."""
    failure: str = ""
    """Why there are none, for good."""
    place: str = ""
    """The address that answered, after redirects."""
    type: str = ""
    """Media type as the server named it."""
    charset: str = ""
    """Likewise, "" if it named none."""
    at: str = ""
    """ISO time of the answer, UTC."""

    @property
    def key(self) -> str:
        return fetched_key(self.kind, self.asked)


def fetched_key(kind: Kind, asked: Sequence[str]) -> str:
    """The name under which the answer to a question is kept."""
    return digest([kind, *asked])


class Archive(Protocol):
    """What the ledger holds of the web."""

    def get(self, key: str) -> Fetched | None:
        """The answer of this key, None if there is none."""

    async def keep(self, rows: Sequence[Fetched]) -> None:
        """Keep answers; returns when they are on disk. A known key changes nothing. Raises errors.LedgerBroken."""

    def all(self) -> Iterator[Fetched]:
        """All answers, ordered by key."""

    def searched_with(self) -> tuple[str, ...]:
        """The search providers that answered here, the first one first."""


Durably = Callable[[Callable[[apsw.Connection], Any]], Awaitable[Any]]


class SqliteArchive:
    """The table in the ledger's file. durably: has a job done by the ledger's writer and returns when it is on disk."""

    def __init__(self, reader: apsw.Connection, durably: Durably) -> None:
        self._reader = reader
        self._durably = durably

    def get(self, key: str) -> Fetched | None:
        row = self._reader.execute("SELECT about, body FROM fetched WHERE key = ?", (key,)).fetchone()
        return None if row is None else _whole(*row)

    async def keep(self, rows: Sequence[Fetched]) -> None:
        packed = [(row.key, about(row), row.body) for row in rows]
        await self._durably(lambda connection: connection.executemany(INSERT, packed))

    def all(self) -> Iterator[Fetched]:
        # keys first: a half-read cursor on the shared connection would hide rows that are put in the meantime
        for (key,) in self._reader.execute("SELECT key FROM fetched ORDER BY key").fetchall():
            found = self.get(str(key))
            if found is not None:
                yield found

    def searched_with(self) -> tuple[str, ...]:
        return tuple(str(provider) for (provider,) in self._reader.execute(PROVIDERS).fetchall())


def about(found: Fetched) -> str:
    """Everything about an answer but its bytes, as JSON."""
    return msgspec.json.encode(msgspec.structs.replace(found, body=b"")).decode()


def _whole(about: Any, body: Any) -> Fetched:
    return msgspec.structs.replace(msgspec.json.decode(about, type=Fetched), body=bytes(body))
