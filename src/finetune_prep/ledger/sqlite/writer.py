"""Writing the ledger's file: one thread that packs, and commits in groups.

A commit with `synchronous=FULL` waits for the disk. So that a thousand answers do not wait a thousand times, the writer
collects what arrives meanwhile and commits it as one transaction; only then are the askers told.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import apsw
import msgspec

from finetune_prep.core.request import Request
from finetune_prep.errors import LedgerBroken
from finetune_prep.ledger.packing import Packer, RepeatedTexts
from finetune_prep.ledger.protocols import Entry
from finetune_prep.ledger.sqlite.connection import failure
from finetune_prep.ledger.sqlite.upgrade import columns
from finetune_prep.ledger.sqlite.worker import Worker

PAUSE = 0.001  # seconds between commits: where answers come a thousand a second, an eighth of all CPU went into single ones
MOST_KNOWN_TEXTS = 65_536  # names of texts that need no further INSERT, about 8 MB
MOST_ROWS_PER_STATEMENT = 3600  # SQLite takes 32,766 values
INSERT_ENTRIES = "INSERT OR IGNORE INTO entry (key, run, scenario, turn, attempt, revision, request, reply, spent) VALUES "
ONE_ROW = "(?,?,?,?,?,?,?,?,?)"

Job = Callable[[apsw.Connection], Any]
Row = tuple[str, str, str, int, int, int, str, str, float]  # of the table `entry`, as INSERT_ENTRIES names it


class Put(NamedTuple):
    """Entries to keep, and the US dollars that left for each."""

    entries: Sequence[Entry]
    spent: float = 0.0


class Writer:
    """keys: of all entries that are kept; the writer adds to it, also what other processes have kept meanwhile."""

    def __init__(self, path: Path, connection: apsw.Connection, keys: set[str]) -> None:
        self._path = path
        self._connection = connection
        self._keys = keys
        self._known_texts: set[str] = set()
        self._packer = RepeatedTexts()
        self._version = connection.pragma("data_version")
        self._worker = Worker("ledger-writer", path, self._perform, PAUSE)
        self.do = self._worker.do  # a Put or a Job; awaited, it is on disk. Raises LedgerBroken

    def close(self) -> None:
        self._worker.close()
        # closing copies the log into the file; where that fails, the log stays, and with it all that was committed
        with contextlib.suppress(apsw.Error):
            self._connection.close()

    def keep(self, answers: Sequence[tuple[Entry, float]]) -> None:
        """Insert entries with their US dollars. For jobs: it belongs to their transaction."""
        packer = Packer()
        rows = [self._row(packer, entry, spent) for entry, spent in answers]
        self.keep_texts(packer.texts)
        self._insert(rows)

    def keep_texts(self, texts: dict[str, str]) -> None:
        """Insert texts that requests and replies refer to. For jobs."""
        new = [(name, body) for name, body in texts.items() if name not in self._known_texts]
        if not new:
            return
        self._connection.executemany("INSERT OR IGNORE INTO text (name, body) VALUES (?, ?)", new)
        if len(self._known_texts) > MOST_KNOWN_TEXTS:
            self._known_texts.clear()
        self._known_texts.update(name for name, _ in new)

    def _perform(self, jobs: Sequence[Any]) -> list[Any]:
        try:
            results = self._committed(jobs)
            self._read_along()
        except (apsw.Error, UnicodeDecodeError) as cause:
            self._rollback()
            raise failure(self._path, cause) from cause
        except Exception:
            self._rollback()
            raise
        return results

    def _committed(self, jobs: Sequence[Any]) -> list[Any]:
        """Do the jobs in one transaction, in order; rows that follow each other in one statement.

        SQLite lets go of Python's lock once per statement and has to wait for it afterwards while the event loop is busy. So rows
        alone, which is what a run writes, are one statement and a transaction by themselves.
        """
        packed = [self._packed(job) if isinstance(job, Put) else job for job in jobs]
        texts = self._packer.take_texts()
        rows: list[Row] = []
        if texts.keys() <= self._known_texts and all(isinstance(job, Put) for job in jobs):
            self._insert([row for part in packed for row in part])
            return [None] * len(jobs)
        self._connection.execute("BEGIN IMMEDIATE")
        self.keep_texts(texts)
        results: list[Any] = []
        for job in packed:
            if isinstance(job, list):
                rows += job
                results.append(None)
            else:
                self._insert(rows)
                results.append(job(self._connection))
        self._insert(rows)
        self._connection.execute("COMMIT")
        return results

    def _packed(self, put: Put) -> list[Row]:
        return [self._row(self._packer, entry, put.spent) for entry in put.entries]

    def _row(self, packer: Packer, entry: Entry, spent: float) -> Row:
        request, reply = packed_json(packer.request(entry.request)), packed_json(packer.reply(entry.reply))
        return (entry.key, *columns(entry.request.origin), request, reply, spent)

    def _insert(self, rows: list[Row]) -> None:
        """Insert and empty the list. The first answer wins: later ones for the same key change nothing."""
        for start in range(0, len(rows), MOST_ROWS_PER_STATEMENT):
            part = rows[start : start + MOST_ROWS_PER_STATEMENT]
            self._connection.execute(INSERT_ENTRIES + ",".join([ONE_ROW] * len(part)), list(chain.from_iterable(part)))
            self._keys.update(row[0] for row in part)
        rows.clear()

    def _read_along(self) -> None:
        """Notice what another process has kept."""
        version = self._connection.pragma("data_version")
        if version != self._version:
            self._version = version
            self._keys.update(str(key) for (key,) in self._connection.execute("SELECT key FROM entry"))

    def _rollback(self) -> None:
        self._known_texts.clear()
        if self._connection.in_transaction:  # SQLite has rolled back by itself after some errors
            with contextlib.suppress(apsw.Error):  # a damaged file may not let it
                self._connection.execute("ROLLBACK")


class LookedAt(Writer):
    """The writer of a ledger that was opened to be looked at."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.do = self._refused

    def _refused(self, job: Any) -> NoReturn:
        raise LedgerBroken("the ledger was opened to be looked at", where=str(self._path))

    def close(self) -> None:
        """Nothing was written."""


def packed_request(packer: Packer, request: Request) -> str:
    """A request as it stands in its column."""
    return packed_json(packer.request(request))


def packed_json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
