"""Ledgers of earlier versions: every answer is found under what is asked today, and nothing paid is lost or counted twice."""

from __future__ import annotations

import asyncio
from pathlib import Path

import apsw
import msgspec
import pytest

from finetune_prep.core.conversation import Message
from finetune_prep.core.request import Origin, Request
from finetune_prep.errors import LedgerDamaged
from finetune_prep.ledger.protocols import Entry
from finetune_prep.ledger.sqlite.connection import SCHEMA_VERSION
from finetune_prep.ledger.sqlite.ledger import SqliteLedger
from finetune_prep.ledger.submissions import Submission
from finetune_prep.models.batches.answers import import_answers
from tests.ledger.dated import LONG, answered, asked
from tests.ledger.former_ledgers import Row, write_former_ledger
from tests.ledgers import entries
from tests.models.batches.test_files import answer, write
from tests.models.examples import entry, request

DAY = "2026-11-22"
RUN = "pilot-001"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite"


def row(found: Entry, label: str = "", spent: float = 0.25) -> Row:
    return Row(found.request, label or found.request.origin.label, found.reply, spent)


@pytest.mark.parametrize("version", [1, 2])
def test_every_answer_is_found_under_what_is_asked_today(version: int, path: Path) -> None:
    """Short prompts and long ones, written out and referred to, a draft that was handed back; opened once or twice."""
    day = DAY if version == 1 else ""
    names = ("anchors", "a rubric", "guards")
    revised, today = (_handed_back(asked("few-shots", each, LONG)) for each in (day, ""))
    rows = [row(answered(name, day, said=name, more=more)) for name in names for more in (LONG, "")]
    rows += [row(Entry(revised, entry().reply), "few-shots, revision 1"), row(entry("Is it broken? - Read: 2026-11-22"))]
    write_former_ledger(path, rows, version=version)
    for _ in range(2):
        ledger = SqliteLedger(path)
        for name in names:
            for more in (LONG, ""):
                assert asyncio.run(ledger.answers.get(asked(name, more=more).key)) == answered(name, said=name, more=more)
        assert asyncio.run(ledger.answers.get(today.key)) == Entry(today, entry().reply)
        assert asyncio.run(ledger.answers.get(entry("Is it broken? - Read: 2026-11-22").key)), (
            "a sentence of a user is no field of a source"
        )
        assert (asyncio.run(ledger.reports.count()), asyncio.run(ledger.money.spent())) == (8, 2.0)
        assert [found.key for found in asyncio.run(entries(ledger))] == sorted(
            found.request.key for found in asyncio.run(entries(ledger))
        )
        ledger.close()


def _handed_back(first: Request) -> Request:
    talk = (*first.messages, Message("assistant", "a draft"), Message("user", "change it"))
    return msgspec.structs.replace(first, messages=talk, sample="revision1", origin=Origin("few-shots", revision=1))


def test_labels_become_columns(path: Path) -> None:
    """Runs, scenarios and second attempts are found by query afterwards."""
    judge = {"role": "judge", "phase": "pilot"}
    user = {"role": "user", "phase": "pilot"}
    labelled = [
        (entry("1", **judge, sample="/again"), f"{RUN} · 3f2a · judge"),
        (entry("2", **judge), f"{RUN} · 3f2a · judge"),
        (entry("3", **user), f"{RUN} · 3f2a · exchange 2 · user"),
        (entry("4", **user), f"{RUN} · 3f2a · exchange 1 · user"),
        (entry("5", **user), "pilot-002 · 77 · exchange 1 · user"),
        (entry("6", role="expert", phase="research"), "user prompt"),
    ]
    write_former_ledger(path, [row(found, label) for found, label in labelled], version=2)
    ledger = SqliteLedger(path)
    keys = [found.key for found, _ in labelled]
    assert asyncio.run(ledger.answers.of_scenario("3f2a")) == (keys[3], keys[2], keys[1], keys[0])
    assert [(line.phase, line.run, line.role, line.answers) for line in asyncio.run(ledger.reports.tokens_used())] == [
        ("pilot", RUN, "judge", 2),
        ("pilot", RUN, "user", 2),
        ("pilot", "pilot-002", "user", 1),
        ("research", "", "expert", 1),
    ]
    assert asyncio.run(ledger.answers.get(keys[0])).request.origin == Origin(run=RUN, scenario="3f2a", attempt=2)
    ledger.close()


