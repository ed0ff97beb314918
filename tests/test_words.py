"""Words as a reader of a script counts them: between blanks, by the sign, or by a model of the language."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune_prep.words import _SPACED_WORD, UNSPACED, by_character, count_words, split_words
from tests.effort import in_proportion


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        (" \n\t", 0),
        ("One two", 2),
        ("don't re-use the customer’s e-mail", 5),
        ("— … !?", 0),
        ("3 of 4", 3),
        ("Grüße aus Łódź", 3),
        ("**Bold** and [a link](https://larch.example)", 7),
        ("cafe\u0301s au lait", 3),
        ("a_b", 2),
        ("😀 yes 👍🏽", 1),
    ],
)
def test_words_between_blanks_are_runs_of_letters_and_digits(text: str, count: int) -> None:
    assert count_words(text) == count


LATIN = st.text(st.sampled_from("aZé9Łßıſ_-'’ .–½²ªʼ\u0301\u0483\n"), max_size=30)


@given(LATIN)
def test_texts_that_are_read_faster_have_the_same_words(text: str) -> None:
    assert split_words(text) == _SPACED_WORD.findall(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("हमारा दफ़्तर सोमवार को खुलता है।", ["हमारा", "दफ़्तर", "सोमवार", "को", "खुलता", "है"]),
        ("שלום לכולם", ["שלום", "לכולם"]),
        ("مُتَأَخِّر جدًّا", ["مُتَأَخِّر", "جدًّا"]),
        ("می‌روم خانه", ["می‌روم", "خانه"]),
        ("반품은 우편으로", ["반품은", "우편으로"]),
    ],
)
def test_marks_and_joiners_of_other_scripts_end_no_word(text: str, words: list[str]) -> None:
    assert split_words(text) == words


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("破损的碗可以在三十天内退换。", 13),
        ("割れた茶碗は三十日以内に交換します。", 17),
        ("カップ・ソーサー", 7),
        ("請於 3 日內 e-mail 給我們", 9),
        ("〇一二", 3),
    ],
)
def test_chinese_and_japanese_are_counted_by_the_sign(text: str, count: int) -> None:
    assert count_words(text) == count


def test_thai_is_counted_by_words() -> None:
    """“Broken bowls can be returned within thirty days. Please keep the receipt.”"""
    words = split_words("ชามที่แตกสามารถคืนได้ภายในสามสิบวัน กรุณาเก็บใบเสร็จไว้")
    assert "".join(words) == "ชามที่แตกสามารถคืนได้ภายในสามสิบวันกรุณาเก็บใบเสร็จไว้"
    assert "ใบเสร็จ" in words
    assert 12 <= len(words) <= 18


@pytest.mark.parametrize("text", ["ຊາມແຕກສົ່ງຄືນໄດ້", "ចានបែកអាចប្តូរបាន", "ကွဲနေသောပန်းကန်"])
def test_scripts_without_a_model_are_counted_by_clusters(text: str) -> None:
    words = split_words(text)
    assert "".join(words) == text
    assert len(text) / 3 < len(words) < len(text)


@given(st.text(st.characters(max_codepoint=0x58F), max_size=60), st.sampled_from(["碗", "だ", "ไป"]))
def test_a_foreign_word_beside_them_changes_no_count(text: str, foreign: str) -> None:
    assert split_words(f"{text}\n{foreign}") == [*split_words(text), foreign]


@given(st.text(max_size=60))
def test_words_stand_in_the_text_in_order(text: str) -> None:
    at = 0
    for word in split_words(text):
        found = text.find(word, at)
        assert found >= at
        at = found + len(word)


def test_scripts_that_are_written_without_blanks_are_known() -> None:
    assert all(UNSPACED.match(letter) for letter in "碗わワ々ไຊចက𠀋")
    assert not any(UNSPACED.match(letter) for letter in "aяα한אع9๕。・，")


def test_languages_that_are_counted_by_the_character() -> None:
    assert [tag for tag in ("zh", "zh-Hant-TW", "JA", "yue", "th", "en", "zha") if by_character(tag)] == [
        "zh",
        "zh-Hant-TW",
        "JA",
        "yue",
    ]


def test_long_texts_are_counted_in_linear_time() -> None:
    with in_proportion():
        assert count_words("碗 on the shelf, " * 20_000) == 80_000
        assert count_words("ชามที่แตก" * 2_000) > 2_000
