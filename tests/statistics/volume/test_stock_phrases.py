"""What recurs in many texts, beside a count of everything."""

from __future__ import annotations

import random
from collections import Counter

from finetune_prep.statistics.volume.stock_phrases import Recurring, sampled
from tests.conversations.test_near import base
from tests.soak import SOAK

TEXTS = 20_000 if SOAK else 1_500
PHRASE, RARE = ["that", "is", "really", "not", "nothing", "at", "all"], ["please", "call", "again", "on", "monday"]


def texts(share: float) -> list[list[str]]:
    found = []
    for number in range(TEXTS):
        dice = random.Random(number)
        words = base(dice)[:60]
        found.append(
            [*words[:20], *(PHRASE if dice.random() < share else []), *(RARE if dice.random() < 0.2 else []), *words[20:]]
        )
    return found


def counted(share: float, wanted: float) -> tuple[list[tuple[str, int]], Counter[tuple[str, ...]]]:
    found = texts(share)
    recurring = Recurring(sampled(found, 1), wanted)
    for words in found:
        recurring.take([words])
    exact: Counter[tuple[str, ...]] = Counter()
    for words in found:
        exact.update({tuple(words[at : at + len(PHRASE)]) for at in range(len(words))} & {tuple(PHRASE)})
    return [(habit.words, habit.texts) for habit in recurring.found()], exact


def test_a_phrase_of_most_texts_is_found_whole_with_its_exact_count() -> None:
    found, exact = counted(0.6, 0.5)
    assert found == [(" ".join(PHRASE), exact[tuple(PHRASE)])]


def test_what_stands_in_fewer_is_none() -> None:
    assert counted(0.4, 0.5)[0] == []


def test_texts_that_belong_together_count_once() -> None:
    recurring = Recurring([PHRASE] * 10, 0.5)
    for _ in range(10):
        recurring.take([PHRASE, PHRASE])
    (habit,) = recurring.found()
    assert (habit.texts, habit.share) == (10, 1.0)


def test_the_sample_is_the_same_each_time_and_of_the_whole() -> None:
    assert sampled(range(10_000), 1) == sampled(range(10_000), 1)
    assert sampled(range(10_000), 1) != sampled(range(10_000), 2)
    assert [*sampled(range(5), 1)] == [0, 1, 2, 3, 4]
    assert 4_000 < sum(sampled(range(10_000), 3)) / 600 < 6_000