def test_of_two_days_the_first_answer_counts(path: Path) -> None:
    """The other one stays in the ledger as what was paid for."""
    write_former_ledger(
        path, [row(answered("anchors", DAY, said="first")), row(answered("anchors", "2026-11-23", said="second"), spent=0.5)]
    )
    ledger = SqliteLedger(path)
    assert asyncio.run(ledger.answers.get(asked("anchors", more=LONG).key)).reply.text == "first"
    assert (asyncio.run(ledger.reports.count()), asyncio.run(ledger.money.spent())) == (2, 0.75)
    assert {found.reply.text for found in asyncio.run(entries(ledger))} == {"first", "second"}
    ledger.close()


async def test_answers_of_a_batch_file_that_was_written_before_are_taken_in(path: Path, tmp_path: Path) -> None:
    """They come under the key that they were asked by."""
    former = [asked("anchors", DAY), asked("a rubric", DAY), request("Is it broken?")]
    write_former_ledger(path, asked=[(one, one.origin.label) for one in former])
    ledger = SqliteLedger(path)
    assert [await ledger.rounds.outstanding(asked(what).key) for what in ("anchors", "a rubric")] == [1, 1]
    rows = [answer(former[0].key), answer(former[1].key, status=503), answer(former[2].key)]
    done = await import_answers(ledger, [write(tmp_path / "answers.jsonl", rows)])
    assert (done.answered, done.released, done.strangers, done.outstanding) == (2, 1, (), 0)
    assert (await ledger.answers.get(asked("anchors").key)).reply.text == "yes"
    assert await ledger.rounds.outstanding(asked("a rubric").key) is None
    again = await import_answers(ledger, [tmp_path / "answers.jsonl"])
    assert (again.answered, again.known) == (0, 2)
    ledger.close()


def test_a_batch_that_was_sent_before_keeps_its_requests(path: Path) -> None:
    submission = Submission(number=1, provider="larch", token="t", worst=0.5, state="sent", batch="batch_1")
    former = asked("anchors", DAY)
    write_former_ledger(path, asked=[(former, "anchors")], submission=submission)
    ledger = SqliteLedger(path)
    assert asyncio.run(ledger.rounds.submissions()) == (submission,)
    assert asyncio.run(ledger.rounds.requests_of(1)) == (asked("anchors"),)
    assert asyncio.run(ledger.rounds.renamed(former.key)) == asked("anchors").key
    assert asyncio.run(ledger.rounds.renamed(asked("anchors").key)) == asked("anchors").key
    ledger.close()


def test_an_upgrade_that_fails_changes_nothing(path: Path) -> None:
    write_former_ledger(path, [row(answered("anchors", DAY)), row(entry("b"))])
    with apsw.Connection(str(path)) as connection:
        connection.execute("UPDATE entry SET request = '{\"about\": 7}' WHERE id = 2")
    connection.close()
    with pytest.raises(LedgerDamaged, match="is no text"):
        SqliteLedger(path)
    with apsw.Connection(str(path)) as connection:
        assert connection.pragma("user_version") == 1
        assert connection.execute("SELECT key FROM entry ORDER BY id").fetchall() == [
            (answered("anchors", DAY).key,),
            (entry("b").key,),
        ]
        assert connection.execute("SELECT count(*) FROM sqlite_schema WHERE name LIKE '%former%'").get == 0
    connection.close()


def test_a_new_ledger_has_the_present_format(path: Path) -> None:
    SqliteLedger(path).close()
    former = path.with_name("former.sqlite")
    write_former_ledger(former)
    SqliteLedger(former).close()
    schemas = []
    for file in (path, former):
        connection = apsw.Connection(str(file))
        assert connection.pragma("user_version") == SCHEMA_VERSION
        schemas.append({str(name) for (name,) in connection.execute("SELECT name FROM sqlite_schema")})
        connection.close()
    assert schemas[0] == schemas[1]
