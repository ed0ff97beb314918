"""Words that recur in a large share of many texts, found without a count of everything that stands in them.

Whatever stands in half of all texts stands in about half of any six hundred of them. So candidates come from a sample, and only
they are counted, exactly, over all: two passes, and memory that does not grow.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from finetune_prep.statistics.diversity import Habit

SAMPLE = 600  # texts; a phrase of half of all texts falls below a quarter of these in less than one set of 10^30
LIKELY = 0.5  # of the wanted share: what has less in the sample is no candidate
WORDS = 4  # of a phrase at least
LONGEST = 8

T = TypeVar("T")


def sampled(items: Iterable[T], seed: int | str, size: int = SAMPLE) -> list[T]:
    """A random sample of so many, all if there are fewer (Vitter 1985, algorithm R)."""
    dice = random.Random(f"{seed}/stock phrases")
    kept: list[T] = []
    for number, item in enumerate(items):
        if number < size:
            kept.append(item)
        elif (place := dice.randrange(number + 1)) < size:
            kept[place] = item
    return kept


class Recurring:
    """Counts, over texts given as words, what recurs in more than a share of them. sample: some of the texts."""

    def __init__(self, sample: Sequence[Sequence[str]], share: float) -> None:
        counts: Counter[tuple[str, ...]] = Counter()
        for words in sample:
            counts.update(set(_phrases(words)))
        least = share * LIKELY * len(sample)
        self._candidates = {phrase for phrase, count in counts.items() if count > 1 and count >= least}
        self._counts: Counter[tuple[str, ...]] = Counter()
        self._share = share
        self.texts = 0

    def take(self, texts: Sequence[Sequence[str]]) -> None:
        """Count texts that belong together (the replies of a conversation) as one."""
        self.texts += 1
        if self._candidates:
            self._counts.update({phrase for words in texts for phrase in _phrases(words) if phrase in self._candidates})

    def found(self, most: int = 10) -> tuple[Habit, ...]:
        """What stands in more than the share of the texts, the longest of each that stand in the same ones."""
        kept: list[Habit] = []
        often = [(phrase, count) for phrase, count in self._counts.items() if count > self._share * self.texts]
        for phrase, count in sorted(often, key=lambda item: (-len(item[0]), -item[1], item[0])):
            words = " ".join(phrase)
            if not any(f" {words} " in f" {longer.words} " for longer in kept):
                kept.append(Habit(words=words, texts=count, share=count / self.texts))
        return tuple(sorted(kept, key=lambda habit: (-habit.texts, habit.words))[:most])


def _phrases(words: Sequence[str]) -> Iterator[tuple[str, ...]]:
    for size in range(WORDS, LONGEST + 1):
        for start in range(len(words) - size + 1):
            yield tuple(words[start : start + size])
