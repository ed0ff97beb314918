"""How much texts repeat each other: what stands in most of them, how they begin and end, how well they compress; and the habits
of an assistant's replies."""

from __future__ import annotations

import gzip
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Literal, get_args

import msgspec

from finetune_prep.core.conversation import Conversation
from finetune_prep.words import count_words, split_words

SIZES = range(2, 5)  # words of an n-gram
EDGE_WORDS = 4  # of an opening or ending
OFTEN = 0.35  # of all texts, of an opening or ending
MOST = 0.50  # of all texts, of an n-gram of four words
Kind = Literal["opening", "ending", "last sentence"]
KINDS: tuple[Kind, ...] = get_args(Kind)
PATTERN_WORDS = 3  # of a reply's opening or ending
QUESTION, EXCLAMATION = "a question", "an exclamation"
QUESTION_MARKS, EXCLAMATION_MARKS = ("?", "？", "؟"), ("!", "！")
ENDS = (*QUESTION_MARKS, *EXCLAMATION_MARKS, ".", "…", "。")
SENTENCE_END = re.compile(r"(?<=[.!?…？！؟])[\"'”’»)\]*_]*\s+|(?<=[。？！])|\n+")
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
    several = ((gram, texts) for gram, texts in counts.items() if texts > 1)
    ordered = sorted(several, key=lambda item: (-item[1], -len(item[0]), item[0]))
    return tuple(Habit(words=" ".join(gram), texts=texts, share=texts / of) for gram, texts in ordered)


def _without_parts(counts: Counter[tuple[str, ...]], of: int, looked_at: int = 200) -> tuple[Habit, ...]:
    """The most frequent ones, without those that stand in a longer one as frequent."""
    kept: list[Habit] = []
    for habit in _habits(Counter(dict(counts.most_common(looked_at))), of):
        if not any(f" {habit.words} " in f" {longer.words} " and longer.texts == habit.texts for longer in kept):
            kept.append(habit)
    return tuple(kept)


class Habits(msgspec.Struct, frozen=True, kw_only=True):
    """What the assistant's replies have in common."""

    replies: int
    openings: tuple[Habit, ...] = ()
    """First three words of replies, the most frequent first."""
    endings: tuple[Habit, ...] = ()
    """Last three words."""
    last_sentences: tuple[Habit, ...] = ()
    """Kinds of the last sentence: "a question", "an exclamation", or the word with which a statement begins."""
    on_a_question: float | None = None
    """Share of the replies that end on a question, 0 to 1; None without a reply."""
    length: float | None = None
    """Mean of the reply's words for each word of the message that it answers."""
    over_twice: float | None = None
    """Share of the replies with more than twice the words of the message that they answer."""

    @property
    def too_often(self) -> tuple[tuple[Kind, Habit], ...]:
        """What more than a third of the replies share, with its kind."""
        kinds: tuple[tuple[Kind, tuple[Habit, ...]], ...] = (
            ("opening", self.openings),
            ("ending", self.endings),
            ("last sentence", self.last_sentences),
        )
        return tuple((kind, habit) for kind, found in kinds for habit in found if habit.share > OFTEN)


def habits(conversations: Iterable[Conversation], most: int = 3) -> Habits:
    """What the replies of these conversations have in common. most: how many of each kind are listed.

    The bound of 35% for openings, endings and kinds of last sentences is a convention, untested.
    """
    seen: dict[Kind, Counter[tuple[str, ...]]] = {kind: Counter() for kind in KINDS}
    of = over_twice = 0
    length = 0.0
    for conversation in conversations:
        for message, reply in _answered(conversation):
            words = split_words(reply)
            for kind, pattern in _patterns(reply, words).items():
                seen[kind][pattern,] += 1
            ratio = len(words) / max(1, count_words(message))
            of, length, over_twice = of + 1, length + ratio, over_twice + (ratio > 2)
    openings, endings, last_sentences = (_habits(seen[kind], of)[:most] for kind in KINDS)
    return Habits(
        replies=of,
        openings=openings,
        endings=endings,
        last_sentences=last_sentences,
        on_a_question=seen["last sentence"][QUESTION,] / of if of else None,
        length=length / of if of else None,
        over_twice=over_twice / of if of else None,
    )


def patterns(reply: str) -> dict[Kind, str]:
    """How a reply begins, how it ends, and of what kind its last sentence is; empty for one without words."""
    return _patterns(reply, split_words(reply))


def _patterns(reply: str, words: Sequence[str]) -> dict[Kind, str]:
    """words: all of the reply."""
    if not words:
        return {}
    return {
        "opening": " ".join(words[:PATTERN_WORDS]).casefold(),
        "ending": " ".join(words[-PATTERN_WORDS:]).casefold(),
        "last sentence": last_sentence(reply),
    }


def _answered(conversation: Conversation) -> Iterator[tuple[str, str]]:
    """Every message of the user with the reply that follows it."""
    for before, after in pairwise(conversation.messages):
        if (before.role, after.role) == ("user", "assistant"):
            yield before.content, after.content


def last_sentence(text: str) -> str:
    """The kind of a text's last sentence: a question, an exclamation, or a statement by its first word; "" without words."""
    sentences = (part for line in reversed(text.split("\n")) for part in reversed(SENTENCE_END.split(line)))
    last, words = next(((part, words) for part in sentences if (words := split_words(part))), ("", []))
    if not words:
        return ""
    mark = next((sign for sign in reversed(last) if sign in ENDS), "")
    if mark in QUESTION_MARKS:
        return QUESTION
    return EXCLAMATION if mark in EXCLAMATION_MARKS else f"“{words[0].casefold()} …”"
