"""A ledger with something of everything, ways to damage its file, and what SQLite alone can still read of it."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections.abc import Callable
from pathlib import Path

from finetune_prep.core.conversation import Message
from finetune_prep.core.request import Origin
from finetune_prep.ledger.fetched import Fetched
from finetune_prep.ledger.protocols import Aside
from finetune_prep.ledger.sqlite.ledger import SqliteLedger
from finetune_prep.ledger.submissions import Submission
from tests.models.examples import entry, request

ANSWERS = 190
PROMPT = "Say what went wrong before you say sorry. " * 20
Damage = Callable[[Path], None]


def filled(path: Path) -> Path:
    """A ledger as a project has it after a pilot: long answers, a shared prompt, rounds, a batch, pages, a body that was none."""
    asyncio.run(_fill(path))
    return path


async def _fill(path: Path) -> None:
    ledger = SqliteLedger(path)
    for n in range(ANSWERS):
        messages = (Message("system", PROMPT), Message("user", f"Question {n}: {'word ' * (n % 400)}"))
        origin = Origin(run="pilot-001", scenario=f"{n // 4:012x}", turn=1)
        await ledger.answers.put(
            entry(f"{n}", f"Answer {n}. {'and so on ' * (n * 7 % 300)}", messages=messages, origin=origin), spent=0.1
        )
    number = await ledger.rounds.open([request(f"batch {n}") for n in range(20)])
    await ledger.rounds.mark_written(number)
    submission = Submission(number=0, provider="openai-batch", token="t", worst=0.5, state="sent", batch="b1")
    await ledger.rounds.open([request(f"api {n}") for n in range(5)], submission)
    pages = [Fetched(kind="page", asked=(f"https://larch.example/{n}",), body=b"page " * (n * 500)) for n in range(8)]
    await ledger.fetched.keep(pages)
    await ledger.answers.put_aside(Aside.of(request("odd"), "HTTP 200 with a page", "<html>", at="2026-11-20T10:00:00+00:00"))
    await ledger.money.lose(0.25)
    ledger.close()


def scratched(seed: int, size: int = 512) -> Damage:
    """Random bytes at a random place."""

    def damage(path: Path) -> None:
        chance = random.Random(seed)
        data = bytearray(path.read_bytes())
        start = chance.randrange(len(data) - size)
        data[start : start + size] = chance.randbytes(size)
        path.write_bytes(data)

    return damage


def zeroed(seed: int) -> Damage:
    """A page of zeros, any but the first."""

    def damage(path: Path) -> None:
        data = bytearray(path.read_bytes())
        page = random.Random(seed).randrange(1, len(data) // 4096)
        data[page * 4096 : (page + 1) * 4096] = bytes(4096)
        path.write_bytes(data)

    return damage


def truncated(share: float) -> Damage:
    def damage(path: Path) -> None:
        data = path.read_bytes()
        path.write_bytes(data[: int(len(data) * share)])

    return damage


def headless(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[:100] = bytes(100)
    path.write_bytes(data)


def said(statement: str) -> Damage:
    """A statement that puts into a row what no ledger writes."""

    def damage(path: Path) -> None:
        connection = sqlite3.connect(path)
        connection.execute("PRAGMA ignore_check_constraints = 1")
        connection.execute(statement)
        connection.commit()
        connection.close()

    return damage


ODD_ROWS: dict[str, Damage] = {
    "a reply that is no JSON": said("UPDATE entry SET reply = '{not json' WHERE id = (SELECT max(id) FROM entry)"),
    "a reply of another shape": said("UPDATE entry SET reply = '[]' WHERE id = 7"),
    "a reply with odd sums": said(
        """UPDATE entry SET reply = '{"text":"a","usage":{"input":"many","output":[]}}' WHERE id = 7"""
    ),
    "a request that is no JSON": said("UPDATE entry SET request = x'fffefd' WHERE id = 9"),
    "a request under another key": said("UPDATE entry SET key = 'f00f' WHERE id = 9"),
    "no text in a column": said("UPDATE entry SET run = x'ff' WHERE id = 3"),
    "a lost text": said("DELETE FROM text WHERE id = 1"),
    "a damaged page": said("UPDATE fetched SET about = '{' WHERE id = 2"),
    "a damaged batch": said("UPDATE submission SET state = 'tired'"),
    "an odd batch": said("UPDATE submission SET worst = 'much'"),
    "a damaged question of a batch": said("UPDATE asked SET request = 'x' WHERE id = 3"),
    "an odd round": said("UPDATE round SET written = 'x'"),
    "odd money": said("UPDATE money SET held = 'x', lost = x'ff'"),
    "a damaged body": said("UPDATE aside SET body = x'ff'"),
    "a column of another kind": said("UPDATE entry SET spent = 'x' WHERE id = 5"),
}


def readable(path: Path) -> set[int]:
    """Ids of answers that SQLite, by itself and row by row, still gives as text."""
    connection = sqlite3.connect(path)
    found = set()
    for id in range(1, ANSWERS + 1):
        try:
            rows = connection.execute("SELECT key, request, reply FROM entry NOT INDEXED WHERE id = ?", (id,)).fetchall()
        except (sqlite3.Error, UnicodeDecodeError):
            continue
        found |= {id for row in rows if all(isinstance(value, str) for value in row)}
    connection.close()
    return found
