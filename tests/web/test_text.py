"""Text as pieces: nothing lost, nothing unseen, quotes where they stand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune_prep.web.text import Piece, commands, pieces


@given(st.text(), st.lists(st.text(), max_size=3))
def test_every_character_is_there_once_and_in_order(text: str, quotes: list[str]) -> None:
    rest = text
    for piece in pieces(text, quotes):
        if piece.kind == "unseen":
            assert piece.text.startswith(f"U+{ord(rest[0]):04X}")
            rest = rest[1:]
        else:
            assert rest.startswith(piece.text)
            rest = rest.removeprefix(piece.text)
    assert rest == ""


@pytest.mark.parametrize("quote", ["send a new bowl", "“send a new bowl”", "send a … new bowl", "We promise … send a new bowl"])
def test_a_quote_is_marked_where_it_stands(quote: str) -> None:
    marked = [piece.text for piece in pieces("We send a new bowl today.", [quote]) if piece.kind == "quote"]
    assert "new bowl" in " ".join(marked)


@pytest.mark.parametrize("quote", ["", "none", "N/A", "we", "“”", "not there at all"])
def test_what_is_no_quote_marks_nothing(quote: str) -> None:
    assert pieces("We send nothing.", [quote]) == [Piece("plain", "We send nothing.")]


@pytest.mark.parametrize(
    "unseen", ["\u200b", "\u202e", "\u2066", "\ufeff", "\xad", "\u3164", "\U000e0041", "\x00", "\x1b", "\ud800", "\u2028"]
)
def test_what_cannot_be_seen_has_a_name(unseen: str) -> None:
    assert [piece.kind for piece in pieces(f"a{unseen}b")] == ["plain", "unseen", "plain"]


@pytest.mark.parametrize("text", ["Grüße\n\tan 漢字", "مرحبا بالعالم", "👩‍👩‍👧 ☕️", "क्‍ष"])
def test_scripts_and_emoji_stay_whole(text: str) -> None:
    """Joiners (U+200C, U+200D) belong to words and emoji."""
    assert pieces(text) == [Piece("plain", text)]


def test_commands_in_backticks_are_told_from_the_words_around_them() -> None:
    assert commands("see `x`, run `finetune-prep review`, or not") == [
        ("see `x`, run ", "finetune-prep review"),
        (", or not", ""),
    ]
    assert commands("") == [("", "")]
