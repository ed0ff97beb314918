"""What is said of a run beside its pass rate: how far the rubric applied, what evidence lacks, and the habits of the replies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat

import msgspec

from finetune_prep.core.conversation import Conversation
from finetune_prep.core.rubric import ALWAYS, Rubric, YesNo
from finetune_prep.core.sample import Sample
from finetune_prep.core.verdict import CASE
from finetune_prep.documents.kinds import Documents
from finetune_prep.exports.judging.both import ReadByBoth
from finetune_prep.exports.judging.twice import Twice
from finetune_prep.exports.talks.row import Row
from finetune_prep.project.project import Project
from finetune_prep.project.runs import Run, VerdictRow
from finetune_prep.statistics.diversity import EXCLAMATION, QUESTION, Habits, Kind, habits, patterns
from finetune_prep.statistics.judging.between import Between
from finetune_prep.statistics.judging.between import in_words as between_in_words
from finetune_prep.statistics.judging.noise import Noise
from finetune_prep.statistics.judging.noise import in_words as noise_in_words
from finetune_prep.statistics.rates import percent
from finetune_prep.statistics.scoring import Applied, Scoring

MOST_NA = 0.20  # of the answers
MOST_THIN = 0.15  # of the conversations


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    applied: Applied | None
    """None if nothing was judged."""
    not_always: tuple[tuple[str, float], ...]
    """Ids of questions that say that they always apply, with their share of N/A where it is above a fifth."""
    unsupported: int
    """Answers that lack the quote they need, or quote what nobody said."""
    case_alone: int
    """Conversations that are rejected only because what their special case asks for was not done."""
    odd: int
    """Conversations whose replies state prices or percentages that stand in no fact, no message and not in the brief."""
    habits: Habits
    bred_by: tuple[tuple[str, ...], ...]
    """For each of `habits.too_often`, the ids of the few-shots that have it, too."""
    noise: Noise | None = None
    """How steady the judge is; None if nothing was judged twice."""
    second: Between | None = None
    """How far the second judge agrees with the first; None where there is none."""


class Rows:
    """The samples of a run in plan order, each with its verdict; none if the run has not come to its end. They are read from disk
    each time that somebody goes through them, and never held together."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def __iter__(self) -> Iterator[Row]:
        return each_row(self._run)


def each_row(run: Run) -> Iterator[Row]:
    """The samples of a run, each with its verdict, one by one."""
    for sample, verdict in run.each_judged():
        yield Row(sample=sample) if verdict is None else _row(sample, verdict)


def _row(sample: Sample, verdict: VerdictRow) -> Row:
    return Row(
        sample=sample,
        answers=verdict.answers,
        evidence=verdict.evidence,
        unsupported=verdict.unsupported,
        case=verdict.case,
        missing=verdict.missing,
        again=verdict.again,
        readings=verdict.readings,
    )


def run_figures(project: Project, rows: Iterable[Row]) -> Figures:
    """The figures of a run of the present documents. rows: read once, one by one."""
    few_shots = project.value(Documents.generation_prompt).few_shots
    return figures_of(project.value(Documents.rubric), rows, [(shot.id, shot.conversation) for shot in few_shots])


def figures_of(rubric: Rubric, rows: Iterable[Row], few_shots: Iterable[tuple[str, Conversation]] = ()) -> Figures:
    """The figures of a run. rows: its samples with their verdicts. few_shots: of the generation prompt, by id."""
    order = [question.id for question in rubric.questions]
    verdicts: list[list[YesNo | None]] = []
    unsupported = case_alone = odd = 0
    steadiness, second = Twice(rubric), ReadByBoth(rubric)

    def conversations() -> Iterator[Conversation]:
        """Those of all rows, while the rest of each row is counted."""
        nonlocal unsupported, case_alone, odd
        for row in rows:
            if row.answers:
                verdicts.append([row.answers.get(id) for id in order])
            unsupported += len(row.unsupported)
            case_alone += _case_alone(rubric, row.sample)
            odd += bool(row.sample.odd)
            steadiness.take(row)
            second.take(row)
            if row.sample.conversation:
                yield row.sample.conversation

    found = habits(conversations())
    complete = [answers for answers in verdicts if None not in answers]
    shots = [
        (id, [patterns(message.content) for message in shot.messages if message.role == "assistant"]) for id, shot in few_shots
    ]
    return Figures(
        applied=Scoring(rubric).applied(complete),
        not_always=tuple(_not_always(rubric, complete)),
        unsupported=unsupported,
        case_alone=case_alone,
        odd=odd,
        habits=found,
        bred_by=tuple(
            tuple(id for id, replies in shots if any(reply.get(kind) == habit.words for reply in replies))
            for kind, habit in found.too_often
        ),
        noise=steadiness.found,
        second=second.found,
    )


