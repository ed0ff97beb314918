"""Figures above and below the line: 10³ is no 103, and a note's number is no part of a word."""

from __future__ import annotations

import pytest

from finetune_prep.sources.parsing.figures import lowered, raised


@pytest.mark.parametrize(
    ("before", "text", "written"),
    [
        ("10", "3", "^3"), ("10", "-3", "^-3"), ("e", "x+1", "^(x+1)"), ("50 m", "2", "^2"), ("3 feet", "2", "^2"), ("2 metres", "3", "^3"),
        ("rate", "1", "[1]"), ("the rate.", "12", "[12]"), ("the “rate”", "2", "[2]"), ("rate", "[3]", "[3]"), ("rate", "a", "[a]"),
        ("1", "st", "st"), ("22", "nd", "nd"), ("1", "er", "er"), ("M", "me", "me"), ("Kiln", "TM", "TM"), ("fee", "*", "*"), ("", "14", "^14"),
        ("10", "", ""),
    ],
)  # fmt: skip
def test_raised_figures(before: str, text: str, written: str) -> None:
    assert raised(text, before) == written


def test_what_leads_somewhere_is_the_number_of_a_note() -> None:
    assert raised("3", "in 2026", link=True) == "[3]"


@pytest.mark.parametrize(("text", "written"), [("2", "₂"), ("10", "₁₀"), ("max", "_max"), ("", ""), ("+", "₊")])
def test_lowered_figures(text: str, written: str) -> None:
    assert lowered(text) == written
