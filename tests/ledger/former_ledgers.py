"""Ledgers and recordings as earlier versions wrote them: their tables and their JSON, frozen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import apsw
import msgspec

from finetune_prep.core.request import Reply, Request
from finetune_prep.ledger.packing import Packer, RepeatedTexts
from finetune_prep.ledger.submissions import Submission

APPLICATION_ID = 0x46547031
TABLES = """
CREATE TABLE text (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, body TEXT NOT NULL);
CREATE TABLE entry (
  id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, request TEXT NOT NULL, reply TEXT NOT NULL, spent REAL NOT NULL
);
CREATE TABLE round (number INTEGER PRIMARY KEY, written INTEGER NOT NULL DEFAULT 0);
CREATE TABLE asked (
  id INTEGER PRIMARY KEY, round INTEGER NOT NULL REFERENCES round, key TEXT NOT NULL, request TEXT NOT NULL,
  released INTEGER NOT NULL DEFAULT 0, UNIQUE (key, round)
);
CREATE TABLE money (id INTEGER PRIMARY KEY CHECK (id = 1), held REAL NOT NULL, lost REAL NOT NULL);
INSERT INTO money VALUES (1, 0, 0);
CREATE TABLE submission (
  number INTEGER PRIMARY KEY REFERENCES round, provider TEXT NOT NULL, token TEXT NOT NULL, worst REAL NOT NULL,
  state TEXT NOT NULL, batch TEXT NOT NULL, clue TEXT NOT NULL, at TEXT NOT NULL
);
CREATE TABLE fetched (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, about TEXT NOT NULL, body BLOB NOT NULL);
"""
FORMER = "CREATE TABLE former (key TEXT PRIMARY KEY, present TEXT NOT NULL) WITHOUT ROWID;"


class Row(NamedTuple):
    """An answer as it was kept: with a label. spent: US dollars."""

    request: Request
    label: str
    reply: Reply
    spent: float = 0.0


def packed(packer: Packer, request: Request, label: str) -> dict[str, Any]:
    """The request as it was packed: with the label in the place of an origin."""
    found: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(packer.request(request)))
    return {"role": found["role"], "phase": found["phase"], "about": label} | {
        name: value for name, value in found.items() if name not in ("role", "phase", "origin")
    }


def write_former_ledger(
    path: Path,
    rows: Sequence[Row] = (),
    *,
    version: int = 1,
    asked: Sequence[tuple[Request, str]] = (),
    submission: Submission | None = None,
) -> None:
    """A ledger of format 1 or 2. asked: requests with their labels that wait in round 1."""
    packer = RepeatedTexts()
    with apsw.Connection(str(path)) as connection:
        connection.execute(TABLES + (FORMER if version == 2 else ""))
        connection.pragma("application_id", APPLICATION_ID)
        connection.pragma("user_version", version)
        for row in rows:
            request, reply = (
                msgspec.json.encode(packed(packer, row.request, row.label)),
                msgspec.json.encode(packer.reply(row.reply)),
            )
            connection.execute(
                "INSERT INTO entry (key, request, reply, spent) VALUES (?, ?, ?, ?)",
                (row.request.key, request.decode(), reply.decode(), row.spent),
            )
        if asked:
            connection.execute("INSERT INTO round VALUES (1, 1)")
        for request, label in asked:
            text = msgspec.json.encode(packed(packer, request, label)).decode()
            connection.execute("INSERT INTO asked (round, key, request) VALUES (1, ?, ?)", (request.key, text))
        if submission is not None:
            values = msgspec.structs.astuple(msgspec.structs.replace(submission, number=1))
            connection.execute("INSERT INTO submission VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)
        connection.executemany("INSERT INTO text (name, body) VALUES (?, ?)", [*packer.take_texts().items()])


def write_former_recording(path: Path, rows: Sequence[Row], *, version: int = 1) -> None:
    """A recording of format 1 or 2."""
    packer = Packer()
    lines = [
        {"key": row.request.key, "request": packed(packer, row.request, row.label), "reply": packer.reply(row.reply)}
        for row in rows
    ]
    texts = [{"text": name, "body": body} for name, body in packer.texts.items()]
    path.write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in [{"recording": version}, *texts, *lines]))
