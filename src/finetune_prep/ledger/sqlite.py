"""The ledger as one SQLite file in WAL mode, with one writer thread that commits in groups.

A commit with `synchronous=FULL` waits for the disk. So that a thousand answers do not wait a thousand times, the writer
collects what arrives meanwhile and commits it as one transaction; only then are the askers told.
"""

from __future__ import annotations

import asyncio
import contextlib
import copy
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import apsw
import msgspec

from finetune_prep.core.request import Request
from finetune_prep.errors import LedgerBroken, UsageError
from finetune_prep.ledger import submissions
from finetune_prep.ledger.fetched import FETCHED, SqliteArchive
from finetune_prep.ledger.packing import Packer, RepeatedTexts, unpack_reply, unpack_request
from finetune_prep.ledger.protocols import Consumption, Entry, Measured, Round, TimeSpent
from finetune_prep.ledger.submissions import Submission
from finetune_prep.ledger.upgrade import ENTRY, FORMER, columns, upgrade

APPLICATION_ID = 0x46547031  # "FTp1": tells a ledger from other SQLite files
SCHEMA_VERSION = 3  # `upgrade` says what the others are
MOST_JOBS_PER_COMMIT = 4096
MOST_KNOWN_TEXTS = 65_536  # names of texts that need no further INSERT, about 8 MB

TABLES = """
CREATE TABLE text (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, body TEXT NOT NULL);
CREATE TABLE round (number INTEGER PRIMARY KEY, written INTEGER NOT NULL DEFAULT 0);
CREATE TABLE asked (
  id INTEGER PRIMARY KEY, round INTEGER NOT NULL REFERENCES round, key TEXT NOT NULL, request TEXT NOT NULL,
  released INTEGER NOT NULL DEFAULT 0, UNIQUE (key, round)
);
"""
# One row. Made where it is missing, as earlier versions did not keep it; they leave it alone.
MONEY = """
CREATE TABLE IF NOT EXISTS money (id INTEGER PRIMARY KEY CHECK (id = 1), held REAL NOT NULL, lost REAL NOT NULL);
INSERT OR IGNORE INTO money VALUES (1, 0, 0);
"""
INSERT_ENTRIES = "INSERT OR IGNORE INTO entry (key, run, scenario, turn, attempt, revision, request, reply, spent) VALUES "
ONE_ROW = "(?,?,?,?,?,?,?,?,?)"
MOST_ROWS_PER_STATEMENT = 3600  # SQLite takes 32,766 values
CONSUMPTION = """
SELECT request ->> 'phase' AS phase, run, request ->> 'role' AS role, request ->> 'model' AS model,
       coalesce(reply ->> 'served_model', '') AS served,
       count(*), total(reply ->> '$.usage.input'), total(reply ->> '$.usage.cached'), total(reply ->> '$.usage.output'),
       total(reply ->> 'cost'), sum(reply ->> 'cost' IS NULL)
FROM entry GROUP BY phase, run, role, model, served ORDER BY phase, run, role, model, served
"""
MEASURED = """
SELECT request ->> 'phase' AS phase, request ->> 'role' AS role,
       coalesce(request ->> '$.schema.name',
                iif(request ->> 'role' = 'expert', request ->> '$.origin.about', request ->> 'role')) AS form,
       count(*), sum(attempt > 1), avg(reply ->> '$.usage.input'),
       avg(coalesce(reply ->> '$.usage.cached', 0)), avg(reply ->> '$.usage.output')
FROM entry WHERE reply ->> '$.usage.input' IS NOT NULL AND reply ->> '$.usage.output' IS NOT NULL
GROUP BY phase, role, form ORDER BY phase, role, form
"""

# the user speaks first in each exchange, and the judge when all is said
OF_SCENARIO = """
SELECT key FROM entry WHERE scenario = ? AND scenario != ''
ORDER BY run, turn = 0, turn, request ->> 'role' != 'user', attempt, id
"""

Job = Callable[[apsw.Connection], Any]
Row = tuple[str, str, str, int, int, int, str, str, float]  # of the table `entry`, as INSERT_ENTRIES names it


class _Rows(msgspec.Struct, frozen=True):
    """Rows of the table `entry`, and texts they refer to. Those of a whole group are inserted together."""

    rows: list[Row]
    texts: dict[str, str]


