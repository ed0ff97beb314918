"""`compare`: is a tuned model better than its base on the same scenarios?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import fmean

import msgspec

from finetune_prep.core.rubric import Rubric
from finetune_prep.errors import UsageError
from finetune_prep.records.verdicts import Judged, Verdicts
from finetune_prep.statistics import comparison
from finetune_prep.statistics.comparison import FEWEST_GROUPS, Test, Word, more_groups, verdict_word
from finetune_prep.statistics.rates import Estimate
from finetune_prep.statistics.scoring import Scoring
from finetune_prep.workflow.measuring.inputs import Measured, joined, read_rubric, verdicts_of


class QuestionChange(msgspec.Struct, frozen=True, kw_only=True):
    """A question over the groups in which both answered it. p: adjusted for all questions (Holm), None below six groups."""

    id: str
    gate: bool
    groups: int
    difference: float
    p: float | None
    new_no: tuple[str, ...]
    """Of the gate: groups in which only the second has a NO."""


class Compared(Measured, frozen=True, kw_only=True):
    word: Word
    margin: float
    groups: int
    runs: tuple[int, int]
    """Judged conversations of the first and the second file in these groups."""
    unpaired: tuple[str, ...]
    """Groups that only one of the files has."""
    base: float | None
    """Mean pass rate over groups."""
    tuned: float | None
    difference: Estimate
    sign_flip: Test | None
    """The test that decides; None below six groups."""
    student: Test | None
    mcnemar: Test | None
    questions: tuple[QuestionChange, ...]
    more_groups: int | None
    """How many more groups would show what was seen; None where that cannot be said."""
    evaluation: str
    """The project's evaluation that both files are of, "" for other files. They hold its judged conversations only."""


def compare(base_path: Path, tuned_path: Path, rubric_path: Path, *, margin: float, judge: str = "") -> Compared:
    """Compare two files of verdicts, paired by group. margin: pass rate that the second may lose and still be “not worse”."""
    rubric = read_rubric(rubric_path)
    base, tuned = verdicts_of(base_path, rubric, judge=judge), verdicts_of(tuned_path, rubric, judge=judge)
    evaluation = _alike(base, tuned)
    first, second = _by_group(joined(base, rubric)), _by_group(joined(tuned, rubric))
    paired = sorted(first.keys() & second.keys())
    scoring = Scoring(rubric)
    rates = [[_rate(side[group], scoring) for group in paired] for side in (first, second)]
    differences = [later - earlier for earlier, later in zip(*rates, strict=True)]
    enough = len(paired) >= FEWEST_GROUPS
    decided = comparison.sign_flip(differences) if enough else None
    word = verdict_word(differences, margin)
    return Compared(
        findings=(*base.findings, *tuned.findings),
        left_out=base.left_out + tuned.left_out,
        mapping=(*base.mapping, *tuned.mapping),
        cannot_tell=_cannot_tell(rubric),
        word=word,
        margin=margin,
        groups=len(paired),
        runs=(sum(len(first[group]) for group in paired), sum(len(second[group]) for group in paired)),
        unpaired=tuple(sorted(first.keys() ^ second.keys())),
        base=fmean(rates[0]) if paired else None,
        tuned=fmean(rates[1]) if paired else None,
        difference=comparison.mean_difference(differences),
        sign_flip=decided,
        student=comparison.student(differences) if enough else None,
        mcnemar=_mcnemar(
            [(scoring.passed(first[group][0].answers), scoring.passed(second[group][0].answers)) for group in paired]
        ),
        questions=_questions(rubric, first, second, paired),
        more_groups=more_groups(word, differences, margin),
        evaluation=evaluation,
    )


def _alike(base: Verdicts, tuned: Verdicts) -> str:
    """The evaluation that both files are of, "" for other files.

    Raises UsageError where something else than the models differs: the judge, or the evaluation that the talks are of.
    """
    if base.judges != tuned.judges:
        said = [", ".join(name or "nobody named" for name in verdicts.judges) for verdicts in (base, tuned)]
        raise UsageError(
            f"the first file is judged by {said[0]} and the second by {said[1]}: that compares judges",
            where=tuned.path,
            next="use verdicts of one judge, or name one that judged both: --judge NAME",
        )
    evaluations = [{row.run.partition("/")[0] for row in verdicts.rows if "/" in row.run} for verdicts in (base, tuned)]
    if all(evaluations) and not evaluations[0] & evaluations[1]:
        said = [", ".join(sorted(names)) for names in evaluations]
        raise UsageError(
            f"the first file is of {said[0]} and the second of {said[1]}: their scenarios, users and prompts may differ",
            where=tuned.path,
            next="give two files of one evaluation",
        )
    both = evaluations[0] & evaluations[1]
    return both.pop() if len(both) == 1 else ""


def _by_group(rows: Iterable[Judged]) -> dict[str, list[Judged]]:
    """Judged conversations by group; who names no group stands for itself."""
    groups: dict[str, list[Judged]] = {}
    for row in rows:
        if row.complete:
            groups.setdefault(row.group or row.conversation, []).append(row)
    return groups


def _rate(rows: Sequence[Judged], scoring: Scoring) -> float:
    return fmean(scoring.passed(row.answers) for row in rows)


def _mcnemar(pairs: Sequence[tuple[bool, bool]]) -> Test | None:
    if len(pairs) < FEWEST_GROUPS:
        return None
    return comparison.mcnemar(sum(not one and other for one, other in pairs), sum(one and not other for one, other in pairs))


def _questions(
    rubric: Rubric, first: Mapping[str, list[Judged]], second: Mapping[str, list[Judged]], paired: Sequence[str]
) -> tuple[QuestionChange, ...]:
    gate = {question.id for category in rubric.categories if category.gate for question in category.questions}
    changes = []
    for place, question in enumerate(rubric.questions):
        shares = [(_share(first[group], place), _share(second[group], place)) for group in paired]
        differences = [later - earlier for earlier, later in shares if earlier is not None and later is not None]
        tested = len(differences) >= FEWEST_GROUPS
        changes.append(
            QuestionChange(
                id=question.id,
                gate=question.id in gate,
                groups=len(differences),
                difference=fmean(differences) if differences else 0.0,
                p=comparison.sign_flip(differences).p if tested else None,
                new_no=_new_no(first, second, paired, place) if question.id in gate else (),
            )
        )
    adjusted = comparison.holm({change.id: change.p for change in changes if change.p is not None})
    return tuple(msgspec.structs.replace(change, p=adjusted.get(change.id)) for change in changes)


def _share(rows: Sequence[Judged], place: int) -> float | None:
    said = [row.answers[place] for row in rows]
    yes, no = said.count("yes"), said.count("no")
    return yes / (yes + no) if yes + no else None


def _new_no(
    first: Mapping[str, list[Judged]], second: Mapping[str, list[Judged]], paired: Sequence[str], place: int
) -> tuple[str, ...]:
    def fails(rows: Sequence[Judged]) -> bool:
        return any(row.answers[place] == "no" for row in rows)

    return tuple(group for group in paired if fails(second[group]) and not fails(first[group]))


def _cannot_tell(rubric: Rubric) -> tuple[str, ...]:
    return (
        "whether the judge is right, or favours one of the models: finetune-prep agreement, on conversations of both",
        "anything about what the rubric's questions do not ask"
        + ("" if any(category.gate for category in rubric.categories) else "; it has no safety gate"),
    )
