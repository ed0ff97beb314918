"""The table of formats: every row can be chosen, writes a file of its own, and loses no conversation."""

from __future__ import annotations

import pytest

from finetune_prep.core.conversation import Conversation, Message
from finetune_prep.exports.formats import DEFAULT, FORMATS, Format

TALKS = [
    Conversation((Message("user", f"Bowl {n} is cracked."), Message("assistant", f"Bowl {n}: a new one leaves today.")))
    for n in range(3)
]


def test_each_has_its_own_file_and_one_is_the_default() -> None:
    assert DEFAULT in FORMATS
    assert len({form.file for form in FORMATS.values()}) == len(FORMATS)
    assert all(form.file.startswith("train.") and form.file.endswith(".jsonl") for form in FORMATS.values())


@pytest.mark.parametrize("form", FORMATS.values(), ids=[*FORMATS])
def test_every_conversation_is_in_the_file_and_nothing_is_an_empty_file(form: Format) -> None:
    data = form.write(TALKS, "You help.").decode()
    assert [data.count(f"Bowl {number}: a new one leaves today.") for number in range(3)] == [1, 1, 1]
    assert form.write([], "You help.") == b""
