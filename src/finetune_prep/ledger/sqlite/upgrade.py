"""Bringing a ledger that an earlier version wrote to the present format, once, when it is opened.

1   keys depended on the day on which a source was read; where a request came from was a label
2   keys depend on no day
3   where a request came from has columns
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import apsw
import msgspec

from finetune_prep.core.request import Origin, Request
from finetune_prep.documents.readings.items import undated
from finetune_prep.ledger.former import is_former, unpack_former, with_origin
from finetune_prep.ledger.packing import Packer

Write = Callable[[int, str, str], bool]  # id, key and packed request of a row → False where another row has the key

# Keys under which requests were sent that were renamed since: what comes back for them still bears the former key.
FORMER = "CREATE TABLE IF NOT EXISTS former (key TEXT PRIMARY KEY, present TEXT NOT NULL) WITHOUT ROWID;"
# `request` holds the origin, too; the columns are what is looked up by
ENTRY = """
CREATE TABLE entry (
  id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, run TEXT NOT NULL, scenario TEXT NOT NULL, turn INTEGER NOT NULL,
  attempt INTEGER NOT NULL, revision INTEGER NOT NULL, request TEXT NOT NULL, reply TEXT NOT NULL, spent REAL NOT NULL
);
CREATE INDEX entry_of_scenario ON entry (scenario) WHERE scenario != '';
"""
_READ = r"[-*+]\s+(?:\*\*|__)?read\b"  # in packed JSON, where a line end is two characters, as well


def columns(origin: Origin) -> tuple[str, str, int, int, int]:
    """What stands in the columns of an entry."""
    return origin.run, origin.scenario, origin.turn, origin.attempt, origin.revision


def upgrade(connection: apsw.Connection) -> None:
    """Bring all requests of a ledger to their present form. No transaction of its own.

    Of two that had differed by the day only, the first answer counts from now on; the other stays, as what was paid for, under
    the key it has.
    """
    connection.execute(FORMER)
    _Upgrade(connection).run()


class _Upgrade:
    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        bodies = connection.execute("SELECT name, body FROM text WHERE body LIKE '%read%'")
        dated = [str(name) for name, body in bodies if undated(str(body)) != body]
        self._dated = re.compile("|".join([_READ, *dated]), re.IGNORECASE)

    def run(self) -> None:
        """Entries into a table of the present form, and what was asked in rounds in its place."""
        self._connection.execute("ALTER TABLE entry RENAME TO former_entry")
        self._connection.execute(ENTRY)
        for id, key, request in self._rows("former_entry"):
            self._write(self._insert, id, key, request)
        self._connection.execute("DROP TABLE former_entry")
        for id, key, request in self._rows("asked"):
            self._write(self._update, id, key, request)

    def _rows(self, table: str) -> Iterator[tuple[int, str, str]]:
        yield from self._connection.execute(f"SELECT id, key, request FROM {table} ORDER BY id")  # noqa: S608

    def _write(self, write: Write, id: int, key: str, request: str) -> None:
        packed = msgspec.json.decode(request)
        if not is_former(packed):
            write(id, key, request)
            return
        if self._dated.search(request):
            today = unpack_former(packed, self._text)[1]
            if today.key != key and write(id, today.key, self._packed(today)):
                self._connection.execute("INSERT OR IGNORE INTO former VALUES (?, ?)", (key, today.key))
                return
        write(id, key, msgspec.json.encode(with_origin(packed)).decode())

    def _insert(self, id: int, key: str, request: str) -> bool:
        origin = msgspec.json.decode(request, type=_HasOrigin).origin
        self._connection.execute(
            "INSERT OR IGNORE INTO entry SELECT id, ?, ?, ?, ?, ?, ?, ?, reply, spent FROM former_entry WHERE id = ?",
            (key, *columns(origin), request, id),
        )
        return self._connection.changes() > 0

    def _update(self, id: int, key: str, request: str) -> bool:
        self._connection.execute("UPDATE OR IGNORE asked SET key = ?, request = ? WHERE id = ?", (key, request, id))
        return self._connection.changes() > 0

    def _packed(self, request: Request) -> str:
        packer = Packer()
        packed = msgspec.json.encode(packer.request(request)).decode()
        self._connection.executemany("INSERT OR IGNORE INTO text (name, body) VALUES (?, ?)", [*packer.texts.items()])
        return packed

    def _text(self, name: str) -> str:
        return str(self._connection.execute("SELECT body FROM text WHERE name = ?", (name,)).get)


class _HasOrigin(msgspec.Struct):
    origin: Origin = Origin()
