"""What so many seen of so many planted faults are called."""

from __future__ import annotations

import pytest
from scipy.stats import fisher_exact

from finetune_prep.statistics.probing.words import (
    GATE_STEPS,
    OTHER_STEPS,
    Count,
    Word,
    alarms_easily,
    fisher,
    inseparable,
    mixed_with,
    word_of,
)
from finetune_prep.statistics.rates import lower_bound

GATE: list[tuple[int, int, int, Word]] = [
    (0, 12, 16, "blind"),
    (0, 6, 16, "blind"),
    (0, 5, 16, "not measured"),
    (2, 12, 16, "half-sees"),
    (9, 12, 16, "half-sees"),
    (12, 12, 16, "not measured"),
    (15, 15, 16, "not measured"),
    (16, 16, 16, "sees"),
    (15, 16, 16, "half-sees"),
    (24, 25, 16, "half-sees"),  # one miss is allowed only where that was fixed beforehand
    (24, 25, 25, "sees"),
    (23, 25, 25, "half-sees"),
    (16, 16, 25, "sees"),
    (23, 24, 25, "half-sees"),
    (32, 34, 34, "sees"),
    (32, 34, 25, "half-sees"),
    (31, 34, 34, "half-sees"),
    (0, 0, 16, "not measured"),
]
OTHER: list[tuple[int, int, int, Word]] = [
    (0, 12, 6, "blind"),
    (2, 12, 6, "half-sees"),
    (9, 12, 6, "half-sees"),
    (12, 12, 6, "sees"),
    (10, 11, 6, "half-sees"),
    (10, 11, 11, "sees"),
    (9, 11, 11, "half-sees"),
    (6, 6, 6, "sees"),
    (5, 6, 6, "half-sees"),
    (0, 6, 6, "blind"),
    (5, 5, 6, "not measured"),
    (2, 5, 6, "not measured"),
    (3, 3, 3, "not measured"),
]


@pytest.mark.parametrize(("seen", "valid", "wanted", "word"), GATE)
def test_a_question_of_the_gate(seen: int, valid: int, wanted: int, word: Word) -> None:
    assert word_of(seen, valid, gate=True, wanted=wanted) == word


@pytest.mark.parametrize(("seen", "valid", "wanted", "word"), OTHER)
def test_another_question(seen: int, valid: int, wanted: int, word: Word) -> None:
    assert word_of(seen, valid, gate=False, wanted=wanted) == word


def test_what_cannot_be_counted_has_no_word() -> None:
    with pytest.raises(ValueError, match="13 of 12"):
        word_of(13, 12, gate=True, wanted=16)


def test_the_words_stand_on_these_bounds() -> None:
    """What the page and the docstring say that "sees" proves."""
    assert [round(lower_bound(n - missed, n), 2) for n, missed in GATE_STEPS] == [0.83, 0.82, 0.83]
    assert [round(lower_bound(n - missed, n), 2) for n, missed in OTHER_STEPS] == [0.61, 0.64]


@pytest.mark.parametrize(
    ("k", "n", "other_k", "other_n"), [(5, 24, 0, 24), (4, 24, 0, 24), (3, 6, 0, 48), (1, 6, 2, 40), (7, 9, 3, 12)]
)
def test_fishers_test_is_scipys(k: int, n: int, other_k: int, other_n: int) -> None:
    expected = fisher_exact([[k, n - k], [other_k, other_n - other_k]], alternative="greater").pvalue
    assert fisher(Count(k, n), Count(other_k, other_n)) == pytest.approx(expected)


def test_false_alarms_are_those_beyond_asking_again() -> None:
    assert alarms_easily(Count(5, 24), Count(0, 24))
    assert not alarms_easily(Count(4, 24), Count(0, 24))  # p = .055
    assert not alarms_easily(Count(5, 24), Count(3, 24))
    assert not alarms_easily(Count(0, 24), Count(0, 24))
    assert not alarms_easily(Count(0, 0), Count(0, 0))


def test_a_question_that_falls_with_another_one_is_named() -> None:
    at_rest = {"FO3": Count(0, 48), "FO4": Count(1, 48)}
    assert mixed_with({"FO3": Count(5, 6), "FO4": Count(1, 6)}, at_rest) == ("FO3",)
    assert mixed_with({"FO3": Count(5, 6)}, {"FO3": Count(44, 48)}) == ()  # it falls by itself
    assert mixed_with({}, at_rest) == ()


def test_what_moves_every_time_cannot_be_left_alone() -> None:
    always = [frozenset({"FT1", "CP2"}), frozenset({"FT1"}), frozenset({"FT1", "NS1"})]
    assert inseparable(always) == ("FT1",)
    assert inseparable(always[:2]) == ()
    assert inseparable([*always, frozenset()]) == ()
