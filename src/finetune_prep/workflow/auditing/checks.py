"""The checks of an audit: each is given every row once, in order, and says at the end what it found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Protocol

from finetune_prep.conversations.contamination import Contamination
from finetune_prep.conversations.language import language_of
from finetune_prep.conversations.near import Near, runs_of, words_of
from finetune_prep.core.conversation import Conversation
from finetune_prep.core.sample import Sample
from finetune_prep.invisible import invisible
from finetune_prep.statistics.diversity import OFTEN, QUESTION, Kind, patterns
from finetune_prep.statistics.volume.stock_phrases import Recurring
from finetune_prep.words import count_words
from finetune_prep.workflow.auditing.flags import Flag, Level, flag, listed, rows_that

MANY_ALIKE = 0.005  # of the rows; more near-duplicates than that are learnt by heart
IN_REPLIES = 0.5  # a phrase in more replies than that is a habit that a model takes over
IN_CONVERSATIONS = 0.6  # the same of conversations, which have several replies: to be looked at
ENOUGH_WORDS = 20  # of a reply, to tell its language
LANGUAGES = ({"zh", "yue", "wuu"}, {"no", "nb", "nn"}, {"sr", "hr", "bs", "sh"}, {"id", "ms"})  # that are not told apart
PHRASES = 5  # that are shown
ARC = 1.6  # times as long as the first replies, or as short, that the last ones are


class Check(Protocol):
    def take(self, sample: Sample, said: Conversation) -> None: ...

    def flags(self) -> Iterator[Flag]: ...


class Duplicates:
    """Rows that say the same as an earlier one, or nearly."""

    def __init__(self) -> None:
        self._near = Near()
        self._ids: list[str] = []
        self._seen: dict[str, str] = {}
        self.same: list[tuple[str, str]] = []
        self.alike: list[tuple[str, str, float]] = []

    def take(self, sample: Sample, said: Conversation) -> None:
        id = sample.scenario.id
        if (first := self._seen.setdefault(said.id, id)) != id:
            self.same.append((id, first))
        runs = runs_of(said)
        if first == id and (found := self._near.earlier(runs)):
            self.alike.append((id, self._ids[found[0]], found[1]))
        self._near.add(runs)
        self._ids.append(id)

    def flags(self) -> Iterator[Flag]:
        if self.same:
            rows = [id for id, _ in self.same]
            details = [f"{id} says the same as {first}" for id, first in self.same]
            what = f"{rows_that(len(rows), 'say')} word for word what an earlier one says: {listed(rows)}"
            yield flag("duplicates", "red", what, rows, details)
        if self.alike:
            rows = [id for id, *_ in self.alike]
            details = [f"{id} is {share:.0%} the same as {first}" for id, first, share in self.alike]
            level: Level = "red" if len(rows) > MANY_ALIKE * len(self._ids) else "yellow"
            what = f"{len(rows):,} of {len(self._ids):,} rows say nearly the same as an earlier one: {listed(rows)}"
            yield flag("near-duplicates", level, what, rows, details)


class Invisible:
    """Characters that nobody sees and every model learns."""

    def __init__(self) -> None:
        self._rows: dict[str, str] = {}

    def take(self, sample: Sample, said: Conversation) -> None:
        for message in said.messages:
            if (found := next(invisible(message.content), None)) is not None:
                self._rows.setdefault(sample.scenario.id, f"{message.role}, character {found[0] + 1}: {found[1]}")

    def flags(self) -> Iterator[Flag]:
        if self._rows:
            rows = [*self._rows]
            what = f"{rows_that(len(rows), 'hold')} characters that nobody sees: {listed(rows)}"
            yield flag("invisible-characters", "red", what, rows, [f"{id}: {where}" for id, where in self._rows.items()])


class Languages:
    """Replies that are in another language than the brief asks for, where that can be told for sure."""

    def __init__(self, language: str) -> None:
        self._wanted = _family(language)
        self._named = language
        self._rows: dict[str, str] = {}

    def take(self, sample: Sample, said: Conversation) -> None:
        for reply in said.spoken_by("assistant"):
            if count_words(reply) >= ENOUGH_WORDS:
                guess = language_of(reply)
                if guess.sure and _family(guess.tag) != self._wanted:
                    self._rows.setdefault(sample.scenario.id, guess.tag)

    def flags(self) -> Iterator[Flag]:
        if self._rows:
            rows = [*self._rows]
            what = f"{rows_that(len(rows), 'have')} a reply in another language than {self._named}: {listed(rows)}"
            yield flag("language", "red", what, rows, [f"{id}: {tag}" for id, tag in self._rows.items()])


def _family(tag: str) -> frozenset[str]:
    base = tag.partition("-")[0].casefold()
    return next((frozenset(family) for family in LANGUAGES if base in family), frozenset({base}))


class Phrases:
    """Words that recur in a large share of the replies, or of the conversations: a model learns them as its own."""

    def __init__(self, sample: Sequence[Conversation]) -> None:
        replies = [words_of(reply) for said in sample for reply in said.spoken_by("assistant")]
        self._in_replies = Recurring(replies, IN_REPLIES)
        talks = [[word for reply in said.spoken_by("assistant") for word in words_of(reply)] for said in sample]
        self._in_talks = Recurring(talks, IN_CONVERSATIONS)
        edges: tuple[Kind, ...] = ("opening", "ending")
        self._edges: dict[Kind, set[str]] = {
            kind: {
                words
                for words, count in Counter(
                    patterns(reply).get(kind, "") for said in sample for reply in said.spoken_by("assistant")
                ).items()
                if words and count >= OFTEN / 2 * len(replies)
            }
            for kind in edges
        }
        self._counts: Counter[tuple[Kind, str]] = Counter()
        self._replies = 0

    def take(self, sample: Sample, said: Conversation) -> None:
        replies = said.spoken_by("assistant")
        split = [words_of(reply) for reply in replies]
        for words in split:
            self._in_replies.take([words])
        self._in_talks.take(split)
        self._replies += len(replies)
        if any(self._edges.values()):
            for reply in replies:
                found = patterns(reply)
                self._counts.update((kind, found[kind]) for kind, often in self._edges.items() if found.get(kind) in often)

    def flags(self) -> Iterator[Flag]:
        for (kind, words), count in self._counts.most_common():
            if count > OFTEN * self._replies:
                verb = "begin" if kind == "opening" else "end"
                yield flag("stock-phrases", "red", f"{count / self._replies:.0%} of the replies {verb} with “{words}”")
        often = self._in_replies.found(PHRASES)
        for habit in often:
            yield flag("stock-phrases", "red", f"“{habit.words}” stands in {habit.share:.0%} of the replies")
        for habit in self._in_talks.found(PHRASES):
            if not any(habit.words in known.words or known.words in habit.words for known in often):
                yield flag("stock-phrases", "yellow", f"“{habit.words}” stands in {habit.share:.0%} of the conversations")


class Lengths:
    """How long replies are, beside what they answer and over the course of a conversation; how often they end on a question."""

    def __init__(self) -> None:
        self.replies = self.questions = self.over_twice = 0
        self.ratio = 0.0
        self._first = self._last = 0
        self._talks = 0

    def take(self, sample: Sample, said: Conversation) -> None:
        lengths = []
        for before, after in pairwise(said.messages):
            if (before.role, after.role) == ("user", "assistant"):
                words = count_words(after.content)
                times = words / max(1, count_words(before.content))
                lengths.append(words)
                self.replies += 1
                self.ratio += times
                self.over_twice += times > 2
                self.questions += patterns(after.content).get("last sentence") == QUESTION
        if len(lengths) > 1:
            self._talks += 1
            self._first += lengths[0]
            self._last += lengths[-1]

    @property
    def arc(self) -> float | None:
        """Words of the last replies for each word of the first ones; None where all conversations have one reply."""
        return self._last / self._first if self._talks and self._first else None

    def flags(self) -> Iterator[Flag]:
        if self.replies and self.questions > 0.6 * self.replies:
            yield flag("habits", "yellow", f"{self.questions / self.replies:.0%} of the replies end on a question")
        if self.replies and self.over_twice > 0.35 * self.replies:
            share = self.over_twice / self.replies
            yield flag("lengths", "yellow", f"{share:.0%} of the replies have more than twice the words of what they answer")
        if self.arc is not None and not 1 / ARC <= self.arc <= ARC:
            what = f"last replies have {self.arc:.1f} times the words of the first ones: replies drift in length"
            yield flag("lengths", "yellow", what)


class Copies:
    """Texts that are not to be trained. name: of the check. kind: what these texts are."""

    def __init__(self, name: str, kind: str, found_in: Contamination, situations: Mapping[str, str]) -> None:
        self._name = name
        self._kind = kind
        self._found_in = found_in
        self._situations = situations
        self._families: dict[str, str] = {}

    def take(self, sample: Sample, said: Conversation) -> None:
        self._found_in.take(sample.scenario.id, said)
        if where := self._situations.get(" ".join(sample.scenario.situation.text.split())):
            self._families[sample.scenario.id] = where

    def flags(self) -> Iterator[Flag]:
        if found := self._found_in.found():
            rows = [*dict.fromkeys(one.conversation for one in found)]
            details = [f"{one.conversation} holds {one.where}: {one.how}" for one in found]
            yield flag(self._name, "red", f"{rows_that(len(rows), 'hold')} words of {self._kind}: {listed(rows)}", rows, details)
        if self._families:
            rows = [*self._families]
            what = f"{rows_that(len(rows), 'are')} of the same situations as {self._kind}, in other words: {listed(rows)}"
            yield flag(
                self._name, "red", what, rows, [f"{id} is of the situation of {where}" for id, where in self._families.items()]
            )