def _not_always(rubric: Rubric, answers: Sequence[Sequence[YesNo | None]]) -> Iterator[tuple[str, float]]:
    for place, question in enumerate(rubric.questions):
        share = sum(given[place] == "na" for given in answers) / len(answers) if answers else 0.0
        if question.applies == ALWAYS and share > MOST_NA:
            yield question.id, share


def _case_alone(rubric: Rubric, sample: Sample) -> bool:
    gate = {question.id for category in rubric.categories if category.gate for question in category.questions}
    reached = sample.score is not None and sample.score >= rubric.threshold - 1e-9
    return CASE in sample.failed and reached and gate.isdisjoint(sample.failed)


def few_shot_habits(project: Project) -> tuple[str, ...]:
    """What the few-shots have in common, in sentences: the model will take it over."""
    shots = project.value(Documents.generation_prompt).few_shots
    return tuple(f"Few-shots: {line}" for line in _habits(habits(shot.conversation for shot in shots), ()))


def in_sentences(found: Figures) -> tuple[str, ...]:
    """What a person is told of these figures."""
    judge = noise_in_words(found.noise) if found.noise else ()
    judge = (*(between_in_words(found.second) if found.second else ()), *judge)
    return (*_applied(found.applied, found.not_always), *_verdicts(found), *judge, *_habits(found.habits, found.bred_by))


def _applied(applied: Applied | None, not_always: Sequence[tuple[str, float]]) -> Iterator[str]:
    if applied is None:
        return
    advice = " Broader questions would decide more." if applied.na > MOST_NA else ""
    median = f"in the median conversation, {applied.median:.0%} of the questions apply"
    yield f"{percent(applied.na)} of the answers are N/A; {median}.{advice}"
    for id, share in not_always:
        yield f"{id} was N/A in {share:.0%}, although it should always apply: say when it applies, or ask something broader."
    if applied.thin:
        several = "conversation is" if applied.thin == 1 else "conversations are"
        advice = " Too many categories depend on one question." if applied.thin > MOST_THIN * applied.conversations else ""
        yield f"{applied.thin} judged {several} thin: a single question decided a category.{advice}"


def _verdicts(found: Figures) -> Iterator[str]:
    if count := found.case_alone:
        verb = "was" if count == 1 else "were"
        yield f"{count} {verb} rejected only because the assistant did not do what the special case requires."
    if count := found.unsupported:
        yield f"{count} {'answer lacks' if count == 1 else 'answers lack'} a quote from the conversation."
    if count := found.odd:
        several, them = ("conversation states", "it") if count == 1 else ("conversations state", "them")
        yield (
            f"{count} {several} a price or percentage that appears in no fact, in no message and not in the brief; check {them}."
        )


def _habits(own: Habits, bred_by: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """bred_by: as of `Figures`; empty where the replies are the few-shots' own."""
    if own.on_a_question is None or own.length is None or own.over_twice is None:
        return
    yield (
        f"A reply is {own.length:.1f} times as long as the message it answers (in words, mean over all replies); "
        f"{own.over_twice:.0%} are more than twice as long, and {own.on_a_question:.0%} end with a question."
    )
    for (kind, habit), shots in zip(own.too_often, bred_by or repeat(()), strict=False):
        if kind != "last sentence" or habit.words != QUESTION:  # that share is said already
            taught = f" {_taught(shots)}" if shots else ""
            yield f"{habit.share:.0%} of the replies {_phrase(kind, habit.words)}.{taught}"
        elif shots:
            yield _taught(shots)


def _taught(shots: Sequence[str]) -> str:
    *others, last = shots
    names = f"{', '.join(others)} and {last}" if others else last
    one = len(shots) == 1
    return f"Few-shot{'' if one else 's'} {names} teach{'es' if one else ''} the model this habit."


def _phrase(kind: Kind, words: str) -> str:
    match kind:
        case "opening":
            return f"begin with “{words}”"
        case "ending":
            return f"end with “{words}”"
        case _:
            return f"end with {words}" if words in (QUESTION, EXCLAMATION) else f"end with a sentence like {words}"
