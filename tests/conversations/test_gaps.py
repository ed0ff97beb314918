"""Time that has passed is written in the language of the conversation."""

from __future__ import annotations

import pytest

from finetune_prep.conversations.gaps import gap_line, weekdays
from finetune_prep.core.scenarios.scenario import Elapsed


@pytest.mark.parametrize(
    ("language", "reads", "line"),
    [
        ("en", "{days} days later", "[Thursday, 6 days later]"),
        ("de", "{days} Tage später", "[Donnerstag, 6 Tage später]"),
        ("pt-BR", "seis dias depois", "[quinta-feira, seis dias depois]"),
        ("zh-Hans", "{days}天后", "[星期四, 6天后]"),
        ("en", "", "[Thursday]"),
    ],
)
def test_a_gap_names_the_day_and_how_long_it_was(language: str, reads: str, line: str) -> None:
    assert gap_line(Elapsed(days=6, weekday=3, reads=reads), language) == line


def test_a_language_whose_days_nobody_has_named_goes_without_them() -> None:
    assert weekdays("xx") == weekdays("not a tag") == ()
    assert gap_line(Elapsed(days=6, weekday=3, reads="6 days later"), "xx") == "[6 days later]"


def test_on_the_same_day_the_day_is_not_named_again() -> None:
    assert gap_line(Elapsed(days=0, weekday=3, reads="an hour later"), "en") == "[an hour later]"
