"""Submissions to Batch APIs: with their round or not at all, and in ledgers of earlier versions."""

from __future__ import annotations

from pathlib import Path

import apsw
import msgspec
import pytest

from finetune_prep.ledger.sqlite.ledger import SqliteLedger
from finetune_prep.ledger.submissions import OPEN, Submission
from tests.models.examples import entry, request

PLANNED = Submission(number=0, provider="larch", token="t", worst=0.5)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite"


async def test_a_submission_is_kept_with_its_round(path: Path) -> None:
    """It has the round's number, survives, and its round needs no file."""
    ledger = SqliteLedger(path)
    await ledger.rounds.open([request("a")])
    assert await ledger.rounds.open([request("b"), request("c")], PLANNED) == 2
    ledger.close()
    ledger = SqliteLedger(path)
    assert await ledger.rounds.submissions() == (msgspec.structs.replace(PLANNED, number=2),)
    assert [(found.number, found.written) for found in await ledger.rounds.all()] == [(1, False), (2, True)]
    ledger.close()


async def test_what_is_noted_is_noted_whole(path: Path) -> None:
    """State, answers, keys given back and money in one go."""
    ledger = SqliteLedger(path)
    asked = [entry("a").request, request("b")]
    number = await ledger.rounds.open(asked, PLANNED)
    fetched = msgspec.structs.replace(PLANNED, number=number, state="fetched", batch="batch_1", clue="file-1", at="2026-11-22")
    assert await ledger.answers.get(asked[0].key) is None
    await ledger.rounds.note(fetched, answers=[(entry("a"), 0.25)], release=[asked[1].key], lost=0.125)
    assert await ledger.rounds.submissions() == (fetched,)
    assert await ledger.answers.get(asked[0].key) == entry("a")
    assert [await ledger.rounds.outstanding(one.key) for one in asked] == [None, None]
    assert await ledger.money.spent() == 0.375
    ledger.close()


async def test_an_earlier_ledger_gets_the_table(path: Path) -> None:
    """What is in it stays."""
    ledger = SqliteLedger(path)
    await ledger.answers.put(entry("a"))
    ledger.close()
    with apsw.Connection(str(path)) as connection:
        connection.execute("DROP TABLE submission")
    ledger = SqliteLedger(path)
    assert (await ledger.reports.count(), await ledger.rounds.submissions()) == (1, ())
    await ledger.rounds.open([request("b")], PLANNED)
    assert len(await ledger.rounds.submissions()) == 1
    ledger.close()


def test_what_is_open() -> None:
    assert {state for state in OPEN if msgspec.structs.replace(PLANNED, state=state).open} == OPEN
    assert not any(msgspec.structs.replace(PLANNED, state=state).open for state in ("fetched", "void", "dropped"))
