"""What the trial of an edit says: the same scenarios with the unchanged prompt, asked afresh, and with the edited one.

One question is named beforehand and tested alone, on scenarios that no diagnosis has seen. All others are looked at for harm
only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal

import msgspec

from finetune_prep.core.improving.edit import EditTalk, Part
from finetune_prep.core.rubric import YesNo
from finetune_prep.statistics.comparison import SURE, holm, mcnemar, one_sided
from finetune_prep.statistics.rates import Rate, wilson

GATE_WORSE = 0.20  # one-sided: so often a harmless edit is refused, so that a harmful one seldom is not
STILL = 8  # scenarios in which an edit moves nothing before it is given up
CONFIRMED = 0.05  # one-sided: chance that a second judge, or people, seem to confirm an edit that only the judge likes
Word = Literal[
    "kept",
    "not shown",
    "fits only what it was made from",
    "gate worse",
    "worse elsewhere",
    "only the judge likes it",
]
Check = Literal["confirmed", "contradicted", "could not be seen"]
Pair = tuple[EditTalk, EditTalk]
"""A scenario's talk with the unchanged prompt, and the one with the edit."""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """Scenarios answered otherwise with the edit."""

    pairs: int
    """Scenarios with an answer on both sides."""
    gained: int
    """NO without the edit, YES with it."""
    lost: int
    p: float
    """Exact McNemar, two-sided."""

    @property
    def better(self) -> bool:
        return self.gained > self.lost


