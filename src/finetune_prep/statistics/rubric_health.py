"""Is a question any good? What a judge's answers on many conversations say of each question of the rubric.

Nothing here re-weights a rubric: it names questions for a person to look at. Judges that answer all questions from one impression
make every correlation high, so that a correlation alone accuses nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Literal

import msgspec

from finetune_prep.core.rubric import Rubric
from finetune_prep.statistics.correlation import Sums, phi, phi_lower_bound
from finetune_prep.statistics.rates import Estimate, Rate, exact, lower_bound, upper_bound
from finetune_prep.statistics.scoring import Answers, Scoring

DEAD = 0.05  # the minority's share, below which a question tells nothing apart (docs/decisions/0022)
REDUNDANT, MOST_DISCORDANT, FEWEST_MINORITY = 0.8, 2, 5  # phi; conversations; answers on the rarer side. Conventions, untested
NOISY = 0.10  # of conversations that are answered otherwise the second time; re-runs of sound judges flip 9–13% of whole verdicts
FEWEST_PAIRS = 10  # conversations before a correlation accuses anybody: Fisher's z is for more than a handful
_MOST_NEEDED = 1000  # conversations; beyond, more of them are no advice

Liveliness = Literal["alive", "dead", "too few to say", "gate"]


class Twin(msgspec.Struct, frozen=True, kw_only=True):
    """Two questions answered alike. discordant: of n conversations, how many are answered otherwise."""

    one: str
    other: str
    phi: float
    low: float
    """One-sided 95% lower bound."""
    discordant: int
    n: int


class QuestionHealth(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    yes: Rate
    """YES of YES and NO, exact interval."""
    na: int
    missing: int
    life: Liveliness
    """Dead: the rarer answer has a share whose upper 95% bound is below .05. A gate is never dead by its rate: that all pass is
    its aim."""
    more: int
    """Conversations with the same answers that would tell, where there are too few; 0 where more would not help."""
    item_rest: Estimate
    """Correlation of YES with the share of YES among the other questions."""
    item_pass: Estimate
    """Correlation of YES with the conversation's passing."""
    reversed: bool
    """Whether it speaks against the others: the upper end of `item_rest` is below 0, over ten conversations at least."""
    deciding: int
    """Conversations that would pass instead of fail, or fail instead of pass, without this question."""
    flips: Rate | None
    """Answered otherwise when the same judge was asked again; None if nothing was judged twice."""
    noisy: bool
    """Whether the one-sided 95% lower bound of `flips` is above .10."""


class RubricHealth(msgspec.Struct, frozen=True, kw_only=True):
    """conversations: with any answer. complete: with all, which `item_pass` and `deciding` rest on. repeats: judged twice."""

    conversations: int
    complete: int
    repeats: int
    questions: tuple[QuestionHealth, ...]
    redundant: tuple[Twin, ...]


def rubric_health(rubric: Rubric, rows: Sequence[Answers], repeats: Sequence[tuple[Answers, Answers]] = ()) -> RubricHealth:
    """What the answers say of each question.

    rows: one for each conversation, answers in the order of `rubric.questions`. repeats: what the same judge said of the same
    conversation the first and the second time.
    """
    scoring = Scoring(rubric)
    gate = {question.id for category in rubric.categories if category.gate for question in category.questions}
    complete = [row for row in rows if None not in row]
    deciding = [0] * len(rubric.questions)
    passed = []
    for row in complete:
        decided = scoring.decide(row)
        passed.append(decided.passed)
        for place in decided.deciding:
            deciding[place] += 1
    rest = _item_rest(rows, len(deciding))
    passing = _item_pass(complete, passed, len(deciding))
    return RubricHealth(
        conversations=len(rows),
        complete=len(complete),
        repeats=len(repeats),
        questions=tuple(
            _question(question.id, question.id in gate, [row[place] for row in rows], rest[place], passing[place],
            deciding[place],
                      [(one[place], other[place]) for one, other in repeats])
            for place, question in enumerate(rubric.questions)
        ),
        redundant=tuple(_twins(rubric, rows)),
    )  # fmt: skip


def _question(
    id: str,
    is_gate: bool,
    answers: Answers,
    rest: Sums,
    passing: Sums,
    deciding: int,
    repeats: Iterable[tuple[str | None, str | None]],
) -> QuestionHealth:
    yes = exact(answers.count("yes"), answers.count("yes") + answers.count("no"))
    item_rest = rest.correlation()
    both = [(one, other) for one, other in repeats if one is not None and other is not None]
    flips = exact(sum(one != other for one, other in both), len(both)) if both else None
    life, more = liveliness(yes.k, yes.n)
    return QuestionHealth(
        id=id,
        yes=yes,
        na=answers.count("na"),
        missing=answers.count(None),
        life="gate" if is_gate else life,
        more=0 if is_gate else more,
        item_rest=item_rest,
        item_pass=passing.correlation(),
        reversed=item_rest.value is not None and item_rest.n >= FEWEST_PAIRS and item_rest.high < 0,
        deciding=deciding,
        flips=flips,
        noisy=flips is not None and lower_bound(flips.k, flips.n) > NOISY,
    )


def liveliness(yes: int, n: int) -> tuple[Liveliness, int]:
    """Whether a question with so many YES of n tells conversations apart, and how many more would say so if they are alike."""
    minority = min(yes, n - yes)
    if upper_bound(minority, n) < DEAD:
        return "dead", 0
    if minority and minority / n >= DEAD:
        return "alive", 0
    needed = next((size for size in range(n + 1, n + _MOST_NEEDED) if upper_bound(minority, size) < DEAD), n)
    return "too few to say", needed - n


def _item_rest(rows: Iterable[Answers], questions: int) -> list[Sums]:
    sums = [Sums() for _ in range(questions)]
    for row in rows:
        yes = row.count("yes")
        others = yes + row.count("no") - 1
        if others < 1:
            continue
        for place, answer in enumerate(row):
            if answer == "yes":
                sums[place].add(1.0, (yes - 1) / others)
            elif answer == "no":
                sums[place].add(0.0, yes / others)
    return sums


def _item_pass(rows: Iterable[Answers], passed: Iterable[bool], questions: int) -> list[Sums]:
    sums = [Sums() for _ in range(questions)]
    for row, good in zip(rows, passed, strict=True):
        for place, answer in enumerate(row):
            if answer != "na":
                sums[place].add(float(answer == "yes"), float(good))
    return sums


def _twins(rubric: Rubric, rows: Sequence[Answers]) -> Iterable[Twin]:
    """Pairs of questions of which one can go: phi is at least .8 for sure, and two conversations at most tell them apart."""
    ids = [question.id for question in rubric.questions]
    said = [{answer: _bits(row[place] == answer for row in rows) for answer in ("yes", "no")} for place in range(len(ids))]
    for (one, first), (other, second) in combinations(zip(ids, said, strict=True), 2):
        table = [(first[a] & second[b]).bit_count() for a, b in (("yes", "yes"), ("yes", "no"), ("no", "yes"), ("no", "no"))]
        both, only_first, only_second, neither = table
        rarer = min(both + only_first, both + only_second, neither + only_first, neither + only_second)
        if rarer < FEWEST_MINORITY or only_first + only_second > MOST_DISCORDANT:
            continue
        low, value = phi_lower_bound(*table), phi(*table)
        if value is not None and low >= REDUNDANT:
            yield Twin(one=one, other=other, phi=value, low=low, discordant=only_first + only_second, n=sum(table))


def _bits(flags: Iterable[bool]) -> int:
    """One bit for each flag."""
    return int("".join("1" if flag else "0" for flag in flags) or "0", 2)
