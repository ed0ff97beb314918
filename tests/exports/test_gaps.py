"""Lines that say how much time has passed: in training rows only if the project says so, and always for people."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from finetune_prep.core.conversation import Conversation
from tests.exports.samples import samples, written

GAP = "[Thursday, 6 days later]"
TALK = (
    Conversation(())
    .then("user", "Is my bowl on its way?")
    .then("assistant", "It leaves today.")
    .then("user", "It is not here.", GAP)
    .then("assistant", "I ask the carrier.")
)


@pytest.mark.parametrize(
    ("show_gaps", "said"),
    [(False, "It is not here."), (True, "[Thursday, 6 days later]\n\nIt is not here.")],
    ids=["without", "with"],
)
@pytest.mark.parametrize("format", ["messages"])
def test_training_rows_have_the_line_only_if_it_is_asked_for(tmp_path: Path, format: str, show_gaps: bool, said: str) -> None:
    written(tmp_path, samples([TALK]), format, show_gaps=show_gaps)
    (row,) = (tmp_path / "train.jsonl").read_text("utf-8").splitlines()
    messages = json.loads(row)["messages"]
    assert [set(message) for message in messages] == [{"role", "content"}] * 5, "trainers take no other key"
    assert messages[3]["content"] == said


def test_whoever_reads_what_was_left_out_sees_the_line(tmp_path: Path) -> None:
    written(tmp_path, [*samples([TALK], "rejected"), *samples([TALK])])
    (row,) = (tmp_path / "rejected.jsonl").read_text("utf-8").splitlines()
    assert json.loads(row)["said"][2] == ["user", f"{GAP}\n\nIt is not here."]


def test_a_talk_with_a_gap_is_another_one_than_the_same_talk_without() -> None:
    assert TALK.id != TALK.plain(show_gaps=False).id
    assert TALK.id == TALK.plain(show_gaps=True).id, "the same words reach user, assistant and judge"
