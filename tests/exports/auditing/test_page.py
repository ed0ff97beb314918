"""The page of an audit: one HTML file that needs nothing else, in which no text of a model is ever markup."""

from __future__ import annotations

import pytest

from finetune_prep.exports.auditing.page import SHOWN, FlagLine, View, render
from finetune_prep.exports.talks.styled import STYLE
from tests.exports.test_report import ATTACK, Page


def page(*flags: FlagLine) -> Page:
    return Page(
        render(
            View(
                domain="Pottery", run="scale-001", rows=2_000, flags=flags, figures="4,000 replies, 1.2 times the user's words",
                against="held against 12 texts of exam.jsonl", coverage={"topic": {"TP1": 1_200, "TP2": 800}, "flaw": {}},
                names={"TP1": "Glazes"},
                cannot_tell=("whether it is true",),
            )
        )
    )  # fmt: skip


def test_what_must_be_put_right_is_counted_and_open() -> None:
    found = page(
        FlagLine("test-set", True, "1 row holds words of exam.jsonl: ab12", ("ab12 holds exam.jsonl:1",), ""),
        FlagLine(
            "personal-data", False, "1 row holds what may be personal data", ("ab12, message 1 (user): IBAN DE… 51",), "drop it"
        ),
        FlagLine("lengths", False, "40% of the replies are long", (), ""),
    )
    assert "scale-001: 2,000 rows" in found.text
    assert "1 to put right" in found.text
    assert "ab12, message 1 (user): IBAN DE… 51 drop it" in found.text
    assert "topic rows TP1 Glazes 1,200 TP2 800" in found.text
    assert "flaw" not in found.text
    assert ["open" in attributes for tag, attributes in found.tags if tag == "details"] == [True, True, False]
    assert "held against 12 texts of exam.jsonl" in found.text


def test_a_sound_set_says_so() -> None:
    assert "Nothing to put right and nothing needs a look" in page().text


def test_of_thousands_of_lines_some_are_shown_and_the_rest_is_counted() -> None:
    lines = tuple(f"row {number}" for number in range(3 * SHOWN))
    found = page(FlagLine("duplicates", True, "many", lines, ""))
    assert f"row {SHOWN - 1} " in found.text
    assert f"row {SHOWN} " not in found.text
    assert f"and {2 * SHOWN} more, in audit.json" in found.text


@pytest.mark.parametrize("attack", [ATTACK, "<b>bold</b>", "{{ 7 * 7 }}"])
def test_no_text_of_a_model_is_markup(attack: str) -> None:
    found, harmless = (page(FlagLine("stock-phrases", True, text, (text,), text)) for text in (attack, "harmless"))
    assert [tag for tag, _ in found.tags] == [tag for tag, _ in harmless.tags]
    assert " ".join(attack.split()) in found.text


def test_it_needs_nothing_else() -> None:
    found = page()
    assert not [tag for tag, _ in found.tags if tag in ("script", "img", "link", "iframe")]
    assert "prefers-color-scheme: dark" in STYLE.read_text("utf-8")
