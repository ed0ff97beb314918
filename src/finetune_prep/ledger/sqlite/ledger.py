"""The ledger as one SQLite file. Opened by `ledger.opening` alone."""

from __future__ import annotations

from pathlib import Path

from finetune_prep.ledger.sqlite.answers import SqliteAnswers
from finetune_prep.ledger.sqlite.archive import SqliteArchive
from finetune_prep.ledger.sqlite.connection import all_keys, connect, look
from finetune_prep.ledger.sqlite.money import SqliteMoney
from finetune_prep.ledger.sqlite.reader import Reader
from finetune_prep.ledger.sqlite.reports import SqliteReports
from finetune_prep.ledger.sqlite.rounds import SqliteRounds
from finetune_prep.ledger.sqlite.writer import LookedAt, Writer


class SqliteLedger:
    """A `Ledger` in one file. One process at a time writes it (the project's lock sees to that); any number look at it."""

    def __init__(self, path: Path, *, look_only: bool = False) -> None:
        """Open or create; look_only: only to read what is there, with no right to write and no file made.

        Raises UsageError for a file that is not a ledger or was made by a newer version, LedgerDamaged, and LedgerBroken.
        """
        self.path = path
        keys: set[str] | None = None
        if look_only:
            self._reader = Reader(path, look(path))
            self._writer: Writer = LookedAt(path)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            connection = connect(path)
            keys = all_keys(connection, path)
            self._reader = Reader(path, connection)
            self._writer = Writer(path, connect(path), keys)
        self.answers = SqliteAnswers(self._reader, self._writer, keys)
        self.money = SqliteMoney(self._reader, self._writer)
        self.rounds = SqliteRounds(self._reader, self._writer)
        self.reports = SqliteReports(self._reader)
        self.fetched = SqliteArchive(self._reader, self._writer)

    def close(self) -> None:
        """Finish what was handed over, then close the file."""
        self._writer.close()
        self._reader.close()
