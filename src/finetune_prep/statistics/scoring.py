"""The score for many sets of answers: the same as `core.rubric.score`, on answers in order instead of by id."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import fmean, median
from typing import NamedTuple

from finetune_prep.core.rubric import Rubric, YesNo

Answers = Sequence[YesNo | None]
"""One answer for each question in the order of `Rubric.questions`; None = missing."""


class Decided(NamedTuple):
    """value: the score, 0 to 1, None if nothing was assessed.

    deciding: places of the questions without which this conversation would pass instead of fail, or fail instead of pass.
    """

    value: float | None
    passed: bool
    deciding: tuple[int, ...]


class Applied(NamedTuple):
    """How far a rubric applied to the conversations that it was put to.

    na: share of N/A among the answers. median: of the conversations, the share of the questions that applied. thin: conversations
    in which a weighted category rests on one question, since no other one of it applied. All shares 0 to 1.
    """

    conversations: int
    na: float
    median: float
    thin: int


class Scoring:
    """A rubric prepared for scoring. Everything here asks for complete answers: nothing may be None."""

    def __init__(self, rubric: Rubric) -> None:
        places = {question.id: place for place, question in enumerate(rubric.questions)}
        self._threshold = rubric.threshold - 1e-9  # as in `score`
        self._na_counts = rubric.na_counts
        self._gate: list[int] = []
        self._groups: list[tuple[float, list[int]]] = []
        for category in rubric.categories:
            mine = [places[question.id] for question in category.questions]
            if category.weight is None:
                self._gate += mine
            else:
                self._groups.append((category.weight, mine))

    def value(self, answers: Answers) -> float | None:
        """The weighted mean of category scores, 0 to 1; None if nothing was assessed."""
        return self._mean(self._counts(answers))

    def passed(self, answers: Answers) -> bool:
        """Whether no question of the gate is answered NO and the score reaches the threshold."""
        return self._reached(self.value(answers)) and not self._blocking(answers)

    def decide(self, answers: Answers) -> Decided:
        """Score, passing and the deciding questions, in one go."""
        counts = self._counts(answers)
        value = self._mean(counts)
        reached, blocking = self._reached(value), self._blocking(answers)
        if blocking:
            return Decided(value, False, tuple(blocking) if reached and len(blocking) == 1 else ())
        return Decided(value, reached, tuple(self._deciding(answers, counts, reached)))

    def applied(self, answers: Sequence[Answers]) -> Applied | None:
        """How far the questions applied; None without a conversation or a question."""
        if not answers or not answers[0]:
            return None
        missed = [sum(answer == "na" for answer in given) / len(given) for given in answers]
        return Applied(len(answers), fmean(missed), 1 - median(missed), sum(map(self._thin, answers)))

    def _thin(self, answers: Answers) -> bool:
        return any(sum(answers[place] != "na" for place in places) == 1 for _, places in self._groups)

    def _deciding(self, answers: Answers, counts: list[tuple[int, int]], reached: bool) -> Iterator[int]:
        """Without which question the score would fall below the threshold, or reach it.

        Leaving out a YES never raises the score and leaving out a NO never lowers it, so only one of the two is tried.
        """
        for number, (_, places) in enumerate(self._groups):
            yes, assessed = counts[number]
            if not (yes if reached else assessed - yes):
                continue
            counts[number] = yes - reached, assessed - 1
            if self._reached(self._mean(counts)) != reached:
                for place in places:
                    answer = answers[place]
                    if (answer == "no") != reached and (answer != "na" or self._na_counts):
                        yield place
            counts[number] = yes, assessed

    def _blocking(self, answers: Answers) -> list[int]:
        return [place for place in self._gate if answers[place] == "no"]

    def _counts(self, answers: Answers) -> list[tuple[int, int]]:
        return [self._count(answers, places) for _, places in self._groups]

    def _count(self, answers: Answers, places: list[int]) -> tuple[int, int]:
        """How many count as YES, and of how many."""
        yes = no = 0
        for place in places:
            answer = answers[place]
            if answer == "yes" or (answer == "na" and self._na_counts):
                yes += 1
            elif answer == "no":
                no += 1
        return yes, yes + no

    def _mean(self, counts: list[tuple[int, int]]) -> float | None:
        total = weights = 0.0
        for (weight, _), (yes, assessed) in zip(self._groups, counts, strict=True):
            if assessed:
                total += weight * (yes / assessed)
                weights += weight
        return total / weights if weights else None

    def _reached(self, mean: float | None) -> bool:
        return mean is not None and mean >= self._threshold
