"""decisions.jsonl: what people decided is kept, in order, and a line that cannot be read is named and never passed over."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from finetune_prep.errors import UsageError
from finetune_prep.project.decisions import Decision, read_decisions, record
from tests.soak import examples

ACCEPTED = Decision(decision="accept", by="Ada Larch", at="2026-11-20T10:00:00+00:00", text="ab12", document="brief")
texts = st.text(st.characters(exclude_categories=["Cs"]))
decisions = st.builds(
    Decision,
    decision=st.sampled_from(["accept", "override", "uncounted"]),
    by=texts,
    at=texts,
    text=texts,
    document=texts,
    gate=texts,
    because=texts,
    model=texts,
    interactive=st.booleans(),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "decisions.jsonl"


def test_before_anything_was_decided_there_are_no_decisions(path: Path) -> None:
    assert read_decisions(path) == ()


@settings(max_examples=examples(40), suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(decisions, max_size=4))
def test_decisions_are_read_in_the_order_in_which_they_were_made(path: Path, made: list[Decision]) -> None:
    """Whatever a reason holds – line breaks, quotes, signs of other scripts – one decision is one line."""
    path.unlink(missing_ok=True)
    for decision in made:
        record(path, decision)
    assert read_decisions(path) == tuple(made)
    assert (path.read_bytes().count(b"\n") if made else 0) == len(made)


def test_a_line_holds_only_what_was_said(path: Path) -> None:
    record(path, ACCEPTED)
    expected = '{"decision":"accept","by":"Ada Larch","at":"2026-11-20T10:00:00+00:00","text":"ab12","document":"brief"}\n'
    assert path.read_text() == expected


def test_blank_lines_and_windows_line_ends_of_an_editor_are_passed_over(path: Path) -> None:
    record(path, ACCEPTED)
    path.write_bytes(b"\n" + path.read_bytes().replace(b"\n", b"\r\n") + b"  \r\n")
    assert read_decisions(path) == (ACCEPTED,)


@pytest.mark.parametrize(
    "line",
    [
        b'{"decision":"acc',  # torn by a crash
        b"<<<<<<< HEAD",  # a merge that was not finished
        b'{"decision":"refuse","by":"A","at":"","text":""}',
        b'{"decision":"accept","by":"A","at":"","text":"","colour":"red"}',
        b'{"decision":"accept","by":"A"}',
        b'["accept"]',
        b'{"decision":"accept","by":"\xff","at":"","text":""}',
    ],
)
@pytest.mark.parametrize("last", [True, False])
def test_a_line_that_cannot_be_read_stops_with_its_number(path: Path, line: bytes, last: bool) -> None:
    """An act of a person that was dropped in silence would be worse than a stop."""
    record(path, ACCEPTED)
    path.write_bytes(path.read_bytes() + line)
    if not last:
        record(path, ACCEPTED)
    with pytest.raises(UsageError) as caught:
        read_decisions(path)
    assert caught.value.where == "decisions.jsonl:2"
    assert "delete it and decide again" in caught.value.next


def test_after_a_torn_line_was_deleted_everything_else_is_there(path: Path) -> None:
    record(path, ACCEPTED)
    path.write_bytes(path.read_bytes() + b'{"decision":"acc')
    record(path, ACCEPTED)
    kept = [line for line in path.read_bytes().splitlines() if line != b'{"decision":"acc']
    path.write_bytes(b"\n".join(kept))
    assert read_decisions(path) == (ACCEPTED, ACCEPTED)