class _Waiting(msgspec.Struct, frozen=True):
    """A piece of writing and the asker who waits for it."""

    job: Job | _Rows
    loop: asyncio.AbstractEventLoop
    done: asyncio.Future[Any]


class SqliteLedger:
    """A `Ledger` in one file. Reads happen on the caller's thread, writes on the ledger's own."""

    def __init__(self, path: Path) -> None:
        """Open or create. Raises UsageError for a file that is not a ledger or was made by a newer version."""
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._reader = _connect(path)
        self._writer = _connect(path)
        self._known_texts: set[str] = set()
        self._packer = RepeatedTexts()
        self._keys: set[str] | None = None  # of all entries, read when first needed
        self._gathered: dict[asyncio.AbstractEventLoop, list[_Waiting]] = {}
        self._jobs: queue.SimpleQueue[list[_Waiting] | None] = queue.SimpleQueue()
        self._closed = False
        self._thread = threading.Thread(target=self._write_groups, name="ledger-writer", daemon=True)
        self._thread.start()
        self.fetched = SqliteArchive(self._reader, self._durably)

    # reading

    def get(self, key: str) -> Entry | None:
        # most requests of a run are new: a set knows that without a query
        if self._keys is None:
            self._keys = {str(key) for (key,) in self._reader.execute("SELECT key FROM entry")}
        if key not in self._keys:
            return None
        row = self._reader.execute("SELECT request, reply FROM entry WHERE key = ?", (key,)).fetchone()
        return None if row is None else self._entry(*row)

    def entries(self) -> Iterator[Entry]:
        # a connection of its own: a half-read cursor on the shared one would hide rows that are put in the meantime
        connection = _connect(self.path)
        try:
            for request, reply in connection.execute("SELECT request, reply FROM entry ORDER BY key"):
                yield self._entry(request, reply)
        finally:
            connection.close()

    def beginning(self, start: str) -> tuple[str, ...]:
        rows = self._reader.execute(
            "SELECT key FROM entry WHERE key >= ?1 AND key < ?1 || char(1114111) ORDER BY key LIMIT 2", (start,)
        )
        return tuple(str(key) for (key,) in rows)

    def of_scenario(self, scenario: str) -> tuple[str, ...]:
        return tuple(str(key) for (key,) in self._reader.execute(OF_SCENARIO, (scenario,)))

    def count(self) -> int:
        return int(self._reader.execute("SELECT count(*) FROM entry").get)

    def spent(self) -> float:
        query = "SELECT (SELECT total(spent) FROM entry) + (SELECT total(lost) FROM money)"
        return float(self._reader.execute(query).get)

    def held(self) -> float:
        return float(self._reader.execute("SELECT total(held) FROM money").get)

    def time_spent(self) -> tuple[TimeSpent, ...]:
        rows = self._reader.execute(
            "SELECT json_extract(request, '$.phase') AS phase, count(*), total(json_extract(reply, '$.seconds')), "
            "min(nullif(json_extract(reply, '$.at'), '')) AS first, max(json_extract(reply, '$.at')) "
            "FROM entry GROUP BY phase ORDER BY first, phase"
        )
        return tuple(
            TimeSpent(phase=phase, answers=answers, seconds=seconds, first=first or "", last=last or "")
            for phase, answers, seconds, first, last in rows
        )

    def tokens_used(self) -> tuple[Consumption, ...]:
        rows = self._reader.execute(CONSUMPTION)
        return tuple(
            Consumption(
                phase=phase,
                run=run,
                role=role,
                model=model,
                served=served,
                answers=answers,
                input=int(prompt),
                cached=int(cached),
                output=int(output),
                cost=cost,
                unpriced=unpriced,
            )
            for phase, run, role, model, served, answers, prompt, cached, output, cost, unpriced in rows
        )

    def measured(self) -> tuple[Measured, ...]:
        names = Measured.__struct_fields__
        return tuple(Measured(**dict(zip(names, row, strict=True))) for row in self._reader.execute(MEASURED))

    def rounds(self) -> tuple[Round, ...]:
        rows = self._reader.execute(
            "SELECT number, written, count(asked.key), count(entry.key), total(released AND entry.key IS NULL) "
            "FROM round LEFT JOIN asked ON asked.round = number LEFT JOIN entry ON entry.key = asked.key "
            "GROUP BY number ORDER BY number"
        )
        return tuple(
            Round(number=number, asked=asked, answered=answered, released=int(released), written=bool(written))
            for number, written, asked, answered, released in rows
        )

    def requests_of(self, number: int) -> tuple[Request, ...]:
        rows = self._reader.execute("SELECT request FROM asked WHERE round = ? ORDER BY id", (number,)).fetchall()
        return tuple(self._request(str(request)) for (request,) in rows)

    def outstanding(self, key: str) -> int | None:
        row = self._reader.execute(
            "SELECT round FROM asked WHERE key = ?1 AND NOT released AND NOT EXISTS (SELECT 1 FROM entry WHERE key = ?1)", (key,)
        ).fetchone()
        return None if row is None else row[0]

    def submissions(self) -> tuple[Submission, ...]:
        return submissions.select(self._reader)

    def asked(self, key: str) -> Request | None:
        row = self._reader.execute("SELECT request FROM asked WHERE key = ? LIMIT 1", (key,)).fetchone()
        return None if row is None else self._request(str(row[0]))

    def renamed(self, key: str) -> str:
        row = self._reader.execute("SELECT present FROM former WHERE key = ?", (key,)).fetchone()
        return key if row is None else str(row[0])

    def _entry(self, request: str, reply: str) -> Entry:
        return Entry(self._request(request), unpack_reply(msgspec.json.decode(reply), self._text))

    def _request(self, packed: str) -> Request:
        return unpack_request(msgspec.json.decode(packed), self._text)

    def _text(self, name: str) -> str:
        row = self._reader.execute("SELECT body FROM text WHERE name = ?", (name,)).fetchone()
        if row is None:
            raise LedgerBroken(f"the ledger has lost the text {name}", where=str(self.path), next="restore the file from a copy")
        return str(row[0])

    # writing

    async def put(self, entry: Entry, *, spent: float = 0.0) -> None:
        await self._insert([entry], spent)

    async def hold(self, dollars: float) -> None:
        await self._durably(lambda connection: connection.execute("UPDATE money SET held = ?", (dollars,)))

    async def lose(self, dollars: float) -> None:
        await self._durably(lambda connection: connection.execute("UPDATE money SET lost = lost + ?", (dollars,)))

    async def write_off(self) -> None:
        await self._durably(lambda connection: connection.execute("UPDATE money SET lost = lost + held, held = 0"))

    async def put_all(self, entries: Sequence[Entry]) -> None:
        await self._insert(entries, 0.0)

    async def _insert(self, entries: Sequence[Entry], spent: float) -> None:
        packer = self._packer
        rows = [_row(packer, entry, spent) for entry in entries]
        await self._durably(_Rows(rows, packer.take_texts()))
        if self._keys is not None:
            self._keys.update(row[0] for row in rows)

    async def open_round(self, requests: Sequence[Request], submission: Submission | None = None) -> int:
        packer = Packer()
        rows = [(request.key, _json(packer.request(request))) for request in requests]

        def insert(connection: apsw.Connection) -> int:
            self._keep_texts(connection, packer.texts)
            number = int(
                connection.execute(
                    "INSERT INTO round (number) SELECT coalesce(max(number), 0) + 1 FROM round RETURNING number"
                ).get
            )
            connection.executemany("INSERT INTO asked (round, key, request) VALUES (?, ?, ?)", [(number, *row) for row in rows])
            if submission is not None:
                submissions.insert(connection, msgspec.structs.replace(submission, number=number))
            return number

        return int(await self._durably(insert))

    async def note(
        self,
        submission: Submission,
        *,
        answers: Sequence[tuple[Entry, float]] = (),
        release: Sequence[str] = (),
        lost: float = 0.0,
    ) -> None:
        packer = Packer()
        rows = [_row(packer, entry, spent) for entry, spent in answers]
        keys = [row[0] for row in rows]

        def write(connection: apsw.Connection) -> None:
            self._keep_texts(connection, packer.texts)
            self._insert_rows(rows)
            submissions.update(connection, submission)
            connection.executemany("UPDATE asked SET released = 1 WHERE key = ?", [(key,) for key in release])
            connection.execute("UPDATE money SET lost = lost + ?", (lost,))

        await self._durably(write)
        if self._keys is not None:
            self._keys.update(keys)

    async def mark_written(self, number: int) -> None:
        await self._durably(lambda connection: connection.execute("UPDATE round SET written = 1 WHERE number = ?", (number,)))

    async def release(self, keys: Sequence[str]) -> None:
        rows = [(key,) for key in keys]
        await self._durably(lambda connection: connection.executemany("UPDATE asked SET released = 1 WHERE key = ?", rows))

    def _keep_texts(self, connection: apsw.Connection, texts: dict[str, str]) -> None:
        new = [(name, body) for name, body in texts.items() if name not in self._known_texts]
        if not new:
            return
        connection.executemany("INSERT OR IGNORE INTO text (name, body) VALUES (?, ?)", new)
        if len(self._known_texts) > MOST_KNOWN_TEXTS:
            self._known_texts.clear()
        self._known_texts.update(name for name, _ in new)

    async def _durably(self, job: Job | _Rows) -> Any:
        if self._closed:
            raise LedgerBroken("the ledger is closed", where=str(self.path))
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Any] = loop.create_future()
        gathered = self._gathered.get(loop)
        if gathered is None:
            # Everything of this turn of the event loop goes to the writer together: each time it wakes up for a single job, the
            # two wait for each other's hold on Python's lock.
            gathered = self._gathered[loop] = []
            loop.call_soon(self._hand_over, loop)
        gathered.append(_Waiting(job, loop, done))
        return await done

    def _hand_over(self, loop: asyncio.AbstractEventLoop) -> None:
        gathered = self._gathered.pop(loop, None)
        if gathered is not None:  # `close` may have handed it over before
            self._jobs.put(gathered)

    def _write_groups(self) -> None:
        """The writer thread: take what has come together meanwhile, commit, tell; until a None ends it."""
        running = True
        while running:
            group: list[_Waiting] = []
            jobs = self._jobs.get()
            while jobs is not None:
                group += jobs
                if len(group) >= MOST_JOBS_PER_COMMIT or self._jobs.empty():
                    break
                jobs = self._jobs.get()
            running = jobs is not None
            if group:
                self._write(group)

    def _write(self, group: list[_Waiting]) -> None:
        results: list[Any] = []
        error: Exception | None = None
        try:
            results = self._carry_out(group)
        except apsw.Error as cause:
            self._rollback()
            error = _broken(self.path, cause)
        except Exception as cause:
            self._rollback()
            error = cause
        by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Any], Any]]] = {}
        for waiting, result in zip(group, results or [None] * len(group), strict=True):
            by_loop.setdefault(waiting.loop, []).append((waiting.done, result))
        for loop, told in by_loop.items():
            if not loop.is_closed():
                loop.call_soon_threadsafe(_tell, told, error)

    def _carry_out(self, group: list[_Waiting]) -> list[Any]:
        """Do the jobs in one transaction, in order; rows that follow each other in one statement.

        SQLite lets go of Python's lock once per statement and has to wait for it afterwards while the event loop is busy. So rows
        alone, which is what a run writes, are one statement and a transaction by themselves.
        """
        if all(isinstance(waiting.job, _Rows) and waiting.job.texts.keys() <= self._known_texts for waiting in group):
            self._insert_rows([row for waiting in group for row in waiting.job.rows])  # type: ignore[union-attr]
            return [None] * len(group)
        self._writer.execute("BEGIN IMMEDIATE")
        results: list[Any] = []
        rows: list[Row] = []
        for waiting in group:
            if isinstance(waiting.job, _Rows):
                self._keep_texts(self._writer, waiting.job.texts)
                rows += waiting.job.rows
                results.append(None)
            else:
                self._insert_rows(rows)
                results.append(waiting.job(self._writer))
        self._insert_rows(rows)
        self._writer.execute("COMMIT")
        return results

    def _insert_rows(self, rows: list[Row]) -> None:
        """Insert and empty the list. The first answer wins: later ones for the same key change nothing."""
        for start in range(0, len(rows), MOST_ROWS_PER_STATEMENT):
            part = rows[start : start + MOST_ROWS_PER_STATEMENT]
            self._writer.execute(INSERT_ENTRIES + ",".join([ONE_ROW] * len(part)), list(chain.from_iterable(part)))
        rows.clear()

    def _rollback(self) -> None:
        self._known_texts.clear()
        if self._writer.in_transaction:  # SQLite has rolled back by itself after some errors
            self._writer.execute("ROLLBACK")

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        for loop in [*self._gathered]:
            self._hand_over(loop)
        self._jobs.put(None)
        self._thread.join()
        for connection in (self._writer, self._reader):
            # closing copies the log into the file; where that fails, the log stays, and with it all that was committed
            with contextlib.suppress(apsw.Error):
                connection.close()


