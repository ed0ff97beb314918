"""Conversations that say nearly the same as an earlier one, found among a hundred thousand.

Two texts are near-duplicates if they share most of their runs of three words (Jaccard). Candidates come from MinHash signatures
in bands (Broder 1997; Leskovec et al., Mining of Massive Datasets, ch. 3), and each candidate is compared exactly, so nothing
is called a duplicate by chance. Of a text only the hashes of its runs are kept, four bytes each.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import rensa

from finetune_prep.core.conversation import Conversation
from finetune_prep.words import UNSPACED, split_words

RUN = 3  # words
NEAR = 0.7  # share of the runs that two texts have in common, of those that either has; convention, measured in docs/scale.md
BANDS, ROWS = 28, 5  # two texts at the bound meet in some band 99.4% of the time, two that share a tenth in one of 3,600
PERMUTATIONS = BANDS * ROWS
SEED = 42
_MASK = 0xFFFFFFFF
_WORD = re.compile(r"\w+")


class Runs(NamedTuple):
    """What is kept of a text."""

    hashes: array[int]
    """Of its runs of words, each once."""
    signature: rensa.RMinHash


class Pair(NamedTuple):
    """A text and an earlier one that says nearly the same, by their numbers from 0."""

    number: int
    earlier: int
    alike: float
    """0 to 1."""


def runs_of(conversation: Conversation) -> Runs:
    """The runs of both sides' words, the system's left out. A text of fewer words than a run is one run."""
    said = " ".join(message.content for message in conversation.messages if message.role != "system")
    return runs_in(words_of(said))


def words_of(text: str) -> list[str]:
    """The words of a text, without regard to case. Where they stand between blanks, a plain split is five times as quick."""
    folded = text.casefold()
    return split_words(folded) if UNSPACED.search(folded) else _WORD.findall(folded)


def runs_in(words: Sequence[str]) -> Runs:
    runs = [" ".join(run) for run in zip(*(words[start:] for start in range(RUN)), strict=False)] or [" ".join(words)]
    hashes = rensa.RMinHash.hash_token_sets([runs])[0]
    signature = rensa.RMinHash(num_perm=PERMUTATIONS, seed=SEED)
    signature.update(runs)
    return Runs(array("I", {value & _MASK for value in hashes}), signature)


def alike(one: Runs, other: Runs) -> float:
    """The share of runs that two texts have in common, of all that either has: 0 to 1."""
    short, long = sorted((one.hashes, other.hashes), key=len)
    if not len(short) or len(short) < NEAR * len(long):  # it cannot reach the bound
        return 0.0
    common = len({*short}.intersection(long))
    return common / (len(short) + len(long) - common)


class Near:
    """Texts seen so far; each is asked for those before it."""

    def __init__(self) -> None:
        self._index = rensa.RMinHashLSH(threshold=NEAR, num_perm=PERMUTATIONS, num_bands=BANDS)
        self._hashes: list[array[int]] = []

    def __len__(self) -> int:
        return len(self._hashes)

    def earlier(self, text: Runs) -> tuple[int, float] | None:
        """The number of the earliest text that says nearly the same, and how alike they are; None if none does."""
        for number in sorted(self._index.query(text.signature)):
            if (share := alike(text, Runs(self._hashes[number], text.signature))) >= NEAR:
                return number, share
        return None

    def add(self, text: Runs) -> int:
        """Keep a text; its number."""
        number = len(self._hashes)
        self._index.insert(number, text.signature)
        self._hashes.append(text.hashes)
        return number

    def pairs(self, texts: Iterator[Runs]) -> Iterator[Pair]:
        """Add texts one by one, and yield each that says nearly the same as an earlier one."""
        for text in texts:
            found = self.earlier(text)
            number = self.add(text)
            if found is not None:
                yield Pair(number, *found)
