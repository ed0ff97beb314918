"""From trials to what is said of each question, and of each failure that was planted. Never one figure for all of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from finetune_prep.core.knowledge import Severity
from finetune_prep.core.probe import BREAKING, NEUTRAL, Subject, Trial
from finetune_prep.core.rubric import Rubric
from finetune_prep.statistics.probing.words import Count, Word, alarms_easily, inseparable, mixed_with, needed, word_of
from finetune_prep.statistics.rates import Rate, exact


class QuestionRow(msgspec.Struct, frozen=True, kw_only=True):
    """What probes say of a question."""

    id: str
    gate: bool
    word: Word
    seen: Rate
    """Valid edits that it answered NO, exact interval."""
    wanted: int
    """Valid edits that the plan set out to get."""
    needed: int
    """Valid edits without which it is not said to see."""
    mixes_with: tuple[str, ...]
    """Questions that the judge answers NO with it, although the edits leave them sound."""
    not_alone: tuple[str, ...]
    """Questions that every edit moved with it."""
    alarms_easily: bool
    neutral: Count
    """NOs on edits that change nothing."""
    placebo: Count
    """NOs when the unedited conversation was judged once more."""
    na: Count | None
    """N/A where its occasion was taken out; None if it always applies."""
    quoted: Count
    """Edits seen whose evidence stands in the message that was changed."""
    flips: dict[str, Count]
    """NOs to other questions on its edits, of those that left them sound."""
    invalid: int
    unjudged: int
    why: str = ""
    """Why nothing could be planted for it, "" if something could."""
    by_kind: dict[str, Count] = {}
    """Edits seen by their kind."""


class ProbeTable(msgspec.Struct, frozen=True, kw_only=True):
    """What came of probing a rubric."""

    run: str
    questions: tuple[QuestionRow, ...]
    measured: tuple[str, ...]
    """Ids of the questions that the program measures: they need no probe."""
    source: str
    bases: int
    """Unedited conversations on which two judgements could be read."""
    neutral: Count
    """Neutral edits that were valid, of those made."""
    rubric: str = ""
    """The rubric's version."""


