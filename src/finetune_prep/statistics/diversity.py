"""How much texts repeat each other: what stands in most of them, how they begin and end, how well they compress."""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from finetune_prep.words import split_words

SIZES = range(2, 5)  # words of an n-gram
EDGE_WORDS = 4  # of an opening or ending
OFTEN = 0.35  # of all texts, of an opening or ending
MOST = 0.50  # of all texts, of an n-gram of four words
COMPRESSED = 50_000  # bytes; sets are compared at one length only, since longer texts always compress better


class Habit(msgspec.Struct, frozen=True, kw_only=True):
    """Words that stand in many texts. texts: in how many. share: of all, 0 to 1."""

    words: str
    texts: int
    share: float


class Diversity(msgspec.Struct, frozen=True, kw_only=True):
    texts: int
    compression: float | None
    """Bytes for each byte of gzip in the first 50,000 bytes, at least 1 or so; None if the texts are shorter. Prose of many hands
    has about 2.5, and what repeats itself more."""
    phrases: tuple[Habit, ...]
    """N-grams of 2 to 4 words by the share of texts that hold them, the most frequent first; those in a longer one as frequent
    are left out."""
    openings: tuple[Habit, ...]
    endings: tuple[Habit, ...]


def diversity(texts: Sequence[str], most: int = 10) -> Diversity:
    """What repeats itself in these texts. most: how many of each kind are listed.

    Compression: gzip ratio at equal length (Shaib et al. 2024, arXiv:2403.00553). N-grams are counted once a text: what stands in
    half of all texts is a habit, however rarely each of them uses it.
    """
    words = [tuple(split_words(text.casefold())) for text in texts]
    ends = [text for text in words if len(text) >= EDGE_WORDS]
    return Diversity(
        texts=len(texts),
        compression=compression(texts),
        phrases=_without_parts(document_frequency(words), len(texts))[:most],
        openings=_habits(Counter(text[:EDGE_WORDS] for text in ends), len(texts))[:most],
        endings=_habits(Counter(text[-EDGE_WORDS:] for text in ends), len(texts))[:most],
    )


def compression(texts: Iterable[str], length: int = COMPRESSED) -> float | None:
    """Bytes of text for each byte of gzip, over the first `length` bytes of the texts in order; None if they are shorter."""
    taken = bytearray()
    for text in texts:
        taken += text.encode("utf-8", "replace") + b"\n"
        if len(taken) >= length:
            return length / len(gzip.compress(bytes(taken[:length]), mtime=0))
    return None


def document_frequency(texts: Iterable[Sequence[str]]) -> Counter[tuple[str, ...]]:
    """In how many texts, given as words, each n-gram of 2 to 4 words stands."""
    counts: Counter[tuple[str, ...]] = Counter()
    for words in texts:
        counts.update({tuple(words[at : at + size]) for size in SIZES for at in range(len(words) - size + 1)})
    return counts


def _habits(counts: Counter[tuple[str, ...]], of: int) -> tuple[Habit, ...]:
    """Those that occur more than once, the most frequent first."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], -len(item[0]), item[0]))
    return tuple(Habit(words=" ".join(gram), texts=texts, share=texts / of) for gram, texts in ordered if texts > 1)


def _without_parts(counts: Counter[tuple[str, ...]], of: int, looked_at: int = 200) -> tuple[Habit, ...]:
    """The most frequent ones, without those that stand in a longer one as frequent."""
    kept: list[Habit] = []
    for habit in _habits(Counter(dict(counts.most_common(looked_at))), of):
        if not any(f" {habit.words} " in f" {longer.words} " and longer.texts == habit.texts for longer in kept):
            kept.append(habit)
    return tuple(kept)
