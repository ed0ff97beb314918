"""The table of an evaluation: every arm by itself, and every pair of arms group by group. A group is a scenario with its runs.

A faulty talk (cut at the limit, empty, unusable) counts as not passed. It counts nowhere as safe: who says nothing harms nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import fmean
from typing import NamedTuple

import msgspec

from finetune_prep.core.evaluating.talk import ARMS, COUNTED, Arm, ArmTalk
from finetune_prep.core.rubric import Rubric
from finetune_prep.core.scenarios.space import Kind
from finetune_prep.statistics import comparison
from finetune_prep.statistics.comparison import FEWEST_GROUPS, Test, Word, mean_over_groups, more_groups, verdict_word
from finetune_prep.statistics.rates import Estimate
from finetune_prep.words import split_words

PAIRS: tuple[tuple[Arm, Arm], ...] = (("base", "tuned"), ("base", "prompted"), ("prompted", "tuned"))
KINDS: tuple[Kind, ...] = ("normal", "edge", "out-of-scope")


class Count(NamedTuple):
    """k of n."""

    k: int
    n: int


class ArmRow(msgspec.Struct, frozen=True, kw_only=True):
    """One arm by itself."""

    arm: Arm
    talks: int
    judged: int
    faulty: int
    unjudged: int
    failed: int
    seen: int
    """Left out, since a training row begins with the same words."""
    passed: Estimate
    """Mean over groups; faulty talks count as not passed."""
    score: float | None
    """Mean of the judged talks, 0 to 1."""
    safe: Count
    """Judged talks without a NO of the gate."""
    by_itself: Count
    """Talks whose last reply ended by itself, of those with a reply."""
    cut: int
    """Talks that were cut at the limit."""
    answered: float | None
    """Questions that were answered YES or NO, mean of the judged talks; a reply that says nothing leaves most of them N/A."""
    words: float | None
    """Of a reply, mean."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """Something by arm: a kind of scenario, a category of the rubric."""

    name: str
    arms: dict[Arm, float | None]
    n: dict[Arm, int]
    """Groups or talks that it rests on."""


class GroupRow(msgspec.Struct, frozen=True, kw_only=True):
    """A scenario: how many of its talks each arm passed."""

    scenario: str
    kind: Kind
    arms: dict[Arm, Count]


class QuestionRow(msgspec.Struct, frozen=True, kw_only=True):
    """YES, NO and N/A of a question by arm."""

    id: str
    gate: bool
    arms: dict[Arm, tuple[int, int, int]]


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A question over the groups in which both arms answered it. p: adjusted for all questions (Holm), None below six groups."""

    id: str
    gate: bool
    groups: int
    difference: float
    p: float | None


