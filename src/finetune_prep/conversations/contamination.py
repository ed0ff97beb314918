"""Whether texts that are not to be trained – a test set, few-shots, a judge's examples – stand in conversations that are.

A conversation is contaminated by a text if it shares a run of thirteen words with it (Brown et al. 2020, appendix C), or four
fifths of its runs of eight. A run that stands in many conversations is a set phrase of the domain, no copy, and counts for
nothing. Neither do words that both were given: what a scenario has its user paste stands in every conversation about it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from finetune_prep.conversations.near import words_of
from finetune_prep.core.conversation import Conversation

RUN = 13  # words
SHORT_RUN = 8
CONTAINED = 0.8  # of a text's runs of eight
SET_PHRASE = 0.01  # of the conversations
FEWEST = 4  # conversations, in which a run is a set phrase however few there are


class Text(NamedTuple):
    """A text that is not to be trained. where: in words, for people."""

    where: str
    text: str


class Found(NamedTuple):
    """A conversation that holds a text. how: in words."""

    conversation: str
    where: str
    how: str


class Contamination:
    """Conversations are held against all texts, one by one.

    any_run: whether a single run of thirteen words is enough. given: texts whose words prove nothing; a longer run that holds
    eight of them in a row proves nothing either.
    """

    def __init__(self, texts: Iterable[Text], *, any_run: bool = True, given: Iterable[str] = ()) -> None:
        self._any_run = any_run
        known = {run for text in given for run in _runs(words_of(text), SHORT_RUN)}
        self._texts: list[str] = []
        self._sizes: list[int] = []
        self._short: dict[str, list[int]] = {}
        self._long: dict[str, list[int]] = {}
        self.too_short = 0
        """Texts with fewer words than a run of eight: nothing can be said of them."""
        for where, text in texts:
            words = words_of(text)
            if len(words) < SHORT_RUN:
                self.too_short += 1
                continue
            short = {*_runs(words, SHORT_RUN)} - known
            number = len(self._texts)
            self._texts.append(where)
            self._sizes.append(len(short))
            for run in short:
                self._short.setdefault(run, []).append(number)
            for run in {*_runs(words, RUN)}:
                if known.isdisjoint(_runs(run.split(" "), SHORT_RUN)):
                    self._long.setdefault(run, []).append(number)
        self._conversations = 0
        self._shared: dict[str, list[str]] = {}
        """Runs of thirteen words → the ids of the conversations that have them."""
        self._found: list[Found] = []

    def __len__(self) -> int:
        return len(self._texts)

    def take(self, id: str, conversation: Conversation) -> None:
        self._conversations += 1
        if not self._texts:
            return
        words = words_of(" ".join(message.content for message in conversation.messages if message.role != "system"))
        runs = {run for run in _runs(words, SHORT_RUN) if run in self._short}
        for run in {run for run in _runs(words, RUN) if run in self._long} if self._any_run and runs else ():
            self._shared.setdefault(run, []).append(id)
        hits: Counter[int] = Counter(number for run in runs for number in self._short[run])
        for number, count in hits.items():
            if count >= CONTAINED * self._sizes[number]:
                how = f"{count / self._sizes[number]:.0%} of its runs of {SHORT_RUN} words"
                self._found.append(Found(id, self._texts[number], how))

    def found(self) -> tuple[Found, ...]:
        """Every conversation and text once, in the order of the conversations."""
        most = max(FEWEST, SET_PHRASE * self._conversations)
        copied = [
            Found(id, self._texts[number], f"“{run}”")
            for run, ids in self._shared.items()
            if len({*ids}) < most
            for id in ids
            for number in self._long[run]
        ]
        once: dict[tuple[str, str], Found] = {}
        for found in (*self._found, *copied):
            once.setdefault((found.conversation, found.where), found)
        return tuple(once.values())


def _runs(words: Sequence[str], size: int) -> Iterator[str]:
    return (" ".join(words[start : start + size]) for start in range(len(words) - size + 1))
