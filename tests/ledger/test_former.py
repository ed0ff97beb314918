"""Requests of earlier versions: labels are taken apart once, and the day on which a source was read makes no other request."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from finetune_prep.core.conversation import Message
from finetune_prep.core.request import Origin, Request
from finetune_prep.errors import DocumentError
from finetune_prep.ledger.former import origin_of
from finetune_prep.ledger.protocols import Entry
from finetune_prep.ledger.recording import export_recording, import_recording, read_recording
from finetune_prep.ledger.sqlite.ledger import SqliteLedger
from tests.ledger.dated import LONG, answered, asked
from tests.ledger.former_ledgers import Row, write_former_recording

LABELS = Path(__file__).parent / "former_labels.jsonl"  # label, phase and sample of every request of a recording of format 2


@pytest.mark.parametrize(
    ("label", "phase", "sample", "origin"),
    [
        ("pilot-001 · 3f2a · exchange 12 · user", "pilot", "3f2a", Origin(run="pilot-001", scenario="3f2a", turn=12)),
        ("pilot-1000 · 3f2a · judge", "pilot", "", Origin(run="pilot-1000", scenario="3f2a")),
        ("pilot-001 · 3f2a · judge", "pilot", "/again", Origin(run="pilot-001", scenario="3f2a", attempt=2)),
        ("pilot-001 · 3f2a · something new", "pilot", "", Origin("something new", run="pilot-001", scenario="3f2a")),
        ("pilot-001 · 3f2a · judge", "rubric", "", Origin("pilot-001 · 3f2a · judge")),
        ("pilot-01 · 3f2a", "pilot", "", Origin("pilot-01 · 3f2a")),
        ("pilot-001", "pilot", "", Origin("pilot-001")),
        ("rubric.unambiguous · Next step · and more", "rubric", "", Origin("rubric.unambiguous", "Next step · and more")),
        ("anchors.every-reply", "anchors", "", Origin("anchors.every-reply")),
        ("domain frameworks", "research", "", Origin("domain frameworks")),
        ("domain frameworks, revision 2", "research", "revision1revision2", Origin("domain frameworks", revision=2)),
        ("read sources/a · b.md, portion 2 of 3", "research", "", Origin("read sources/a · b.md, portion 2 of 3")),
        ("", "research", "", Origin()),
    ],
)
def test_what_a_label_speaks_of(label: str, phase: str, sample: str, origin: Origin) -> None:
    """Runs only in their own phase; what has no known form is words about something."""
    assert origin_of(label, phase, sample) == origin


def test_every_label_that_was_recorded_comes_back_from_its_origin() -> None:
    """But for the role behind those of a run, which the request says itself."""
    lines = [json.loads(line) for line in LABELS.read_text("utf-8").splitlines()]
    labels = [(label, origin_of(label, phase, sample)) for label, phase, sample in lines]
    assert [(label, origin.label) for label, origin in labels if origin.label != label] == []
    assert len({origin.about for _, origin in labels if origin.item}) > 5
    assert sum(origin.revision for _, origin in labels) > 3


@pytest.mark.parametrize("version", [1, 2])
async def test_an_earlier_recording_answers_what_is_asked_today(version: int, tmp_path: Path) -> None:
    """Into a ledger and out again, label and day are gone; of two days the first answer counts."""
    later = answered("guards", "2026-11-23", said="second", at="2026-11-23T10:00:00+00:00")
    former = [answered("anchors", "2026-11-22"), later, answered("guards", "2026-11-22", said="first")]
    rows = [Row(entry.request, entry.request.origin.label, entry.reply) for entry in former]
    write_former_recording(tmp_path / "former.jsonl", rows, version=version)
    today = {entry.key: entry for entry in (answered("anchors"), answered("guards", said="first"))}
    assert {entry.key: entry for entry in read_recording(tmp_path / "former.jsonl")} == today
    ledger = SqliteLedger(tmp_path / "ledger.sqlite")
    assert (await import_recording(ledger, tmp_path / "former.jsonl")).added == 2
    await export_recording(ledger, tmp_path / "again.jsonl")
    ledger.close()
    text = (tmp_path / "again.jsonl").read_text()
    assert ("- Read:" in text, '"about":"anchors"' in text) == (False, True)
    assert {entry.key: entry for entry in read_recording(tmp_path / "again.jsonl")} == today
    keys = [json.loads(line)["key"] for line in text.splitlines() if '"key"' in line]
    assert keys == sorted(today)


def test_the_key_of_an_earlier_request_is_looked_at_before_it_is_renamed(tmp_path: Path) -> None:
    path = tmp_path / "former.jsonl"
    write_former_recording(path, [Row(asked("anchors", "2026-11-22", LONG), "anchors", answered("anchors").reply)])
    path.write_text(path.read_text().replace("- Read: 2026-11-22", "- Read: 2026-11-23"))
    with pytest.raises(DocumentError, match="2 unreadable lines") as caught:
        read_recording(path)
    assert "its hash is" in caught.value.details[0]


def test_a_sentence_of_a_user_is_no_field_of_a_source(tmp_path: Path) -> None:
    talk: Request = asked("anchors")
    said = Entry(
        Request(role="user", phase="pilot", model="m", messages=(Message("user", "My list:\n- Read: 2026-11-22"),)),
        answered("anchors").reply,
    )
    assert said.key != talk.key
    write_former_recording(tmp_path / "former.jsonl", [Row(said.request, "", said.reply)])
    assert read_recording(tmp_path / "former.jsonl") == (said,)
