"""Opening the ledger's file: to write, to look, and what is said when it cannot be done.

Who looks needs no right to write, changes nothing, and sees what others have committed.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from urllib.parse import quote

import apsw

from finetune_prep.errors import LedgerBroken, LedgerDamaged, UsageError
from finetune_prep.ledger.sqlite.upgrade import ENTRY, FORMER, upgrade

APPLICATION_ID = 0x46547031  # "FTp1": tells a ledger from other SQLite files
SCHEMA_VERSION = 3  # `upgrade` says what the others are
BUSY_MILLISECONDS = 5000
PAGE_SIZE = 4096  # bytes; what is no multiple of it and has no head of SQLite's never was a ledger
DAMAGED = (apsw.CorruptError, apsw.SQLError, apsw.NotADBError, apsw.MismatchError, apsw.FormatError, apsw.ConstraintError)
# what reading a damaged file raises: SQLite itself, and what stands in a row and is not what it should be
UNREADABLE = (apsw.Error, ValueError, TypeError, KeyError, AttributeError, RecursionError)
RESCUE = "finetune-prep ledger rescue, which saves what can be read, or put back a copy of .finetune-prep"

TABLES = """
CREATE TABLE text (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, body TEXT NOT NULL);
CREATE TABLE round (number INTEGER PRIMARY KEY, written INTEGER NOT NULL DEFAULT 0);
CREATE TABLE asked (
  id INTEGER PRIMARY KEY, round INTEGER NOT NULL REFERENCES round, key TEXT NOT NULL, request TEXT NOT NULL,
  released INTEGER NOT NULL DEFAULT 0, UNIQUE (key, round)
);
"""
# Made where they are missing, as earlier versions did not keep them; they leave them alone. Money is one row.
MONEY = """
CREATE TABLE IF NOT EXISTS money (id INTEGER PRIMARY KEY CHECK (id = 1), held REAL NOT NULL, lost REAL NOT NULL);
INSERT OR IGNORE INTO money VALUES (1, 0, 0);
"""
SUBMISSION = """
CREATE TABLE IF NOT EXISTS submission (
  number INTEGER PRIMARY KEY REFERENCES round, provider TEXT NOT NULL, token TEXT NOT NULL, worst REAL NOT NULL,
  state TEXT NOT NULL, batch TEXT NOT NULL, clue TEXT NOT NULL, at TEXT NOT NULL
);
"""
FETCHED = """
CREATE TABLE IF NOT EXISTS fetched (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, about TEXT NOT NULL, body BLOB NOT NULL);
"""
ASIDE = """
CREATE TABLE IF NOT EXISTS aside (
  id INTEGER PRIMARY KEY, key TEXT NOT NULL, request TEXT NOT NULL, why TEXT NOT NULL, body TEXT NOT NULL, size INTEGER NOT NULL,
  at TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS aside_of_key ON aside (key);
"""
LATER = MONEY + SUBMISSION + FETCHED + ASIDE


def connect(path: Path) -> apsw.Connection:
    """A connection that writes; the file is made where there is none, and brought to the present format.

    Raises UsageError for a file that is not a ledger or was made by a newer version, LedgerDamaged, and LedgerBroken.
    """
    connection = None
    try:
        connection = apsw.Connection(str(path))
        connection.set_busy_timeout(BUSY_MILLISECONDS)
        _prepare(connection, path)
    except UNREADABLE as error:
        raise failure(path, error) from error
    except UsageError:
        if connection is not None:
            connection.close()
        raise
    return connection


def look(path: Path) -> apsw.Connection:
    """A connection that reads alone. Raises as `connect`."""
    try:
        return _presentable(_look(path), path)
    except UNREADABLE as error:
        raise failure(path, error) from error


def all_keys(connection: apsw.Connection, path: Path) -> set[str]:
    """The keys of all entries. Raises LedgerDamaged."""
    try:
        return {str(key) for (key,) in connection.execute("SELECT key FROM entry")}
    except UNREADABLE as error:
        raise failure(path, error) from error


def failure(path: Path, cause: Exception) -> UsageError | LedgerBroken:
    """What a person is told of an error of SQLite, or of something that stands in the file and is no ledger's."""
    is_no_ledger = isinstance(cause, apsw.NotADBError) and path.is_file() and path.stat().st_size % PAGE_SIZE != 0
    if isinstance(cause, apsw.CantOpenError) or is_no_ledger:
        return UsageError(f"the ledger cannot be opened: {cause}", where=str(path), next="move the file away, or restore a copy")
    if isinstance(cause, DAMAGED) or not isinstance(cause, apsw.Error):
        return LedgerDamaged(f"the ledger is damaged: {cause}", where=str(path), next=RESCUE)
    reason = {apsw.FullError: "the disk is full", apsw.IOError: "the disk reports an error"}.get(type(cause), str(cause))
    return LedgerBroken(
        f"the ledger cannot be written: {reason}",
        where=str(path),
        next="make room on the disk and run the same command again; every answer kept so far is safe",
    )


def _prepare(connection: apsw.Connection, path: Path) -> None:
    """Refuse what is no ledger of this version, and make a new file into one. Raises UsageError, apsw.Error."""
    empty = _checked(connection, path)
    connection.pragma("journal_mode", "wal")
    connection.pragma("synchronous", "full")
    if empty:
        _create(connection)
        return
    if connection.execute("SELECT count(*) FROM sqlite_schema WHERE name IN ('money', 'submission', 'fetched', 'aside')").get < 4:
        with connection:
            connection.execute(LATER)
    if connection.pragma("user_version") < SCHEMA_VERSION:
        _upgrade(connection, path)


def _checked(connection: apsw.Connection, path: Path) -> bool:
    """Whether there is nothing in it yet. Raises UsageError for what is no ledger, or a newer one."""
    application, version = connection.pragma("application_id"), connection.pragma("user_version")
    empty = not connection.execute("SELECT count(*) FROM sqlite_schema").get
    if not empty and application != APPLICATION_ID:
        fix = "move the file away; if it was a ledger: finetune-prep ledger rescue"
        raise UsageError("this SQLite file is not a ledger of finetune-prep", where=str(path), next=fix)
    if version > SCHEMA_VERSION:
        raise UsageError(
            f"this ledger was written by a newer version (format {version}, this version reads {SCHEMA_VERSION})",
            where=str(path),
            next="update finetune-prep: a newer version wrote it",
        )
    return empty


def _upgrade(connection: apsw.Connection, path: Path) -> None:
    """Bring a ledger of an earlier version to this one, all of it or nothing; another process may have done so meanwhile.

    Raises LedgerDamaged for a row that cannot be read.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        if connection.pragma("user_version") < SCHEMA_VERSION:
            upgrade(connection)
            connection.pragma("user_version", SCHEMA_VERSION)
    except BaseException as error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        if not isinstance(error, UNREADABLE):
            raise
        raise failure(path, error) from error
    connection.execute("COMMIT")


def _create(connection: apsw.Connection) -> None:
    with connection:
        connection.execute(TABLES + ENTRY + LATER + FORMER)
        connection.pragma("application_id", APPLICATION_ID)
        connection.pragma("user_version", SCHEMA_VERSION)


def _look(path: Path) -> apsw.Connection:
    """A connection to the file as it is."""
    if os.access(path, os.W_OK) and os.access(path.parent, os.W_OK):
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)  # so no file of SQLite's stays behind
        connection.set_busy_timeout(BUSY_MILLISECONDS)
        connection.pragma("query_only", 1)
        return connection
    try:
        return _read_only(path, "mode=ro")
    except (apsw.ReadOnlyError, apsw.CantOpenError):
        # nobody has it open, and SQLite may not put beside it what it needs to read along with others
        log = path.with_name(f"{path.name}-wal")
        if log.is_file() and log.stat().st_size:
            return _copied(path, log)
        return _read_only(path, "mode=ro&immutable=1")


def _read_only(path: Path, how: str) -> apsw.Connection:
    address = f"file:{quote(str(path.absolute()))}?{how}"
    connection = apsw.Connection(address, flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI)
    connection.set_busy_timeout(BUSY_MILLISECONDS)
    connection.pragma("schema_version")  # it is only now that SQLite looks into the file
    return connection


def _copied(path: Path, log: Path) -> apsw.Connection:
    """The file and what a killed process left beside it, read together in memory."""
    with tempfile.TemporaryDirectory() as folder:
        for file in (path, log):
            shutil.copy(file, folder)
        copy = apsw.Connection(str(Path(folder) / path.name))
        try:
            return _in_memory(copy)
        finally:
            copy.close()


def _presentable(connection: apsw.Connection, path: Path) -> apsw.Connection:
    """The same, or a copy in memory of the present format where the file is of an earlier one, or empty."""
    empty = _checked(connection, path)
    if not empty and connection.pragma("user_version") == SCHEMA_VERSION:
        return connection
    copy = _in_memory(connection)
    connection.close()
    _prepare(copy, path)
    return copy


def _in_memory(connection: apsw.Connection) -> apsw.Connection:
    copy = apsw.Connection(":memory:")
    backup = copy.backup("main", connection, "main")
    try:
        backup.step()
    finally:
        backup.finish()
    return copy
