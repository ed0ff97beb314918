"""Requests that held the day on which a source was read: their answers are found under the request that is asked today."""

from __future__ import annotations

import json
from pathlib import Path

import apsw
import msgspec
import pytest

from finetune_prep.core.conversation import Message
from finetune_prep.core.request import Request
from finetune_prep.ledger.protocols import Entry
from finetune_prep.ledger.recording import export_recording, import_recording, read_recording, write_recording
from finetune_prep.ledger.sqlite import SqliteLedger
from finetune_prep.ledger.submissions import Submission
from finetune_prep.models.batches.answers import import_answers
from tests.models.batches.test_files import answer, write
from tests.models.examples import entry, request

REFERENCE = "# The reference\n\n## Sources\n\n### S01. Terms\n\n- Where: sources/terms.md{}\n\n# The task\n\nWrite {}."
LONG = " Ask for the photo first." * 20


def asked(what: str, day: str = "", more: str = "") -> Request:
    """A request as it is asked today, or as it was asked when the day of reading stood in the reference."""
    text = REFERENCE.format(f"\n- Read: {day}" if day else "", what) + more
    return request(what, messages=(Message("system", "You write."), Message("user", text)))


def answered(what: str, day: str = "", said: str = "yes", at: str = "2026-11-20T10:00:00+00:00", more: str = LONG) -> Entry:
    reply = msgspec.structs.replace(entry().reply, text=said, at=at)
    return Entry(asked(what, day, more), reply)


def make_former(path: Path) -> None:
    """Take from a ledger what its first format did not have."""
    with apsw.Connection(str(path)) as connection:
        connection.execute("DROP TABLE former")
        connection.pragma("user_version", 1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite"


async def test_an_earlier_ledger_answers_what_is_asked_today(path: Path) -> None:
    """Short prompts and long ones, written out and referred to; nothing that was paid is lost or counted twice."""
    ledger = SqliteLedger(path)
    for what in ("anchors", "a rubric", "guards"):
        await ledger.put(answered(what, "2026-11-22", said=what), spent=0.25)
        await ledger.put(answered(what, "2026-11-22", said=what, more=""), spent=0.25)
    await ledger.put(answered("few-shots", "2026-11-22"))
    revised = asked("few-shots", "2026-11-22", LONG)
    talk = (*revised.messages, Message("assistant", "a draft"), Message("user", "mend it"))
    await ledger.put(Entry(msgspec.structs.replace(revised, messages=talk, sample="revision1"), entry().reply))
    await ledger.put(entry("Is it broken? - Read: 2026-11-22"))
    ledger.close()
    make_former(path)
    for _ in range(2):
        ledger = SqliteLedger(path)
        for what in ("anchors", "a rubric", "guards"):
            for more in (LONG, ""):
                found = ledger.get(asked(what, more=more).key)
                assert found is not None
                assert (found.request, found.reply.text) == (asked(what, more=more), what)
        assert ledger.get(msgspec.structs.replace(asked("few-shots", more=LONG), messages=_undated(talk), sample="revision1").key)
        assert ledger.get(entry("Is it broken? - Read: 2026-11-22").key), "a sentence of a user is no field of a source"
        assert (ledger.count(), ledger.spent()) == (9, 1.5)
        assert [found.key for found in ledger.entries()] == sorted(found.request.key for found in ledger.entries())
        ledger.close()


def _undated(talk: tuple[Message, ...]) -> tuple[Message, ...]:
    return tuple(Message(message.role, message.content.replace("\n- Read: 2026-11-22", "")) for message in talk)


async def test_of_two_days_the_first_answer_counts(path: Path) -> None:
    """The other one stays in the ledger as what was paid for."""
    ledger = SqliteLedger(path)
    await ledger.put(answered("anchors", "2026-11-22", said="first"), spent=0.25)
    await ledger.put(answered("anchors", "2026-11-23", said="second"), spent=0.5)
    ledger.close()
    make_former(path)
    ledger = SqliteLedger(path)
    assert ledger.get(asked("anchors", more=LONG).key).reply.text == "first"
    assert (ledger.count(), ledger.spent()) == (2, 0.75)
    ledger.close()


async def test_answers_of_a_batch_file_that_was_written_before_are_taken_in(path: Path, tmp_path: Path) -> None:
    """They come under the key that they were asked by."""
    former = [asked("anchors", "2026-11-22"), asked("a rubric", "2026-11-22"), request("Is it broken?")]
    ledger = SqliteLedger(path)
    await ledger.open_round(former)
    ledger.close()
    make_former(path)
    ledger = SqliteLedger(path)
    assert [ledger.outstanding(asked(what).key) for what in ("anchors", "a rubric")] == [1, 1]
    rows = [answer(former[0].key), answer(former[1].key, status=503), answer(former[2].key)]
    done = await import_answers(ledger, [write(tmp_path / "answers.jsonl", rows)])
    assert (done.answered, done.released, done.strangers, done.outstanding) == (2, 1, (), 0)
    assert ledger.get(asked("anchors").key).reply.text == "yes"
    assert ledger.outstanding(asked("a rubric").key) is None
    again = await import_answers(ledger, [tmp_path / "answers.jsonl"])
    assert (again.answered, again.known) == (0, 2)
    ledger.close()


async def test_a_batch_that_was_sent_before_keeps_its_requests(path: Path) -> None:
    ledger = SqliteLedger(path)
    former = asked("anchors", "2026-11-22")
    submission = Submission(number=0, provider="larch", token="t", worst=0.5, state="sent", batch="batch_1")
    await ledger.open_round([former], submission)
    ledger.close()
    make_former(path)
    ledger = SqliteLedger(path)
    assert [found.batch for found in ledger.submissions()] == ["batch_1"]
    assert ledger.requests_of(1) == (asked("anchors"),)
    assert ledger.renamed(former.key) == asked("anchors").key
    assert ledger.renamed(asked("anchors").key) == asked("anchors").key
    ledger.close()


async def test_an_earlier_recording_answers_what_is_asked_today(tmp_path: Path, path: Path) -> None:
    """Into a ledger and out again, the day is gone; of two days the first answer counts."""
    later = answered("guards", "2026-11-23", said="second", at="2026-11-23T10:00:00+00:00")
    former = [answered("anchors", "2026-11-22"), answered("guards", "2026-11-22", said="first"), later]
    write_recording(former, tmp_path / "former.jsonl")
    today = {answered("anchors").key: answered("anchors"), answered("guards").key: answered("guards", said="first")}
    assert {found.key: found for found in read_recording(tmp_path / "former.jsonl")} == today
    ledger = SqliteLedger(path)
    assert (await import_recording(ledger, tmp_path / "former.jsonl")).added == 2
    export_recording(ledger, tmp_path / "again.jsonl")
    ledger.close()
    assert "- Read:" not in (tmp_path / "again.jsonl").read_text()
    assert {found.key: found for found in read_recording(tmp_path / "again.jsonl")} == today
    keys = [json.loads(line)["key"] for line in (tmp_path / "again.jsonl").read_text().splitlines() if '"key"' in line]
    assert keys == sorted(today)