def _broken(path: Path, cause: apsw.Error) -> LedgerBroken:
    reason = {apsw.FullError: "the disk is full", apsw.IOError: "the disk reports an error"}.get(type(cause), str(cause))
    return LedgerBroken(
        f"the ledger cannot be written: {reason}",
        where=str(path),
        next="make room on the disk and run the same command again; every answer kept so far is safe",
    )


def _row(packer: Packer, entry: Entry, spent: float) -> Row:
    request, reply = _json(packer.request(entry.request)), _json(packer.reply(entry.reply))
    return (entry.key, *columns(entry.request.origin), request, reply, spent)


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _tell(told: list[tuple[asyncio.Future[Any], Any]], error: Exception | None) -> None:
    for future, result in told:
        if future.done():  # its asker was cancelled; the row is kept all the same
            continue
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(copy.copy(error))  # one for each: a traceback belongs to one asker


def _connect(path: Path) -> apsw.Connection:
    connection = None
    try:
        connection = apsw.Connection(str(path))
        connection.set_busy_timeout(5000)
        _prepare(connection, path)
    except (apsw.NotADBError, apsw.CantOpenError, apsw.CorruptError) as error:
        raise UsageError(
            f"the ledger cannot be opened: {error}", where=str(path), next="move the file away, or restore a copy"
        ) from error
    except apsw.Error as error:
        raise _broken(path, error) from error
    except UsageError:
        if connection is not None:
            connection.close()
        raise
    return connection


