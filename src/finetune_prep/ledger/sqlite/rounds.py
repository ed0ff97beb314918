"""Rounds of requests that are answered another day, as batch files or at Batch APIs."""

from __future__ import annotations

from collections.abc import Sequence

import apsw
import msgspec

from finetune_prep.core.request import Request
from finetune_prep.ledger.packing import Packer
from finetune_prep.ledger.protocols import Entry, Round
from finetune_prep.ledger.sqlite.reader import Reader
from finetune_prep.ledger.sqlite.writer import Writer, packed_request
from finetune_prep.ledger.submissions import Submission

ROUNDS = """
SELECT number, written, count(asked.key), count(entry.key), total(released AND entry.key IS NULL)
FROM round LEFT JOIN asked ON asked.round = number LEFT JOIN entry ON entry.key = asked.key
GROUP BY number ORDER BY number
"""
NEW_ROUND = "INSERT INTO round (number) SELECT coalesce(max(number), 0) + 1 FROM round RETURNING number"
OUTSTANDING = """
SELECT round FROM asked WHERE key = ?1 AND NOT released AND NOT EXISTS (SELECT 1 FROM entry WHERE key = ?1)
"""
RELEASE = "UPDATE asked SET released = 1 WHERE key = ?"


class SqliteRounds:
    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    async def all(self) -> tuple[Round, ...]:
        def read(connection: apsw.Connection) -> tuple[Round, ...]:
            return tuple(
                msgspec.convert(
                    {"number": number, "asked": asked, "answered": answered, "released": int(released), "written": bool(written)},
                    Round,
                )
                for number, written, asked, answered, released in connection.execute(ROUNDS)
            )

        return await self._reader.read(read)

    async def requests_of(self, number: int) -> tuple[Request, ...]:
        query = "SELECT request FROM asked WHERE round = ? ORDER BY id"

        def read(connection: apsw.Connection) -> tuple[Request, ...]:
            return tuple(self._reader.request(str(packed)) for (packed,) in connection.execute(query, (number,)).fetchall())

        return await self._reader.read(read)

    async def outstanding(self, key: str) -> int | None:
        row = await self._reader.read(lambda connection: connection.execute(OUTSTANDING, (key,)).fetchone())
        return None if row is None else int(row[0])

    async def asked(self, key: str) -> Request | None:
        def read(connection: apsw.Connection) -> Request | None:
            row = connection.execute("SELECT request FROM asked WHERE key = ? LIMIT 1", (key,)).fetchone()
            return None if row is None else self._reader.request(str(row[0]))

        return await self._reader.read(read)

    async def renamed(self, key: str) -> str:
        query = "SELECT present FROM former WHERE key = ?"
        row = await self._reader.read(lambda connection: connection.execute(query, (key,)).fetchone())
        return key if row is None else str(row[0])

    async def submissions(self) -> tuple[Submission, ...]:
        return await self._reader.read(_submissions)

    async def open(self, requests: Sequence[Request], submission: Submission | None = None) -> int:
        packer = Packer()
        rows = [(request.key, packed_request(packer, request)) for request in requests]

        def insert(connection: apsw.Connection) -> int:
            self._writer.keep_texts(packer.texts)
            number = int(connection.execute(NEW_ROUND).get)
            connection.executemany("INSERT INTO asked (round, key, request) VALUES (?, ?, ?)", [(number, *row) for row in rows])
            if submission is not None:
                _insert(connection, msgspec.structs.replace(submission, number=number))
            return number

        return int(await self._writer.do(insert))

    async def mark_written(self, number: int) -> None:
        await self._writer.do(lambda connection: connection.execute("UPDATE round SET written = 1 WHERE number = ?", (number,)))

    async def release(self, keys: Sequence[str]) -> None:
        rows = [(key,) for key in keys]
        await self._writer.do(lambda connection: connection.executemany(RELEASE, rows))

    async def note(
        self,
        submission: Submission,
        *,
        answers: Sequence[tuple[Entry, float]] = (),
        release: Sequence[str] = (),
        lost: float = 0.0,
    ) -> None:
        def write(connection: apsw.Connection) -> None:
            self._writer.keep(answers)
            _update(connection, submission)
            connection.executemany(RELEASE, [(key,) for key in release])
            connection.execute("UPDATE money SET lost = lost + ?", (lost,))

        await self._writer.do(write)


def _insert(connection: apsw.Connection, submission: Submission) -> None:
    """The row of a new submission; its round must be there. No transaction of its own."""
    # a round of a Batch API has no file that would still have to be written
    connection.execute("UPDATE round SET written = 1 WHERE number = ?", (submission.number,))
    connection.execute("INSERT INTO submission VALUES (?, ?, ?, ?, ?, ?, ?, ?)", msgspec.structs.astuple(submission))


def _update(connection: apsw.Connection, submission: Submission) -> None:
    """Replace the row of a submission. No transaction of its own."""
    connection.execute("REPLACE INTO submission VALUES (?, ?, ?, ?, ?, ?, ?, ?)", msgspec.structs.astuple(submission))


def _submissions(connection: apsw.Connection) -> tuple[Submission, ...]:
    """All submissions, by number."""
    rows = connection.execute("SELECT number, provider, token, worst, state, batch, clue, at FROM submission ORDER BY number")
    return tuple(msgspec.convert(dict(zip(Submission.__struct_fields__, row, strict=True)), Submission) for row in rows)
