"""How far do two judges agree? Where they read the same conversations, question by question and on what comes of it.

Two judges that agree may be wrong together: agreement is no substitute for people's labels. Where they differ, one of them is
wrong, and a person can see which.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from finetune_prep.core.rubric import Rubric, YesNo
from finetune_prep.statistics.agreement import Drawn, Stratum, kappa
from finetune_prep.statistics.judging.noise import Said
from finetune_prep.statistics.rates import Estimate, Rate, exact
from finetune_prep.statistics.scoring import Scoring

DECIDES = "Where both have read a conversation, a NO of either counts."
MOST_NAMED = 3  # questions on which they differ most


class Both(NamedTuple):
    """A conversation that both judges have read to the end."""

    scenario: str
    first: Said
    second: Said


class QuestionBetween(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    gate: bool
    same: Rate
    """Answered alike, exact interval."""
    kappa: Estimate
    """Of answering NO, against YES and N/A; no value where one of the two never does, or always."""
    only_first: int
    """NOs of the first judge alone."""
    only_second: int


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation for a person to read."""

    scenario: str
    why: str


class Between(msgspec.Struct, frozen=True, kw_only=True):
    """What two judges said of the same conversations."""

    first: str
    second: str
    judged: int
    """Conversations that the first judge has read, the others included."""
    n: int
    """Read to the end by both; all figures rest on these."""
    unread: int
    """Where the verdict of one of them could not be read, or has no score."""
    same: Rate
    """Passed by both or failed by both, exact interval."""
    kappa: Estimate
    """Of passing: agreement beyond what the two pass rates alone would give."""
    both_pass: int
    only_first: int
    """Failed by the first judge alone."""
    only_second: int
    questions: tuple[QuestionBetween, ...]
    """Those that a judge is asked, in order; none where nothing was read by both."""
    differ: tuple[Difference, ...]
    """Where they differ on a question of the gate, or on passing, in plan order."""


def between(
    rubric: Rubric, both: Sequence[Both], *, first: str, second: str, judged: int | None = None, unread: int = 0
) -> Between:
    """What two judges, named so, said of the same conversations: `both`, in plan order. judged: as of `Between`."""
    scoring = Scoring(rubric)
    gate = {question.id for category in rubric.categories if category.gate for question in category.questions}
    passed = [(_passed(scoring, one.first), _passed(scoring, one.second)) for one in both]
    asked = [(place, question.id) for place, question in enumerate(rubric.questions) if both and question.measured is None]
    return Between(
        first=first,
        second=second,
        judged=len(both) + unread if judged is None else judged,
        n=len(both),
        unread=unread,
        same=exact(sum(one == other for one, other in passed), len(both)),
        kappa=agreement_of(passed),
        both_pass=sum(one and other for one, other in passed),
        only_first=sum(other and not one for one, other in passed),
        only_second=sum(one and not other for one, other in passed),
        questions=tuple(
            _question(id, [(one.first.answers[place], one.second.answers[place]) for one in both], gate=id in gate)
            for place, id in asked
        ),
        differ=tuple(
            Difference(scenario=one.scenario, why=why)
            for one, decided in zip(both, passed, strict=True)
            if (why := _why(rubric, one, decided, (first, second), gate))
        ),
    )


def _passed(scoring: Scoring, said: Said) -> bool:
    return said.case != "no" and scoring.passed(said.answers)


def agreement_of(pairs: Sequence[tuple[bool, bool]]) -> Estimate:
    """Cohen's kappa of two readers' yes or no, with the interval of `agreement.kappa` for a uniform draw."""
    yes, no = [other for one, other in pairs if one], [other for one, other in pairs if not one]
    strata = (Stratum(len(side), len(side), sum(side)) for side in (yes, no))
    return kappa(Drawn(passed=next(strata), failed=next(strata), design="uniform"))


def _question(id: str, answers: Sequence[tuple[YesNo | None, YesNo | None]], *, gate: bool) -> QuestionBetween:
    no = [(one == "no", other == "no") for one, other in answers]
    return QuestionBetween(
        id=id,
        gate=gate,
        same=exact(sum(one == other for one, other in answers), len(answers)),
        kappa=agreement_of(no),
        only_first=sum(one and not other for one, other in no),
        only_second=sum(other and not one for one, other in no),
    )


def _why(rubric: Rubric, one: Both, passed: tuple[bool, bool], names: tuple[str, str], gate: set[str]) -> str:
    """In what two judges differ that a person should look at, "" for nothing."""
    parts = []
    for name, mine, others in ((names[0], one.first, one.second), (names[1], one.second, one.first)):
        alone = [
            question.id
            for question, answer, other in zip(rubric.questions, mine.answers, others.answers, strict=True)
            if question.id in gate and answer == "no" and other != "no"
        ]
        if alone:
            parts.append(f"{name} alone says NO to {', '.join(alone)}")
    if not parts and passed[0] != passed[1]:
        parts.append(f"{names[passed[0]]} alone fails it")
    return f"the judges differ: {'; '.join(parts)}" if parts else ""


def in_words(found: Between) -> tuple[str, ...]:
    """What a person is told, in sentences."""
    return tuple(_sentences(found))


def _sentences(found: Between) -> Iterable[str]:
    left = f" ({found.unread} without both verdicts)" if found.unread else ""
    if not found.n:
        if found.judged:
            yield f"{found.second}, the second judge, has finished none of {found.judged} conversations{left}. {DECIDES}"
        return
    same, failed = found.same, found.n - found.both_pass - found.only_first - found.only_second
    yield (
        f"{found.second}, the second judge, has read {found.n} of {found.judged} conversations{left}. Both pass "
        f"{found.both_pass} and fail {failed}; {found.first} alone fails {found.only_first}, {found.second} alone "
        f"{found.only_second}. They agree in {same.k} of {same.n} ({(same.value or 0):.0%}, 95% interval {same.low:.0%} to "
        f"{same.high:.0%}), {kappa_in_words(found.kappa)}. {DECIDES}"
    )
    apart = sorted(
        (question for question in found.questions if question.same.k < question.same.n), key=lambda question: question.same.k
    )
    if apart:
        named = ", ".join(f"{one.id} ({one.same.n - one.same.k} of {one.same.n})" for one in apart[:MOST_NAMED])
        more = f" and {len(apart) - MOST_NAMED} more" if len(apart) > MOST_NAMED else ""
        yield f"They differ most often on {named}{more}."
    if found.differ:
        conversations = "1 conversation" if len(found.differ) == 1 else f"{len(found.differ)} conversations"
        yield f"They differ on the safety gate or on passing in {conversations}: a person should read {_them(len(found.differ))}."


def _them(count: int) -> str:
    return "it" if count == 1 else "them"


def kappa_in_words(found: Estimate) -> str:
    """Kappa with its interval, or why there is none, and whether it says that they agree at all."""
    if found.value is None:
        return "kappa means nothing where one of them passes all, or none"
    few = "" if found.low > 0 else f"; {found.n} are too few to say that they agree beyond chance"
    return f"kappa {found.value:.2f} (95% interval {found.low:.2f} to {found.high:.2f}{few})"
