"""The questions of a rubric as a report lists them: what each got, what it decides, and what probes say of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from finetune_prep.core.rubric import Rubric
from finetune_prep.exports.judging.twice import Twice
from finetune_prep.exports.talks.row import Row
from finetune_prep.statistics.judging.noise import QuestionNoise
from finetune_prep.statistics.rates import percent
from finetune_prep.statistics.scoring import Scoring


class QuestionLine(NamedTuple):
    """A question's line in the report."""

    id: str
    text: str
    gate: bool
    measured: bool
    yes: int
    no: int
    na: int
    share: float | None
    """YES answers among those where it applied, 0 to 1; None if it never did."""
    decides: int
    """Conversations that would pass instead of fail, or fail instead of pass, without this question."""
    probed: str
    """What probes of the present rubric and judge say of it, "" where there are none."""
    twice: str
    """What asking the judge a second time says of it, "" where nothing was judged twice."""

    @property
    def percent(self) -> str:
        """The share in words; "" if it never applied."""
        return "" if self.share is None else percent(self.share)


class Questions:
    """A rubric's questions while the rows of a run are counted, one by one. probed: question → the word of its probes."""

    def __init__(self, rubric: Rubric, probed: Mapping[str, str]) -> None:
        self._rubric = rubric
        self._probed = probed
        self._order = [question.id for question in rubric.questions]
        self._answered: dict[str, Counter[str | None]] = {id: Counter() for id in self._order}
        self._decides = Counter[str]()
        self._steadiness, self._scoring = Twice(rubric), Scoring(rubric)

    def take(self, row: Row) -> None:
        self._steadiness.take(row)
        if not row.answers:
            return
        given = [row.answers.get(id) for id in self._order]
        for id, answer in zip(self._order, given, strict=True):
            self._answered[id][answer] += 1
        if None not in given:
            self._decides.update(self._order[place] for place in self._scoring.decide(given).deciding)

    @property
    def found(self) -> list[QuestionLine]:
        """In document order, the gate first."""
        gates = {question.id for category in self._rubric.categories if category.gate for question in category.questions}
        steadiness = self._steadiness.found
        twice = {question.id: _twice(question) for question in (steadiness.questions if steadiness else ())}
        return [
            QuestionLine(
                id=question.id,
                text=question.text,
                gate=question.id in gates,
                measured=question.measured is not None,
                yes=counts["yes"],
                no=counts["no"],
                na=counts["na"],
                share=counts["yes"] / applied if (applied := counts["yes"] + counts["no"]) else None,
                decides=self._decides[question.id],
                probed=self._probed.get(question.id, ""),
                twice=twice.get(question.id, ""),
            )
            for question in self._rubric.questions
            for counts in (self._answered[question.id],)
        ]


def _twice(question: QuestionNoise) -> str:
    """How often it was answered otherwise, and whether that is much; of a question that never was, only what is known."""
    if not question.flips.k:
        return "steady" if question.word == "steady" else ""
    noisy = "noisy, " if question.word == "noisy" else ""
    return f"{noisy}{question.flips.k} of {question.flips.n} answered differently the second time"
