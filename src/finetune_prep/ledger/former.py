"""Requests as earlier versions wrote them, brought to the form in which they are asked today.

Up to format 2 of a recording and format 1 of a ledger, a prompt that held a reference held the days on which its sources were
read, too, and so did its key. The answer is to the reference and not to the day: such a request is taken for the one without.
"""

from __future__ import annotations

import re

import apsw
import msgspec

from finetune_prep.core.request import Request
from finetune_prep.documents.items import undated
from finetune_prep.ledger.packing import Packer, unpack_request

# Keys under which requests were sent that were renamed since: what comes back for them still bears the former key.
FORMER = "CREATE TABLE IF NOT EXISTS former (key TEXT PRIMARY KEY, present TEXT NOT NULL) WITHOUT ROWID;"
_READ = r"[-*+]\s+(?:\*\*|__)?read\b"  # in packed JSON, where a line end is two characters, as well


def present(request: Request) -> Request:
    """The request as it would be asked today; itself if that is no other."""
    contents = [undated(message.content) for message in request.messages]
    if all(new == message.content for new, message in zip(contents, request.messages, strict=True)):
        return request
    messages = tuple(
        msgspec.structs.replace(message, content=content) for message, content in zip(request.messages, contents, strict=True)
    )
    return msgspec.structs.replace(request, messages=messages)


def rename(connection: apsw.Connection) -> None:
    """Bring all requests of a ledger to their present form and key. No transaction of its own.

    Where two had differed by the day only, the first answer counts from now on; the other stays, as what was paid for, under the
    key it has.
    """
    connection.execute(FORMER)
    bodies = {str(name): str(body) for name, body in connection.execute("SELECT name, body FROM text WHERE body LIKE '%read%'")}
    dated = [name for name, body in bodies.items() if undated(body) != body]
    concerned = re.compile("|".join([_READ, *dated]), re.IGNORECASE)
    for table in ("entry", "asked"):
        _rename_in(connection, table, concerned)


def _rename_in(connection: apsw.Connection, table: str, concerned: re.Pattern[str]) -> None:
    def text_of(name: str) -> str:
        return str(connection.execute("SELECT body FROM text WHERE name = ?", (name,)).get)

    rows = connection.execute(f"SELECT id, key, request FROM {table} ORDER BY id")  # noqa: S608 – one of two names
    for id, key, packed in [row for row in rows if concerned.search(str(row[2]))]:
        request = present(unpack_request(msgspec.json.decode(str(packed)), text_of))
        if request.key == key:
            continue
        packer = Packer()
        written = msgspec.json.encode(packer.request(request)).decode()
        connection.executemany("INSERT OR IGNORE INTO text (name, body) VALUES (?, ?)", [*packer.texts.items()])
        connection.execute(
            f"UPDATE OR IGNORE {table} SET key = ?, request = ? WHERE id = ?",  # noqa: S608
            (request.key, written, id),
        )
        connection.execute("INSERT OR IGNORE INTO former VALUES (?, ?)", (key, request.key))