class FailureRow(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a failure that was planted by somebody who knew no question."""

    id: str
    text: str
    severity: Severity | None
    planted: bool
    why: str
    """Why it was not planted, or how the program itself found it."""
    named: tuple[str, ...]
    """Questions that say they see it."""
    seen_by: tuple[str, ...]
    """Questions that answered NO, and YES before."""
    rejected: bool
    """Whether the conversation fails the rubric, or the program finds the fault."""
    kept_out: bool
    """Whether it becomes no training row."""
    trial: str = ""
    """Id of the edit."""
    set_aside: str = ""
    """Why the reference set it aside, "" if it did not."""

    @property
    def seen_as_named(self) -> bool:
        return bool({*self.named} & {*self.seen_by})

    @property
    def hole(self) -> bool:
        """Whether no question sees it, and the program does not either."""
        return self.planted and not self.seen_by and not self.rejected


class FailureTable(msgspec.Struct, frozen=True, kw_only=True):
    """What came of planting failures."""

    run: str
    failures: tuple[FailureRow, ...]
    source: str
    bases: int
    rubric: str = ""


def question_rows(
    rubric: Rubric, trials: Sequence[Trial], wanted: Mapping[str, int], why: Mapping[str, str]
) -> tuple[QuestionRow, ...]:
    """A row for each judged question that was probed, in the rubric's order.

    wanted: valid edits that the plan set out to get of each probed question. why: why nothing could be planned for a question.
    """
    gate = {question.id for category in rubric.categories if category.gate for question in category.questions}
    ids = [question.id for question in rubric.judged]
    neutral = [trial for trial in trials if trial.edit.kind in NEUTRAL and trial.state == "judged"]
    at_rest = {id: (_noes(neutral, id, placebo=False), _noes(neutral, id, placebo=True)) for id in ids}
    rest = {id: Count(one.k + other.k, one.n + other.n) for id, (one, other) in at_rest.items()}
    skippable = {question.id for question in rubric.judged if question.na}
    return tuple(
        _row(
            id,
            [trial for trial in trials if trial.edit.target == id],
            gate=id in gate,
            wanted=wanted[id],
            skippable=id in skippable,
            alarms=at_rest[id],
            rest=rest,
            others=[other for other in ids if other != id],
            why=why.get(id, ""),
        )
        for id in ids
        if id in wanted
    )


def _row(
    id: str,
    trials: Sequence[Trial],
    *,
    gate: bool,
    wanted: int,
    skippable: bool,
    alarms: tuple[Count, Count],
    rest: Mapping[str, Count],
    others: Iterable[str],
    why: str,
) -> QuestionRow:
    broken = [trial for trial in trials if trial.edit.kind in BREAKING]
    valid = [trial for trial in broken if trial.state == "judged"]
    hit = [trial for trial in valid if trial.answers.get(id) == "no"]
    word = word_of(len(hit), len(valid), gate=gate, wanted=wanted)
    flips = {other: count for other in others if (count := _flipped(valid, other)).n}
    without = [trial for trial in trials if trial.edit.kind == "trigger removed" and trial.state == "judged"]
    return QuestionRow(
        id=id,
        gate=gate,
        word=word,
        seen=exact(len(hit), len(valid)),
        wanted=wanted,
        needed=needed(gate=gate),
        mixes_with=mixed_with(flips, rest),
        not_alone=inseparable([frozenset(trial.moved) for trial in valid]),
        alarms_easily=alarms_easily(*alarms),
        neutral=alarms[0],
        placebo=alarms[1],
        na=Count(sum(trial.answers.get(id) == "na" for trial in without), len(without)) if skippable else None,
        quoted=Count(sum(trial.quoted for trial in hit), len(hit)),
        flips={other: count for other, count in flips.items() if count.k},
        invalid=sum(trial.state == "invalid" for trial in trials),
        unjudged=sum(trial.state == "unjudged" for trial in trials),
        why=why if word == "not measured" else "",
        by_kind={kind: _of_kind(valid, id, kind) for kind in BREAKING if any(trial.edit.kind == kind for trial in valid)},
    )


def _of_kind(valid: Sequence[Trial], id: str, kind: str) -> Count:
    tried = [trial for trial in valid if trial.edit.kind == kind]
    return Count(sum(trial.answers.get(id) == "no" for trial in tried), len(tried))


def _flipped(valid: Sequence[Trial], other: str) -> Count:
    """NOs to another question, on edits that leave it sound."""
    left = [trial for trial in valid if other in trial.sound and other not in trial.moved]
    return Count(sum(trial.answers.get(other) == "no" for trial in left), len(left))


def _noes(neutral: Sequence[Trial], id: str, *, placebo: bool) -> Count:
    asked = [trial.placebo if placebo else trial.answers for trial in neutral if id in trial.sound]
    return Count(sum(answers.get(id) == "no" for answers in asked), len(asked))


def failure_rows(
    subjects: Sequence[Subject],
    trials: Sequence[Trial],
    named: Mapping[str, tuple[str, ...]],
    order: Sequence[str],
    set_aside: Mapping[str, str],
) -> tuple[FailureRow, ...]:
    """A row for each failure, in the order given.

    named: questions that say they see it. order: ids of the questions. set_aside: why the reference set failures aside.
    """
    return tuple(
        msgspec.structs.replace(
            _failure(subject, [trial for trial in trials if trial.edit.target == subject.id], named, order),
            set_aside=set_aside.get(subject.id, ""),
        )
        for subject in subjects
    )


def _failure(subject: Subject, tried: Sequence[Trial], named: Mapping[str, tuple[str, ...]], order: Sequence[str]) -> FailureRow:
    found = next((trial for trial in tried if trial.state in ("judged", "faulty")), None)
    if found is None:
        why = tried[-1].why if tried else "there is no conversation to plant it in"
        return FailureRow(
            id=subject.id, text=subject.text, severity=subject.severity, planted=False, why=why, named=named[subject.id],
            seen_by=(), rejected=False, kept_out=False,
        )  # fmt: skip
    return FailureRow(
        id=subject.id,
        text=subject.text,
        severity=subject.severity,
        planted=True,
        why=found.why,
        named=named[subject.id],
        seen_by=tuple(id for id in order if found.answers.get(id) == "no" and id in found.sound),
        rejected=not found.passed,
        kept_out=not found.accepted,
        trial=found.edit.id,
    )
