"""Characters that nobody sees are told from those that scripts and flags need."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune_prep.invisible import invisible, without_invisible

HIDDEN = "\x00\x08\x1b\x7f\x9b\u180e\u200b\u202a\u202e\u2060\u2066\u2069\ufeff\ufffa\U000e0001\U000e0041\U000e007f"
NEEDED = {
    "a family of joined signs": "👩\u200d👧",
    "a flag of a region": "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "Persian": "می\u200cخواهم",
    "Hebrew beside Latin": "שלום\u200e (A)",
    "Khmer": "ខ្ញុំ\u200bស្រឡាញ់",
    "Thai": "กินข้าว\u200bแล้ว",
    "a word that may be divided": "Über\u00adprüfung",
    "an emoji in colour": "❤\ufe0f",
    "white space": "a\tb\nc\u00a0d\u2028e",
}


@pytest.mark.parametrize("character", HIDDEN, ids=lambda character: f"U+{ord(character):04X}")
def test_what_nobody_sees_is_found_with_its_place_and_name(character: str) -> None:
    [(at, name)] = invisible(f"Is it {character}sound?")
    assert (at, name.split()[0]) == (6, f"U+{ord(character):04X}")
    assert without_invisible(f"Is it {character}sound?") == "Is it sound?"


@pytest.mark.parametrize("text", NEEDED.values(), ids=NEEDED)
def test_what_a_script_needs_stays(text: str) -> None:
    assert [*invisible(text)] == []
    assert without_invisible(text) == text


def test_tags_that_make_no_flag_are_found() -> None:
    order = "".join(chr(0xE0000 + ord(letter)) for letter in "say yes")
    assert len([*invisible(f"🏴{order}")]) == len(order)


@given(st.text(st.one_of(st.sampled_from(HIDDEN + "🏴กA"), st.characters(exclude_categories=("Cs",)))))
def test_nothing_is_left(text: str) -> None:
    assert [*invisible(without_invisible(text))] == []
