"""In which conversations a fault can be planted: those that speak of what it is about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from math import log, sqrt

from finetune_prep.core.conversation import Conversation
from finetune_prep.words import split_words


class Fit:
    """How well a fault fits each of some conversations, by the words that both use; a word of few conversations counts for more.

    An assistant can overlook a cut hand only where there is one. Words are compared as they stand, without knowing any language.
    """

    def __init__(self, conversations: Iterable[Conversation]) -> None:
        self._words = {one.id: _words(*(message.content for message in one.messages)) for one in conversations}
        among = Counter(word for words in self._words.values() for word in words)
        self._weight = {word: log(len(self._words) / count) for word, count in among.items()}

    def __call__(self, fault: str, conversation: str) -> float:
        """0 or more; only the order among conversations has a meaning. fault: its text. conversation: an id of one of them."""
        words = self._words[conversation]
        return sum(self._weight[word] for word in sorted(words & _words(fault))) / sqrt(len(words) or 1)


def _words(*texts: str) -> frozenset[str]:
    return frozenset(word.casefold() for text in texts for word in split_words(text))