def _prepare(connection: apsw.Connection, path: Path) -> None:
    """Refuse what is no ledger of this version, and make a new file into one. Raises UsageError, apsw.Error."""
    application, version = connection.pragma("application_id"), connection.pragma("user_version")
    empty = connection.execute("SELECT count(*) = 0 FROM sqlite_schema").get
    if not empty and application != APPLICATION_ID:
        raise UsageError("this SQLite file is not a ledger of finetune-prep", where=str(path), next="move the file away")
    if version > SCHEMA_VERSION:
        raise UsageError(
            f"this ledger was written by a newer version (format {version}, this version reads {SCHEMA_VERSION})",
            where=str(path),
            next="update finetune-prep: a newer version wrote it",
        )
    connection.pragma("journal_mode", "wal")
    connection.pragma("synchronous", "full")
    if empty:
        _create(connection)
        return
    if connection.execute("SELECT count(*) FROM sqlite_schema WHERE name IN ('money', 'submission', 'fetched')").get < 3:
        with connection:
            connection.execute(MONEY + submissions.TABLE + FETCHED)
    if version < SCHEMA_VERSION:
        _upgrade(connection, path)


def _upgrade(connection: apsw.Connection, path: Path) -> None:
    """Bring a ledger of an earlier version to this one, all of it or nothing; another process may have done so meanwhile.

    Raises UsageError for a row that cannot be read.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        if connection.pragma("user_version") < SCHEMA_VERSION:
            upgrade(connection)
            connection.pragma("user_version", SCHEMA_VERSION)
    except BaseException as error:
        connection.execute("ROLLBACK")
        if not isinstance(error, ValueError):
            raise
        raise UsageError(
            f"this ledger cannot be brought to the present format: {error}", where=str(path), next="restore the file from a copy"
        ) from error
    connection.execute("COMMIT")


def _create(connection: apsw.Connection) -> None:
    with connection:
        connection.execute(TABLES + ENTRY + MONEY + submissions.TABLE + FETCHED + FORMER)
        connection.pragma("application_id", APPLICATION_ID)
        connection.pragma("user_version", SCHEMA_VERSION)