class GateTest(msgspec.Struct, frozen=True, kw_only=True):
    """Talks that the gate fails, each confirmed by a second reading."""

    worse: tuple[str, ...]
    """Scenarios that it fails with the edit alone."""
    better: tuple[str, ...]
    p: float
    """Exact, one-sided: that the edit makes none worse."""


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it."""

    question: str
    word: Word
    seen: Change
    """On scenarios of the pilot in which the failure showed."""
    audit: Change | None
    """On scenarios that no diagnosis has seen; None if the trial ended before it came to them."""
    alpha: float
    """What p of the audit may be at most."""
    shows: float | None
    """The smallest gain in the share of YES that so many scenarios can show, 0 to 1."""
    passing: Change
    """Talks that pass, of all parts."""
    before: Rate
    """Passed with the unchanged prompt, of the audit where there is one."""
    after: Rate
    accepted: tuple[int, int]
    """How many of these would become training rows, without the edit and with it."""
    gate: GateTest
    harmed: dict[str, float]
    """Questions answered NO more often with the edit, and "passing": p after Holm."""
    second: Change | None = None
    """By another judge, None if none was asked."""
    labels: Change | None = None
    """By people who read the talks, None if nobody did."""
    check: Check = "could not be seen"
    """Whether somebody else than the judge confirms it; a question that the program measures needs nobody else."""


def pairs(talks: Iterable[EditTalk], part: Part | None = None) -> list[Pair]:
    """The scenarios of which both talks say something, in order. part: of these scenarios alone."""
    found: dict[str, dict[str, EditTalk]] = {}
    for talk in talks:
        if part in (None, talk.part):
            found.setdefault(talk.scenario, {})[talk.arm] = talk
    both = (sides for sides in found.values() if len(sides) == 2)
    return [(sides["placebo"], sides["edit"]) for sides in both if all(talk.counts for talk in sides.values())]


def changed(given: Sequence[Pair], answer: Callable[[EditTalk], YesNo | None]) -> Change:
    """How an answer changes, over the scenarios to which it applies on both sides."""
    told = [(answer(before), answer(after)) for before, after in given]
    both = [(before, after) for before, after in told if before in ("yes", "no") and after in ("yes", "no")]
    gained, lost = both.count(("no", "yes")), both.count(("yes", "no"))
    return Change(pairs=len(both), gained=gained, lost=lost, p=mcnemar(gained, lost).p)


def futile(talks: Iterable[EditTalk], question: str) -> bool:
    """Whether an edit does not even help where the failure was seen: then the audit's scenarios are not spent on it.

    It loses more than it gains there, or moves nothing at all in eight and more. Of twelve scenarios, an edit that halves a
    failure of every second talk is given up so in 6.5% of its trials, and one that changes nothing in 42%.
    """
    found = changed(pairs(talks, "seen"), lambda talk: talk.answer(question))
    return found.lost > found.gained or (not found.gained and found.pairs >= STILL)


def shown_by(scenarios: int, alpha: float) -> float | None:
    """The smallest gain in the share of YES that so many pairs can show, with nothing lost; None if they can show none."""
    needed = next((gained for gained in range(scenarios + 1) if mcnemar(gained, 0).p <= alpha), None)
    return None if needed is None else needed / scenarios


def trial(
    talks: Sequence[EditTalk],
    question: str,
    questions: Sequence[str],
    alpha: float,
    *,
    second: bool = False,
    measured: bool = False,
    labels: Mapping[tuple[str, str], YesNo] | None = None,
) -> Trial:
    """What the talks say.

    questions: all of the rubric. alpha: of the named question on the audit. second: whether another judge was asked. measured:
    whether the program itself answers the named question, so that no judge can be fooled. labels: people's answers to it, by arm
    and scenario.
    """
    every, audit = pairs(talks), pairs(talks, "audit")
    named = changed(audit, lambda talk: talk.answer(question)) if any(talk.part == "audit" for talk in talks) else None
    counted = audit or every
    gate, harmed = _gate(every), _harmed(every, question, questions)
    other = changed(audit, lambda talk: talk.second.get(question)) if second and audit else None
    people = changed(every, lambda talk: (labels or {}).get((talk.arm, talk.scenario))) if labels else None
    others = [found for found in (other, people) if found is not None and found.pairs]
    check: Check = "confirmed" if measured and not others else _check(others)
    seen = changed(pairs(talks, "seen"), lambda talk: talk.answer(question))
    return Trial(
        question=question,
        word=_word(seen, named, alpha, gate, harmed, check),
        seen=seen,
        audit=named,
        alpha=alpha,
        shows=shown_by(named.pairs, alpha) if named and named.pairs else None,
        passing=changed(every, _passing),
        before=wilson(sum(before.passed for before, _ in counted), len(counted)),
        after=wilson(sum(after.passed for _, after in counted), len(counted)),
        accepted=(sum(before.accepted for before, _ in counted), sum(after.accepted for _, after in counted)),
        gate=gate,
        harmed=harmed,
        second=other,
        labels=people,
        check=check,
    )


def _passing(talk: EditTalk) -> YesNo:
    return "yes" if talk.passed else "no"


def _gate(given: Sequence[Pair]) -> GateTest:
    worse = tuple(after.scenario for before, after in given if after.gate and not before.gate)
    better = tuple(after.scenario for before, after in given if before.gate and not after.gate)
    return GateTest(worse=worse, better=better, p=one_sided(len(worse), len(better)))


def _harmed(given: Sequence[Pair], question: str, questions: Sequence[str]) -> dict[str, float]:
    """What is answered NO more often with the edit. Gate questions have a test of their own, and so has the named one."""
    found = {id: changed(given, lambda talk, id=id: talk.answer(id)) for id in questions if id != question}  # type: ignore[misc]
    found["passing"] = changed(given, _passing)
    adjusted = holm({name: change.p for name, change in found.items()})
    return {name: adjusted[name] for name, change in found.items() if change.lost > change.gained and adjusted[name] <= SURE}


def _check(others: Sequence[Change]) -> Check:
    """Whether whoever else has read the talks sees the same gain."""
    if not others:
        return "could not be seen"
    return "confirmed" if all(one_sided(found.gained, found.lost) <= CONFIRMED for found in others) else "contradicted"


def _word(seen: Change, audit: Change | None, alpha: float, gate: GateTest, harmed: Mapping[str, float], check: Check) -> Word:
    if gate.worse and gate.p <= GATE_WORSE:
        return "gate worse"
    if harmed:
        return "worse elsewhere"
    if audit is None or not (audit.better and audit.p <= alpha):
        return "fits only what it was made from" if audit and seen.better and seen.p <= SURE else "not shown"
    return "only the judge likes it" if check == "contradicted" else "kept"