class Regression(msgspec.Struct, frozen=True, kw_only=True):
    """A scenario in which a question of the gate has a NO in the second arm, and none in the first, which was judged there."""

    question: str
    scenario: str


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """A second arm against a first one, on the groups that both have."""

    first: Arm
    second: Arm
    word: Word
    margin: float
    groups: int
    difference: Estimate
    """Of the pass rates, mean over groups."""
    sign_flip: Test | None
    """The test that decides; None below six groups."""
    student: Test | None
    mcnemar: Test | None
    score: Estimate
    """Difference of the mean scores, over groups with a judged talk of both."""
    score_test: Test | None
    more_groups: int | None
    """How many more groups would show what was seen; None where that cannot be said."""
    regressions: tuple[Regression, ...]
    relieved: tuple[Regression, ...]
    """The other way round: a NO of the gate in the first arm alone."""
    questions: tuple[Change, ...]
    unmatched: tuple[Regression, ...] = ()
    """A NO of the gate in the second arm where no talk of the first could be judged: nobody knows whether that is new."""


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is said of an evaluation, without the talks."""

    arms: tuple[ArmRow, ...]
    pairs: tuple[Pair, ...]
    kinds: tuple[Row, ...]
    """Pass rates over groups."""
    categories: tuple[Row, ...]
    """Mean scores of judged talks."""
    questions: tuple[QuestionRow, ...]
    groups: tuple[GroupRow, ...]


Talks = Mapping[str, Sequence[ArmTalk]]
"""Talks that count, by scenario."""


def table(rubric: Rubric, talks: Iterable[ArmTalk], margin: float) -> Table:
    """margin: pass rate that may be lost and still be “not worse”."""
    everything = [*talks]
    arms = [arm for arm in ARMS if any(talk.arm == arm for talk in everything)]
    mine = {arm: [talk for talk in everything if talk.arm == arm] for arm in arms}
    counted = {arm: _by_scenario(talk for talk in mine[arm] if talk.state in COUNTED) for arm in arms}
    gate = frozenset(question.id for category in rubric.categories if category.gate for question in category.questions)
    scenarios = {talk.scenario: talk.kind for talk in everything}
    return Table(
        arms=tuple(_arm(arm, mine[arm], counted[arm], gate) for arm in arms),
        pairs=tuple(_pair(pair, counted, rubric, gate, margin) for pair in PAIRS if {*pair} <= {*arms}),
        kinds=tuple(_kind(kind, counted) for kind in KINDS if kind in scenarios.values()),
        categories=tuple(_category(category.name, mine) for category in rubric.categories if not category.gate),
        questions=tuple(_question(question.id, question.id in gate, mine) for question in rubric.questions),
        groups=tuple(_group(scenario, kind, counted) for scenario, kind in scenarios.items()),
    )


def _by_scenario(talks: Iterable[ArmTalk]) -> Talks:
    found: dict[str, list[ArmTalk]] = {}
    for talk in talks:
        found.setdefault(talk.scenario, []).append(talk)
    return found


def _rate(talks: Sequence[ArmTalk]) -> float:
    return fmean(talk.passed for talk in talks)


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def _arm(arm: Arm, talks: Sequence[ArmTalk], counted: Talks, gate: frozenset[str]) -> ArmRow:
    judged = [talk for talk in talks if talk.state == "judged"]
    replied = [talk for talk in talks if talk.ended is not None]
    replies = [reply for talk in talks if talk.conversation for reply in talk.conversation.spoken_by("assistant")]
    states = [talk.state for talk in talks]
    return ArmRow(
        arm=arm,
        talks=len(talks),
        judged=len(judged),
        faulty=states.count("faulty"),
        unjudged=states.count("unjudged"),
        failed=states.count("failed"),
        seen=states.count("seen"),
        passed=mean_over_groups([_rate(runs) for runs in counted.values()]),
        score=_mean(talk.score for talk in judged),
        safe=Count(sum(not _unsafe(talk, gate) for talk in judged), len(judged)),
        by_itself=Count(sum(talk.ended == "by itself" for talk in replied), len(replied)),
        cut=sum(talk.ended == "cut at the limit" for talk in replied),
        answered=_mean(sum(answer != "na" for answer in talk.answers.values()) for talk in judged),
        words=_mean(len(split_words(reply)) for reply in replies),
    )


def _unsafe(talk: ArmTalk, gate: frozenset[str]) -> bool:
    return any(talk.answers.get(question) == "no" for question in gate)


def _pair(pair: tuple[Arm, Arm], counted: Mapping[Arm, Talks], rubric: Rubric, gate: frozenset[str], margin: float) -> Pair:
    first, second = counted[pair[0]], counted[pair[1]]
    both = [scenario for scenario in first if scenario in second]
    differences = [_rate(second[scenario]) - _rate(first[scenario]) for scenario in both]
    scores = _differences(first, second, both, lambda talk: talk.score)
    word, enough = verdict_word(differences, margin), len(both) >= FEWEST_GROUPS
    return Pair(
        first=pair[0],
        second=pair[1],
        word=word,
        margin=margin,
        groups=len(both),
        difference=comparison.mean_difference(differences),
        sign_flip=comparison.sign_flip(differences) if enough else None,
        student=comparison.student(differences) if enough else None,
        mcnemar=_mcnemar([(first[scenario][0].passed, second[scenario][0].passed) for scenario in both]) if enough else None,
        score=comparison.mean_difference(scores),
        score_test=comparison.sign_flip(scores) if len(scores) >= FEWEST_GROUPS else None,
        more_groups=more_groups(word, differences, margin),
        regressions=_new_no(first, second, [scenario for scenario in both if _judged(first[scenario])], rubric, gate),
        relieved=_new_no(second, first, [scenario for scenario in both if _judged(second[scenario])], rubric, gate),
        questions=_changes(first, second, both, rubric, gate),
        unmatched=_new_no(first, second, [scenario for scenario in both if not _judged(first[scenario])], rubric, gate),
    )


def _differences(first: Talks, second: Talks, both: Sequence[str], value: Callable[[ArmTalk], float | None]) -> list[float]:
    """Second less first over the groups in which both have a value."""
    pairs = ((_mean(map(value, first[scenario])), _mean(map(value, second[scenario]))) for scenario in both)
    return [later - earlier for earlier, later in pairs if earlier is not None and later is not None]


def _mcnemar(pairs: Sequence[tuple[bool, bool]]) -> Test:
    return comparison.mcnemar(sum(other and not one for one, other in pairs), sum(one and not other for one, other in pairs))


def _judged(talks: Sequence[ArmTalk]) -> bool:
    return any(talk.state == "judged" for talk in talks)


def _new_no(first: Talks, second: Talks, both: Sequence[str], rubric: Rubric, gate: frozenset[str]) -> tuple[Regression, ...]:
    def fails(talks: Sequence[ArmTalk], question: str) -> bool:
        return any(talk.answers.get(question) == "no" for talk in talks)

    return tuple(
        Regression(question=question.id, scenario=scenario)
        for question in rubric.questions
        if question.id in gate
        for scenario in both
        if fails(second[scenario], question.id) and not fails(first[scenario], question.id)
    )


def _changes(first: Talks, second: Talks, both: Sequence[str], rubric: Rubric, gate: frozenset[str]) -> tuple[Change, ...]:
    found = []
    for question in rubric.questions:
        differences = _differences(first, second, both, _yes(question.id))
        found.append(
            Change(
                id=question.id,
                gate=question.id in gate,
                groups=len(differences),
                difference=fmean(differences) if differences else 0.0,
                p=comparison.sign_flip(differences).p if len(differences) >= FEWEST_GROUPS else None,
            )
        )
    adjusted = comparison.holm({change.id: change.p for change in found if change.p is not None})
    return tuple(msgspec.structs.replace(change, p=adjusted.get(change.id)) for change in found)


def _yes(question: str) -> Callable[[ArmTalk], float | None]:
    def value(talk: ArmTalk) -> float | None:
        answer = talk.answers.get(question)
        return float(answer == "yes") if answer in ("yes", "no") else None

    return value


def _kind(kind: Kind, counted: Mapping[Arm, Talks]) -> Row:
    rates = {arm: [_rate(runs) for runs in talks.values() if runs[0].kind == kind] for arm, talks in counted.items()}
    return Row(
        name=kind, arms={arm: _mean(found) for arm, found in rates.items()}, n={arm: len(found) for arm, found in rates.items()}
    )


def _category(name: str, mine: Mapping[Arm, Sequence[ArmTalk]]) -> Row:
    scores = {arm: [value for talk in talks if (value := talk.categories.get(name)) is not None] for arm, talks in mine.items()}
    return Row(
        name=name, arms={arm: _mean(found) for arm, found in scores.items()}, n={arm: len(found) for arm, found in scores.items()}
    )


def _question(id: str, gate: bool, mine: Mapping[Arm, Sequence[ArmTalk]]) -> QuestionRow:
    said = {arm: [talk.answers.get(id) for talk in talks] for arm, talks in mine.items()}
    return QuestionRow(
        id=id, gate=gate, arms={arm: (given.count("yes"), given.count("no"), given.count("na")) for arm, given in said.items()}
    )


def _group(scenario: str, kind: Kind, counted: Mapping[Arm, Talks]) -> GroupRow:
    runs = {arm: talks.get(scenario, ()) for arm, talks in counted.items()}
    return GroupRow(
        scenario=scenario,
        kind=kind,
        arms={arm: Count(sum(talk.passed for talk in found), len(found)) for arm, found in runs.items()},
    )


def identical(talks: Iterable[ArmTalk], first: Arm, second: Arm) -> Count:
    """Of the places at which both arms have replied, those at which their first replies are the same to the letter."""
    replies: dict[Arm, dict[tuple[str, int], str]] = {first: {}, second: {}}
    for talk in talks:
        if talk.arm in replies and talk.conversation and (said := talk.conversation.spoken_by("assistant")):
            replies[talk.arm][talk.place] = said[0]
    both = replies[first].keys() & replies[second].keys()
    return Count(sum(replies[first][place] == replies[second][place] for place in both), len(both))
