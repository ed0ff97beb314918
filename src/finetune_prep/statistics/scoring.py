"""The score for many sets of answers: the same as `core.rubric.score`, on answers in order instead of by id."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from finetune_prep.core.rubric import Rubric, YesNo

Answers = Sequence[YesNo | None]
"""One answer for each question in the order of `Rubric.questions`; None = missing."""


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
        return self._mean([self._count(answers, places) for _, places in self._groups])

    def passed(self, answers: Answers) -> bool:
        """Whether no question of the gate is answered NO and the score reaches the threshold."""
        return self._reached(self.value(answers)) and all(answers[place] != "no" for place in self._gate)

    def deciding(self, answers: Answers) -> Iterator[int]:
        """Places of the questions without which this conversation would pass instead of fail, or fail instead of pass."""
        counts = [self._count(answers, places) for _, places in self._groups]
        reached = self._reached(self._mean(counts))
        blocking = [place for place in self._gate if answers[place] == "no"]
        if len(blocking) == 1 and reached:
            yield blocking[0]
        if blocking:
            return
        for number, (_, places) in enumerate(self._groups):
            yes, assessed = counts[number]
            for place in places:
                if answers[place] == "na" and not self._na_counts:
                    continue
                counts[number] = yes - (answers[place] != "no"), assessed - 1
                if self._reached(self._mean(counts)) != reached:
                    yield place
            counts[number] = yes, assessed

    def _count(self, answers: Answers, places: list[int]) -> tuple[int, int]:
        """How many count as YES, and of how many."""
        given = [answers[place] for place in places]
        against = given.count("no")
        in_favour = len(given) - against if self._na_counts else given.count("yes")
        return in_favour, in_favour + against

    def _mean(self, counts: list[tuple[int, int]]) -> float | None:
        total = weights = 0.0
        for (weight, _), (yes, assessed) in zip(self._groups, counts, strict=True):
            if assessed:
                total += weight * (yes / assessed)
                weights += weight
        return total / weights if weights else None

    def _reached(self, mean: float | None) -> bool:
        return mean is not None and mean >= self._threshold
