"""Languages by their English names."""

from __future__ import annotations

import pytest

from finetune_prep.conversations.language_name import in_english


@pytest.mark.parametrize(
    ("tag", "name"),
    [
        ("en", "English"),
        ("de", "German"),
        ("de-AT", "German (Austria)"),
        ("zh-Hant", "Chinese (Traditional)"),
        ("xx", "xx"),
        ("", ""),
    ],
)
def test_a_language_has_a_name_or_keeps_its_tag(tag: str, name: str) -> None:
    assert in_english(tag) == name
