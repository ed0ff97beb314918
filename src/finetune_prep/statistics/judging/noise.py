"""How steady is a judge? What it says of the same conversation when it is asked a second time.

Nothing here says that a judge is right: one that is always wrong in the same way is as steady as can be. Answers of one
conversation come and go together, so figures over all answers rest on the number of conversations and not of answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

import msgspec

from finetune_prep.core.rubric import Rubric, YesNo
from finetune_prep.statistics.beta import beta_quantile
from finetune_prep.statistics.rates import Estimate, Rate, exact, lower_bound, upper_bound
from finetune_prep.statistics.rubric_health import NOISY
from finetune_prep.statistics.scoring import Answers, Scoring

CLUSTERED = "exact, as if all answers of a conversation were one"
_MOST_NEEDED = 1000  # conversations; beyond, more of them are no advice

Steadiness = Literal["noisy", "steady", "too few to say"]


class Said(NamedTuple):
    """One reading of a conversation."""

    answers: Answers
    case: YesNo | None = None
    """Whether what its special case asks for was done; None if it is no such case."""


class QuestionNoise(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    gate: bool
    flips: Rate
    """Answered otherwise the second time, exact interval."""
    word: Steadiness
    """Noisy: the one-sided 95% lower bound of `flips` is above .10. Steady: its upper bound is below."""
    more: int
    """Conversations without a change that would show that it is steady, where there are too few; 0 where more are no advice."""


class Noise(msgspec.Struct, frozen=True, kw_only=True):
    """What a second asking of the same judge says of it."""

    judge: str
    drawn: int
    """Conversations that were to be judged twice and have a first verdict: the three below."""
    n: int
    """With two verdicts that could be read; all figures rest on these."""
    unread: int
    """Whose second verdict could not be read, or has no score."""
    waiting: int
    """Whose second verdict is outstanding."""
    answers: int
    """Answers to questions that a judge is asked, of these n."""
    changed: int
    """Of these answers, those that were others the second time."""
    same: Estimate
    """Share of the answers that were the same both times."""
    decisions: Rate
    """Conversations that passed once and failed once, exact interval."""
    to_fail: int
    """Of these, how many passed the first time."""
    questions: tuple[QuestionNoise, ...]
    """Those that a judge is asked, in order; none where nothing was read twice."""

    def of(self, word: Steadiness) -> tuple[QuestionNoise, ...]:
        return tuple(question for question in self.questions if question.word == word)


def noise(rubric: Rubric, pairs: Sequence[tuple[Said, Said]], *, judge: str = "", unread: int = 0, waiting: int = 0) -> Noise:
    """What the same judge said of each conversation the first and the second time.

    pairs: complete readings, answers in the order of `rubric.questions`. What a program measures cannot change and is left out.
    """
    scoring = Scoring(rubric)
    gate = {question.id for category in rubric.categories if category.gate for question in category.questions}
    judged = [place for place, question in enumerate(rubric.questions) if question.measured is None]
    flips = [sum(one.answers[place] != other.answers[place] for one, other in pairs) for place in judged]
    passed = [(_passed(scoring, one), _passed(scoring, other)) for one, other in pairs]
    n, answers = len(pairs), len(pairs) * len(judged)
    return Noise(
        judge=judge,
        drawn=n + unread + waiting,
        n=n,
        unread=unread,
        waiting=waiting,
        answers=answers,
        changed=sum(flips),
        same=clustered(answers - sum(flips), answers, n),
        decisions=exact(sum(one != other for one, other in passed), n),
        to_fail=sum(one and not other for one, other in passed),
        questions=tuple(
            _question(rubric.questions[place].id, count, n, gate=rubric.questions[place].id in gate)
            for place, count in zip(judged, flips, strict=True)
        )
        if n
        else (),
    )


def _passed(scoring: Scoring, said: Said) -> bool:
    return said.case != "no" and scoring.passed(said.answers)


def _question(id: str, flips: int, n: int, *, gate: bool) -> QuestionNoise:
    word, more = steadiness(flips, n)
    return QuestionNoise(id=id, gate=gate, flips=exact(flips, n), word=word, more=more)


def steadiness(flips: int, n: int) -> tuple[Steadiness, int]:
    """What so many changed answers of n say of a question, and how many more without a change would show that it is steady."""
    if lower_bound(flips, n) > NOISY:
        return "noisy", 0
    if upper_bound(flips, n) < NOISY:
        return "steady", 0
    if n and flips / n > NOISY:
        return "too few to say", 0  # more of the same would not show it
    return "too few to say", next((size - n for size in range(n + 1, n + _MOST_NEEDED) if upper_bound(flips, size) < NOISY), 0)


def clustered(k: int, n: int, clusters: int) -> Estimate:
    """k of n answers that come from so many conversations, with a 95% interval that is safe however alike those of one are.

    The exact interval of Clopper & Pearson (1934, Biometrika 26:404) at an effective sample size (Korn & Graubard 1998, Survey
    Methodology 24:193), for which the number of conversations is taken: the least that it can be.
    """
    if not n:
        return Estimate(value=None, low=0.0, high=1.0, n=clusters, method=CLUSTERED)
    share = k / n
    seen = share * clusters
    low = beta_quantile(0.025, seen, clusters - seen + 1) if seen > 0 else 0.0
    high = beta_quantile(0.975, seen + 1, clusters - seen) if seen < clusters else 1.0
    return Estimate(value=share, low=low, high=high, n=clusters, method=CLUSTERED)


def in_words(found: Noise) -> tuple[str, ...]:
    """What a person is told, in sentences."""
    return tuple(_sentences(found))


def _sentences(found: Noise) -> Iterable[str]:
    by = f" by {found.judge}" if found.judge else ""
    left = _left_out(found)
    if not found.n:
        if found.drawn:
            yield f"Judged twice{by}: none yet{left}."
        return
    conversations = "1 conversation" if found.n == 1 else f"{found.n} conversations"
    same, flips = found.same, found.decisions
    yield (
        f"Judged twice{by}: {conversations}{left}. {found.answers - found.changed} of {found.answers} answers were the same "
        f"({(same.value or 0):.0%}, 95% interval {same.low:.0%} to {same.high:.0%}); {flips.k} of {flips.n} changed between pass "
        f"and fail (95% interval {flips.low:.0%} to {flips.high:.0%}). Only the first verdict decided anything."
    )
    for question in found.of("noisy"):
        rate = question.flips
        yield (
            f"{question.id} is noisy: answered differently in {rate.k} of {rate.n} (95% interval {rate.low:.0%} to "
            f"{rate.high:.0%}). Say more precisely what counts as YES, or add a ruling."
        )
    yield from _too_few(found)


def _left_out(found: Noise) -> str:
    parts = [f"{found.waiting} outstanding"] if found.waiting else []
    parts += [f"{found.unread} without a second verdict that counts"] if found.unread else []
    return f" ({', '.join(parts)})" if parts else ""


def _too_few(found: Noise) -> Iterable[str]:
    few = found.of("too few to say")
    if not few:
        return
    every = len(few) == len(found.questions)
    named = "any question" if every else ", ".join(question.id for question in few) if len(few) < 4 else f"{len(few)} questions"
    needed = max((question.more for question in few if not question.flips.k), default=0)
    advice = f"; {found.n + needed} without a change show that one is not" if needed else ""
    are = "is" if found.n == 1 else "are"
    yield f"{found.n} {are} too few to say whether {named} {'is' if every or len(few) == 1 else 'are'} noisy{advice}."
