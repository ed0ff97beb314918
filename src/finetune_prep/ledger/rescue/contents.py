"""What stands in the rows of a ledger, looked through one by one on the way from a damaged file to a fresh one."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import apsw
import msgspec

from finetune_prep.core.request import Request
from finetune_prep.ledger.fetched import Fetched
from finetune_prep.ledger.former import is_former, unpack_former
from finetune_prep.ledger.packing import Packer, text_name, unpack_reply, unpack_request
from finetune_prep.ledger.rescue.salvage import Row, Table
from finetune_prep.ledger.sqlite.connection import UNREADABLE
from finetune_prep.ledger.sqlite.upgrade import columns
from finetune_prep.ledger.submissions import Submission

ENTRY = "INSERT OR IGNORE INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
HINT = re.compile(rb'"(?:phase|role|about|item|run|scenario)":"([^"\\]{1,60})"')
SHOWN = 12  # characters of a key


class Lost(msgspec.Struct, frozen=True, kw_only=True):
    """A row that cannot be read."""

    what: str
    """"answer", "question of a batch", "page" …"""
    id: int
    key: str
    """"" where it is not known."""
    about: str
    """What it was, as far as that can still be read."""
    why: str


class Contents:
    """Rows that were saved into `to`, counted by what they are, and those that were lost. notes: what else is not as it was."""

    def __init__(self, to: apsw.Connection) -> None:
        self._to = to
        self.saved: dict[str, int] = {}
        self.lost: list[Lost] = []
        self.notes: list[str] = []

    @property
    def empty(self) -> bool:
        return not any(self.saved.values())

    def take(self, damaged: apsw.Connection) -> None:
        """All tables. Shared texts come first, since the others refer to them. Raises apsw.Error where SQLite opens none."""
        damaged.execute("SELECT count(*) FROM sqlite_schema").fetchall()
        self._table(damaged, "text", ("name", "body"), "shared text", self._text_row, key="name", counted=False)
        self._table(damaged, "entry", ("key", "request", "reply", "spent"), "answer", self._entry, key="key")
        self._table(damaged, "round", ("written",), "round", self._round)
        asked = ("round", "key", "request", "released")
        self._table(damaged, "asked", asked, "question of a batch", self._asked, key="key")
        submission = ("provider", "token", "worst", "state", "batch", "clue", "at")
        self._table(damaged, "submission", submission, "batch at a provider", self._submission)
        self._table(damaged, "fetched", ("key", "about", "body"), "search or page", self._fetched, key="key")
        aside = ("key", "request", "why", "body", "size", "at")
        self._table(damaged, "aside", aside, "body that was no answer", self._aside)
        self._money(damaged)
        self._former(damaged)

    def _table(
        self,
        damaged: apsw.Connection,
        name: str,
        of: Sequence[str],
        what: str,
        save: Callable[[Row], None],
        *,
        key: str = "",
        counted: bool = True,
    ) -> None:
        if not self._is_there(damaged, name):
            return
        table = Table(damaged, name, of, key=key)
        count = 0
        for row in table.rows():
            try:
                save(row)
                count += 1
            except UNREADABLE as error:
                self._lose(what, row, table.keys.get(int(row[0]), ""), str(error))
        for id in table.lost:
            self._lose(what, (id,), table.keys.get(id, ""), "SQLite cannot read it")
        if table.broken and not table.lost:
            self.notes.append(f"the table {name} is damaged; nothing tells how many rows it had, or all of them were saved")
        if counted and count:
            self.saved[what] = count

    def _is_there(self, damaged: apsw.Connection, name: str) -> bool:
        """Whether the file knows such a table; an earlier version may not have made it."""
        try:
            damaged.execute(f"SELECT count(*) FROM (SELECT 1 FROM {name} LIMIT 0)")  # noqa: S608
        except apsw.SQLError as error:
            if name in ("text", "entry", "round", "asked"):
                self.notes.append(f"the table {name} is gone: {error}")
            return False
        except UNREADABLE:
            return True  # its rows will tell
        return True

    def _lose(self, what: str, row: Row, key: str, why: str) -> None:
        seen = b" ".join(value for value in row[1:] if isinstance(value, bytes)).partition(b'"messages"')[0]
        hints = [found.decode("utf-8", "replace") for found in dict.fromkeys(HINT.findall(seen))]
        self.lost.append(Lost(what=what, id=int(row[0]), key=key[:SHOWN], about=" · ".join(hints), why=why[:200]))

    # rows, table by table; each raises ValueError or TypeError for what is not what it should be

    def _text_row(self, row: Row) -> None:
        _, name, body = row
        text = _text(body)
        if text_name(text) != _text(name):
            raise ValueError("it is not the text of its name any more")
        self._to.execute("INSERT OR IGNORE INTO text (name, body) VALUES (?, ?)", (text_name(text), text))

    def _entry(self, row: Row) -> None:
        id, key, request, reply, spent = row
        asked, present, packed = self._request(request, _text(key))
        unpack_reply(msgspec.json.decode(reply), self._body)
        values = (id, present.key, *columns(present.origin), packed, _text(reply), float(spent))
        self._to.execute(ENTRY, values)
        if not self._to.changes():  # two that had differed by the day alone: the first one counts, the other stays under its key
            self._to.execute(ENTRY, (id, asked.key, *columns(asked.origin), self._packed(asked), _text(reply), float(spent)))
        if present.key != asked.key:
            self._to.execute("INSERT OR IGNORE INTO former VALUES (?, ?)", (asked.key, present.key))

    def _round(self, row: Row) -> None:
        number, written = row
        self._to.execute("INSERT OR REPLACE INTO round VALUES (?, ?)", (number, int(written)))

    def _asked(self, row: Row) -> None:
        id, round, key, request, released = row
        _, present, packed = self._request(request, _text(key))
        self._to.execute("INSERT OR IGNORE INTO round VALUES (?, 1)", (int(round),))  # its own row may be lost
        values = (id, int(round), present.key, packed, int(released))
        self._to.execute("INSERT OR IGNORE INTO asked VALUES (?, ?, ?, ?, ?)", values)

    def _submission(self, row: Row) -> None:
        number, provider, token, worst, state, batch, clue, at = row
        texts = {"provider": provider, "token": token, "state": state, "batch": batch, "clue": clue, "at": at}
        fields = {name: _text(value) for name, value in texts.items()}
        found = msgspec.convert({"number": number, "worst": float(worst), **fields}, Submission)
        self._to.execute("INSERT OR IGNORE INTO round VALUES (?, 1)", (number,))
        self._to.execute("INSERT INTO submission VALUES (?, ?, ?, ?, ?, ?, ?, ?)", msgspec.structs.astuple(found))

    def _fetched(self, row: Row) -> None:
        id, key, about, body = row
        found = msgspec.json.decode(about, type=Fetched)
        if found.key != _text(key):
            raise ValueError("its key is not that of what was asked")
        self._to.execute("INSERT INTO fetched VALUES (?, ?, ?, ?)", (id, found.key, _text(about), bytes(body)))

    def _aside(self, row: Row) -> None:
        id, key, request, why, body, size, at = row
        self._request(request, _text(key))
        values = (id, _text(key), _text(request), _text(why), _text(body), int(size), _text(at))
        self._to.execute("INSERT INTO aside VALUES (?, ?, ?, ?, ?, ?, ?)", values)

    def _money(self, damaged: apsw.Connection) -> None:
        try:
            held, lost = damaged.execute("SELECT held, lost FROM money").fetchall()[0]
            self._to.execute("UPDATE money SET held = ?, lost = ?", (float(held), float(lost)))  # type: ignore[arg-type]
        except (*UNREADABLE, IndexError):
            if not self.empty:
                self.notes.append("what was spent on calls without an answer is not known any more: the sum spent may be too low")

    def _former(self, damaged: apsw.Connection) -> None:
        """Keys under which requests were sent that were renamed since: only what is still to come back needs them."""
        try:
            rows: list[Any] = damaged.execute("SELECT key, present FROM former").fetchall()
            self._to.executemany("INSERT OR IGNORE INTO former VALUES (?, ?)", [(str(key), str(now)) for key, now in rows])
        except apsw.SQLError:
            return  # an earlier version had no such table
        except UNREADABLE as error:
            self.notes.append(f"former keys of requests are lost ({error})")

    def _request(self, packed: bytes, key: str) -> tuple[Request, Request, str]:
        """A request as it was asked, as it would be today, and how that is written down."""
        value = msgspec.json.decode(packed)
        former = is_former(value)
        asked, present = unpack_former(value, self._body) if former else (unpack_request(value, self._body),) * 2
        if asked.key != key:
            raise ValueError("its key is not that of the request that stands there")
        return asked, present, self._packed(present) if former else _text(packed)

    def _body(self, name: str) -> str:
        """A shared text that was saved."""
        row = self._to.execute("SELECT body FROM text WHERE name = ?", (name,)).fetchone()
        if row is None:
            raise ValueError(f"the shared text {name[:SHOWN]} is lost")
        return str(row[0])

    def _packed(self, request: Request) -> str:
        packer = Packer()
        packed = msgspec.json.encode(packer.request(request)).decode()
        self._to.executemany("INSERT OR IGNORE INTO text (name, body) VALUES (?, ?)", [*packer.texts.items()])
        return packed


def _text(value: Any) -> str:
    """Bytes of a column that holds text."""
    if not isinstance(value, bytes):
        raise TypeError("a column is empty")
    return value.decode()
