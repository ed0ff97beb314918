"""Reading the tables of a damaged SQLite file: as many rows as SQLite can give, and which ones it cannot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import apsw

from finetune_prep.ledger.sqlite.connection import UNREADABLE

ROWS_AT_ONCE = 1000
SMALLEST_ROW = 8  # bytes: where no index says how many rows there were, a file holds no more than its size allows
NUMBERS = {"spent", "written", "round", "released", "worst", "size"}  # columns that hold no text
SIGNS = "0123456789abcdef"  # of which keys are made
DEEPEST = 5  # signs of a key by which a damaged index is searched
MOST_FAILURES = 50_000  # statements that may fail before the rest of a table is given up
MOST_FAILURES_OF_KEYS = 2_000

Row = Sequence[Any]


class Table:
    """One table of a damaged file. Texts come as bytes: one that is no text would spoil the whole statement.

    keys: id → key, as far as the index of keys tells it. broken: whether anything in the table cannot be read.
    """

    def __init__(self, connection: apsw.Connection, name: str, columns: Sequence[str], *, key: str = "") -> None:
        self._connection = connection
        self._name = name
        self._key = key
        self._columns = ", ".join(column if column in NUMBERS else f"CAST({column} AS BLOB)" for column in columns)
        self._unread: list[int] = []
        self._failures = self._failures_of_keys = 0
        self._complete = bool(key)  # the index has told all keys there are
        self._highest = 0
        self.keys: dict[int, str] = {}

    def rows(self) -> Iterator[Row]:
        """Rows that can be read, by id; each begins with its id."""
        if self._key:
            self._read_keys("", 0)
        last = self._last()
        for low in range(1, last + 1, ROWS_AT_ONCE):
            for row in self._all_of(low, min(last, low + ROWS_AT_ONCE - 1)):
                self._highest = int(row[0])
                yield row

    def _all_of(self, low: int, high: int) -> list[Row]:
        """Rows of a range. A page that tells a wrong id ends a walk along the table without an error: each that is still missing,
        and may be there, is looked for by itself."""
        found = {int(row[0]): row for row in self._between(low, high)}
        if found or any(id in self.keys for id in range(low, high + 1)):
            tried = set(self._unread)
            for id in range(low, high + 1):
                if id not in found and id not in tried and (id in self.keys or not self._complete):
                    found |= {int(row[0]): row for row in self._between(id, id)}
                    if id not in found and id in self.keys:
                        self._unread.append(id)
        return [found[id] for id in sorted(found)]

    @property
    def lost(self) -> list[int]:
        """Ids of rows that were there and cannot be read, as far as anything tells that they were."""
        return [id for id in self._unread if id in self.keys or (not self._complete and id < self._highest)]

    @property
    def broken(self) -> bool:
        return bool(self._failures or self._failures_of_keys)

    def _between(self, low: int, high: int) -> Iterator[Row]:
        """Rows of a range of ids; where it fails, of its halves, down to the single row."""
        if self._failures > MOST_FAILURES:
            return
        # of a single row there is no next one to look at, which may stand in a damaged page
        which = "rowid = ?1" if low == high else "rowid BETWEEN ?1 AND ?2"
        query = f"SELECT rowid, {self._columns} FROM {self._name} NOT INDEXED WHERE {which}"  # noqa: S608
        try:
            found = self._connection.execute(query, (low, high)[: 1 + (low < high)]).fetchall()
        except UNREADABLE:
            self._failures += 1
            if low == high:
                self._unread.append(low)
                return
            middle = (low + high) // 2
            yield from self._between(low, middle)
            yield from self._between(middle + 1, high)
            return
        yield from found

    def _read_keys(self, start: str, depth: int) -> None:
        """Ids and keys from the index of keys alone, which stands in pages of its own."""
        query = (
            f"SELECT rowid, {self._key} FROM {self._name} INDEXED BY sqlite_autoindex_{self._name}_1 "  # noqa: S608
            f"WHERE {self._key} >= ? AND {self._key} < ?"
        )
        try:
            found: list[Any] = self._connection.execute(query, (start, f"{start}g")).fetchall()
            self.keys.update((int(id), str(key)) for id, key in found)
        except UNREADABLE:
            self._failures_of_keys += 1
            if depth == DEEPEST or self._failures_of_keys > MOST_FAILURES_OF_KEYS:
                self._complete = False
                return
            for sign in SIGNS:
                self._read_keys(start + sign, depth + 1)

    def _last(self) -> int:
        """The highest id there may be."""
        known = max(self.keys, default=0)
        try:
            most = int(self._connection.pragma("page_count")) * int(self._connection.pragma("page_size")) // SMALLEST_ROW
        except UNREADABLE:
            return known
        try:
            last = self._connection.execute(f"SELECT max(rowid) FROM {self._name} NOT INDEXED").get  # noqa: S608
            return max(known, min(int(last or 0), most))  # a damaged page may tell any number
        except UNREADABLE:
            self._failures += 1
            return known if self._complete else max(known, most)
