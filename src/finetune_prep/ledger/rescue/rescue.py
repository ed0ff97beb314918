"""`ledger rescue`: a new ledger with all that the damaged one still gives. The damaged file stays, under another name."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import apsw
import msgspec

from finetune_prep.errors import LedgerDamaged, UsageError
from finetune_prep.ledger.rescue.contents import Contents, Lost
from finetune_prep.ledger.sqlite.connection import UNREADABLE, connect

_FOUND_BY = "SELECT id, key, run, scenario, turn, attempt, revision FROM"
DIFFERENCES = f"SELECT count(*) FROM ({_FOUND_BY} main.entry EXCEPT {_FOUND_BY} fresh.entry)"  # noqa: S608


class Rescued(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a damaged ledger."""

    sound: bool
    """Whether there was nothing to rescue: the file is whole, and stays as it is."""
    damaged: str
    """Where the damaged file lies now, "" if there is none."""
    saved: dict[str, int]
    """Rows by what they are: answers, pages, rounds and so on."""
    lost: tuple[Lost, ...]
    """Rows that cannot be read, as far as they are known."""
    notes: tuple[str, ...] = ()
    """What else is not as it was."""
    written: str = ""
    """Where the new ledger lies, "" if there is none or it is in the place of the damaged one."""


def rescue(path: Path) -> Rescued:
    """Write a new ledger in the place of a damaged one. The project is locked.

    Raises UsageError where there is no ledger, and LedgerDamaged where nothing at all can be read; then nothing is changed.
    """
    if not path.is_file():
        raise UsageError("there is no ledger", where=str(path), next="finetune-prep status")
    kept, fresh = _free_name(path), path.with_name("ledger.rescued.sqlite")
    _delete(fresh)
    _copy(path, kept)
    contents = _saved(kept, fresh)
    if not contents.lost and not contents.notes and _is_sound(path, fresh):
        _delete(kept, fresh)
        return Rescued(sound=True, damaged="", saved=contents.saved, lost=())
    if contents.empty:
        _delete(kept, fresh)
        raise LedgerDamaged(
            "nothing in this ledger can be read any more",
            where=str(path),
            next="put back a copy of .finetune-prep, or move the file away and take in a recording: finetune-prep ledger import",
        )
    _put_in_place(fresh, path)
    return Rescued(sound=False, damaged=str(kept), saved=contents.saved, lost=tuple(contents.lost), notes=tuple(contents.notes))


def rescue_beside(path: Path) -> Rescued:
    """Write what can be read of a damaged ledger, such as a copy, to a new one beside it; the damaged file stays as it is.

    Raises UsageError where there is no such file, or the new one is there already, and LedgerDamaged where nothing can be read.
    """
    fresh, copy = path.with_name(f"{path.stem}.rescued.sqlite"), path.with_name(f"{path.name}.read")
    if not path.is_file():
        raise UsageError(
            "there is no such file", where=str(path), next="finetune-prep ledger rescue, for the project's own ledger"
        )
    if fresh.exists():
        raise UsageError("this file is there already", where=str(fresh), next="move it away, and run the same command again")
    try:
        _copy(path, copy)
        contents = _saved(copy, fresh)
        sound = not contents.lost and not contents.notes and _is_sound(copy, fresh)
    finally:
        _delete(copy)
    if sound or contents.empty:
        _delete(fresh)
    if contents.empty and not sound:
        raise LedgerDamaged("nothing in this file can be read any more", where=str(path), next="look for another copy of it")
    return Rescued(
        sound=sound,
        damaged="" if sound else str(path),
        saved=contents.saved,
        lost=tuple(contents.lost),
        notes=tuple(contents.notes),
        written="" if sound else str(fresh),
    )


def _saved(damaged: Path, fresh: Path) -> Contents:
    """All that can be read of the damaged file, written to a fresh one."""
    to = connect(fresh)
    contents = Contents(to)
    try:
        to.execute("BEGIN")
        with _reading(damaged) as connection:
            contents.take(connection)
    except UNREADABLE as error:  # the file cannot even be opened; what was saved until then is kept
        contents.notes.append(f"reading it ended with: {error}")
    finally:
        to.execute("COMMIT")
        to.close()
    return contents


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[apsw.Connection]:
    """A connection that reads what it can and changes nothing, the log beside the file included."""
    connection = apsw.Connection(str(path))
    try:
        connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        for name, value in (("writable_schema", 1), ("query_only", 1)):  # a damaged schema hides no table that is whole
            with contextlib.suppress(*UNREADABLE):
                connection.pragma(name, value)
        yield connection
    finally:
        with contextlib.suppress(apsw.Error):
            connection.close()
        _beside(path, "-shm").unlink(missing_ok=True)


def _is_sound(path: Path, fresh: Path) -> bool:
    """Whether SQLite finds nothing wrong with the file itself, and has what answers are looked up by as the fresh one has it."""
    try:
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
        try:
            if connection.pragma("integrity_check") != "ok":
                return False
            connection.execute("ATTACH ? AS fresh", (str(fresh),))
            with contextlib.suppress(apsw.SQLError):  # an earlier version had no such columns
                return not connection.execute(DIFFERENCES).get
            return True
        finally:
            connection.close()
    except UNREADABLE:
        return False


def _free_name(path: Path) -> Path:
    number = 1
    while (found := path.with_name(f"ledger.damaged-{number}.sqlite")).exists():
        number += 1
    return found


def _copy(path: Path, to: Path) -> None:
    """The file and its log, on disk before anything else happens."""
    for ending in ("", "-wal"):
        source = _beside(path, ending)
        if source.is_file():
            copy = _beside(to, ending)
            shutil.copy2(source, copy)
            with copy.open("rb") as file:
                os.fsync(file.fileno())


def _put_in_place(fresh: Path, path: Path) -> None:
    """The log of the damaged file, of which there is a copy, goes first: SQLite would apply it to the new one."""
    for ending in ("-wal", "-shm"):
        _beside(path, ending).unlink(missing_ok=True)
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _delete(*paths: Path) -> None:
    """Copies of our own making."""
    for path in paths:
        for ending in ("", "-wal", "-shm"):
            _beside(path, ending).unlink(missing_ok=True)


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)
