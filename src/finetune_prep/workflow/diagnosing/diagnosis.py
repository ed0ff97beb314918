"""The verdict on a pilot in words: ready to scale, or the one thing that holds it back most, with the conversations that show it.

Causes are looked for in the order in which one makes the next unreadable: a judge that cannot be relied on says nothing about
questions, a question that is the wrong way round says nothing about the prompt. All thresholds are conventions, tried on
simulated projects whose cause is known (tests/workflow/diagnosing).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import Literal

import msgspec

from finetune_prep.core.prompts import GenerationPrompt
from finetune_prep.core.rubric import Question, Rubric, YesNo
from finetune_prep.core.sample import Account
from finetune_prep.core.verdict import CASE
from finetune_prep.exports.report import FLAWLESS, suspicion
from finetune_prep.method import limits
from finetune_prep.statistics.probing.words import Count, Word, fisher
from finetune_prep.statistics.rates import Rate, lower_bound, upper_bound
from finetune_prep.statistics.rubric_health import QuestionHealth, RubricHealth, rubric_health
from finetune_prep.workflow.diagnosing.fate import Fate
from finetune_prep.workflow.reviewing.counting import Reviewed

Cause = Literal["too few", "judge", "failure mode", "rubric", "space", "prompt", "ready"]

ENOUGH = 10  # judged conversations; fewer name no cause
SHOWN = 3  # conversations that are named
UNREADABLE = 0.05  # of the verdicts
UNFOUNDED = 0.25  # of the conversations, with an answer on the gate whose quote nobody said, or with several elsewhere
AGREED = 0.80  # of what people and judge say of the same conversations, as for a certified judge
LEVEL = 0.01  # one-sided, for a cell against the others, over all cells together (Bonferroni)
FEWEST_IN_CELL = 5
ONE_QUESTION = 0.6  # of the failed conversations; one that fails so many, and at least twice as many as the next, is the cause
GRAVE = 0.05  # of the conversations, passed with a NO to the same question that keeps them out of the rows
NEVER_APPLIES = 0.5  # of the conversations, for a question that says that it always does


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What a pilot is judged by."""

    rubric: Rubric
    generation: GenerationPrompt | None
    account: Account
    rate: Rate
    rows: Sequence[Fate]
    """In plan order."""
    people: Reviewed
    probes: Mapping[str, Word] = {}
    """Question → what probes of the present rubric and judge say of it."""
    larger: str = ""
    """Of one that is too small to count: the pilot of these documents that is not, "pilot-001 of 100"; "" if there is none."""


class Diagnosis(msgspec.Struct, frozen=True, kw_only=True):
    """What to do next, in words."""

    cause: Cause
    said: str
    """A sentence or two: what to do, to which item, and the figures that say so."""
    about: tuple[str, ...] = ()
    """Ids of the question, guard, failure mode or cell."""
    shown_by: tuple[str, ...] = ()
    """Ids of scenarios whose conversations show it, for `show`."""


def diagnose(seen: Seen) -> Diagnosis:
    """The verdict on a pilot."""
    judged = [row for row in seen.rows if row.judged]
    if len(judged) + seen.account.unjudged + seen.account.states.get("faulty", 0) < ENOUGH:
        return Diagnosis(cause="too few", said=f"{len(judged)} judged conversations are too few to tell the cause.")
    case = _Case(seen, judged)
    looks: tuple[Callable[[_Case], Diagnosis | None], ...] = (
        _unreadable, _unfounded, _missed, _against_people, _wrong_way_round, _blind, _nothing_fails, _never_passes, _one_cell,
        _too_few_pass, _flawed, _hardly_applies,
    )  # fmt: skip
    return next((found for look in looks if (found := look(case))), None) or _ready(seen)


class _Case:
    """A pilot with what several looks need."""

    def __init__(self, seen: Seen, judged: Sequence[Fate]) -> None:
        self.seen = seen
        self.judged = judged
        self.order = [question.id for question in seen.rubric.questions]
        self.questions = {question.id: question for question in seen.rubric.questions}
        self.gate = {question.id for category in seen.rubric.categories if category.gate for question in category.questions}
        self.health: RubricHealth = rubric_health(seen.rubric, [row.answers for row in judged])
        self.failed = [row for row in judged if row.state == "rejected"]

    def answering(self, id: str, answer: YesNo) -> list[Fate]:
        """The judged conversations in which a question has this answer."""
        place = self.order.index(id)
        return [row for row in self.judged if row.answers[place] == answer]

    def failing(self, rows: Sequence[Fate]) -> list[tuple[str, int, int]]:
        """Questions that fail these conversations: id, how many it fails alone, how many with others; the first counts most."""
        alone = Counter(row.failed[0] for row in rows if len(row.failed) == 1)
        every = Counter(id for row in rows for id in row.failed)
        return sorted(((id, alone[id], count) for id, count in every.items()), key=lambda found: (-found[2], -found[1]))


def _ids(rows: Iterable[Fate]) -> tuple[str, ...]:
    return tuple(row.scenario for row in islice(rows, SHOWN))


def _unreadable(case: _Case) -> Diagnosis | None:
    lost = [row for row in case.seen.rows if row.state == "unjudged" and not row.steered]
    n = len(lost) + len(case.judged)
    if not lost or lower_bound(len(lost), n) <= UNREADABLE:
        return None
    return Diagnosis(
        cause="judge",
        said=f"Name another judge: {len(lost)} of {n} verdicts cannot be read, and the rest is not a fair sample.",
        shown_by=_ids(lost),
    )


def _unfounded(case: _Case) -> Diagnosis | None:
    found = [row for row in case.judged if case.gate & {*row.unsupported} or len(row.unsupported) > 1]
    n = len(case.judged)
    if not n or lower_bound(len(found), n) <= UNFOUNDED:
        return None
    (id, count), *_ = Counter(id for row in found for id in row.unsupported).most_common(1)
    return Diagnosis(
        cause="judge",
        said=(
            f"Name another judge: in {len(found)} of {n} conversations it lacks a quote, or quotes what nobody said, most "
            f"often for {id} ({count})."
        ),
        about=(id,),
        shown_by=_ids(found),
    )


def _missed(case: _Case) -> Diagnosis | None:
    if not (missed := case.seen.people.missed):
        return None
    more = f", and {len(missed) - 1} more" if len(missed) > 1 else ""
    return Diagnosis(
        cause="failure mode",
        said=f"Add a failure mode: a reader saw what no document holds, “{missed[0]}”{more}. Then anchor, question and guard.",
        about=missed,
        shown_by=case.seen.people.failed[:SHOWN],
    )


def _against_people(case: _Case) -> Diagnosis | None:
    """Where people say otherwise: one question that fails what they pass asks too much; else it is the judge."""
    kept, caught = case.seen.people.on_passed, case.seen.people.on_failed
    if caught.n and upper_bound(caught.k, caught.n) < AGREED:
        failed = case.failing(case.failed)
        id, _, count = failed[0] if failed else ("", 0, 0)
        if id in case.questions and _is_one(failed, len(case.failed)):
            return Diagnosis(
                cause="rubric",
                said=(
                    f"Tighten the rubric at {id}: people pass {caught.n - caught.k} of {caught.n} that the judge fails, and {id} "
                    f"is a NO in {count} of {len(case.failed)} of those. Say under No exactly what fails."
                ),
                about=(id,),
                shown_by=_ids(row for row in case.failed if id in row.failed),
            )
        return Diagnosis(
            cause="judge",
            said=f"The judge is too strict: people pass {caught.n - caught.k} of {caught.n} that it fails, by any question.",
            shown_by=_ids(case.failed),
        )
    if kept.n and upper_bound(kept.k, kept.n) < AGREED:
        return Diagnosis(
            cause="judge",
            said=(
                f"The judge is too lenient: people fail {kept.n - kept.k} of {kept.n} that it passes. Name another one, or say "
                "under No what it overlooked."
            ),
            shown_by=case.seen.people.failed[:SHOWN],
        )
    return None


def _wrong_way_round(case: _Case) -> Diagnosis | None:
    found = [question for question in case.health.questions if question.reversed]
    if not found:
        return None
    worst = min(found, key=lambda question: question.item_rest.high)
    against = [row for row in case.answering(worst.id, "no") if row.failed == (worst.id,)]
    return Diagnosis(
        cause="rubric",
        said=(
            f"Tighten the rubric at {worst.id}: it is a NO where the others are YES (correlation {worst.item_rest.value:z.2f}, "
            f"at most {worst.item_rest.high:z.2f}, n = {worst.item_rest.n}). Are its YES and NO the wrong way round?"
        ),
        about=(worst.id,),
        shown_by=_ids(against),
    )


def _blind(case: _Case) -> Diagnosis | None:
    blind = [id for id in case.order if case.seen.probes.get(id) == "blind"]
    if not blind:
        return None
    passed = case.answering(blind[0], "yes")
    return Diagnosis(
        cause="rubric",
        said=f"Tighten the rubric at {', '.join(blind)}: probes planted its fault, and it saw none. Its YES means nothing here.",
        about=tuple(blind),
        shown_by=_ids(passed),
    )


def _nothing_fails(case: _Case) -> Diagnosis | None:
    answers = (dict(zip(case.order, row.answers, strict=True)) for row in case.judged)
    if not suspicion(answers) or all(case.seen.probes.get(id) == "sees" for id in case.order):
        return None
    unseen = tuple(id for id in case.order if case.seen.probes.get(id) != "sees")
    return Diagnosis(
        cause="rubric",
        said=f"Tighten the rubric, or show that it catches something (`finetune-prep probe`). {FLAWLESS}",
        about=unseen,
        shown_by=_ids(case.judged),
    )


def _never_passes(case: _Case) -> Diagnosis | None:
    """A question that nearly every conversation fails tells nothing apart, whoever is to blame."""
    dead = [found for found in case.health.questions if found.yes.n >= ENOUGH and _all_no(found)]
    if not dead:
        return None
    worst = min(dead, key=lambda found: (found.yes.k / found.yes.n, -found.yes.n))
    return Diagnosis(
        cause="rubric",
        said=(
            f"Tighten the rubric at {worst.id}: only {worst.yes.k} of {worst.yes.n} pass it, so it separates nothing. Read "
            "some: if they are good, it asks too much; if not, the generation prompt never asks for it."
        ),
        about=(worst.id,),
        shown_by=_ids(case.answering(worst.id, "no")),
    )


def _all_no(found: QuestionHealth) -> bool:
    return upper_bound(found.yes.k, found.yes.n) < 2 * UNREADABLE


def _one_cell(case: _Case) -> Diagnosis | None:
    """A part of the scenario space in which most fails, by one question or another, while the rest is well."""
    bad = {"rejected", "faulty"}
    rows = [row for row in case.seen.rows if row.state in {*bad, "accepted", "flawed", "surplus"}]
    cells = Counter(row.cell for row in rows)
    found: list[tuple[float, str, list[Fate]]] = []
    for cell, n in cells.items():
        inside = [row for row in rows if row.cell == cell and row.state in bad]
        outside = sum(row.state in bad for row in rows) - len(inside)
        if n < FEWEST_IN_CELL or len(inside) < 0.5 * n or outside > (1 - limits.PASS_RATE) * (len(rows) - n):
            continue
        p = fisher(Count(len(inside), n), Count(outside, len(rows) - n)) * len(cells)
        found.append((p, cell, inside))
    if not found or (best := min(found, key=lambda item: item[:2]))[0] > LEVEL:
        return None
    _, cell, failed = best
    by = case.failing([row for row in failed if row.state == "rejected"])
    if by and by[0][0] != CASE and _is_one(by, len(failed)):
        return _strengthen(case, by[0], failed, f"in {cell}, {len(failed)} of {cells[cell]} failed", f"these {len(failed)}")
    asks = "what is expected there, and whether the prompt says so" if by and by[0][0] == CASE else "its situations"
    return Diagnosis(
        cause="space",
        said=(
            f"Look at {cell} in the scenario space: {len(failed)} of {cells[cell]} fail there, by one question or another, and "
            f"{sum(row.state in bad for row in rows) - len(failed)} of {len(rows) - cells[cell]} elsewhere. "
            f"Read {asks}."
        ),
        about=(cell,),
        shown_by=_ids(failed),
    )


def _is_one(by: Sequence[tuple[str, int, int]], failed: int) -> bool:
    """Whether one question stands out among those that fail so many conversations."""
    return by[0][2] >= ONE_QUESTION * failed and (len(by) < 2 or by[0][2] >= 2 * by[1][2])


def _too_few_pass(case: _Case) -> Diagnosis | None:
    rate = case.seen.rate
    if rate.value is None or rate.value > limits.PASS_RATE:
        return None
    faulty = [row for row in case.seen.rows if row.state == "faulty"]
    if len(faulty) > len(case.failed):
        (fault, count), *_ = Counter(row.fault.split(":")[0] for row in faulty).most_common(1)
        return Diagnosis(
            cause="prompt",
            said=(
                f"Strengthen the generation prompt: {len(faulty)} of {rate.n} are faulty before a judge sees them, {count} of "
                f"them “{fault}”."
            ),
            about=(fault,),
            shown_by=_ids(faulty),
        )
    by = case.failing(case.failed)
    if not by:
        return None
    return _strengthen(case, by[0], case.failed, f"{rate.k} of {rate.n} passed", f"the {len(case.failed)} that were rejected")


def _strengthen(case: _Case, by: tuple[str, int, int], failed: Sequence[Fate], first: str, which: str) -> Diagnosis:
    """The sentence for a question that fails most: which guard of the generation prompt is for it, and what was counted.

    first: how the conversations fared. which: the failed ones, as they are called after it.
    """
    id, alone, count = by
    question = case.questions.get(id)
    guards = _guards(case.seen.generation, question)
    if question is None:
        do, failing = "Say in the generation prompt what special cases ask for", "did not do it"
    elif guards:
        do, failing = f"Strengthen guard {', '.join(guards)} in the generation prompt", f"failed {id}"
    else:
        of = ", ".join((*question.catches, *question.checks)) or id
        do, failing = f"Add a guard for {of} to the generation prompt", f"failed {id}"
    examples = sorted((row for row in failed if id in row.failed), key=lambda row: len(row.failed))
    by_itself = f", {alone} of them nothing else" if alone and question else ""
    elsewhere = len([row for row in case.judged if id in row.failed]) - count
    more = f" Of the other judged conversations, {elsewhere} failed it, too." if elsewhere and question else ""
    return Diagnosis(
        cause="prompt",
        said=f"{do}: {first}, and {count} of {which} {failing}{by_itself}.{more}",
        about=(id, *guards),
        shown_by=_ids(examples),
    )


def _guards(prompt: GenerationPrompt | None, question: Question | None) -> tuple[str, ...]:
    if prompt is None or question is None:
        return ()
    return tuple(guard.id for guard in prompt.guards if {*guard.counters} & {*question.catches})


def _flawed(case: _Case) -> Diagnosis | None:
    flawed = [row for row in case.judged if row.state == "flawed"]
    by = case.failing(flawed)
    if not by or lower_bound(by[0][2], len(case.judged)) <= GRAVE:
        return None
    first = f"{len(flawed)} passed with a serious failure and will not be training rows"
    return _strengthen(case, by[0], flawed, first, f"these {len(flawed)}")


def _hardly_applies(case: _Case) -> Diagnosis | None:
    n = len(case.judged)
    found = [
        question for question in case.health.questions
        if case.questions[question.id].applies == "always" and n and lower_bound(question.na, n) > NEVER_APPLIES
    ]  # fmt: skip
    if not found:
        return None
    worst = max(found, key=lambda question: question.na)
    return Diagnosis(
        cause="rubric",
        said=f"Tighten the rubric at {worst.id}: it says that it always applies, and is N/A in {worst.na} of {n}.",
        about=(worst.id,),
        shown_by=_ids(case.answering(worst.id, "na")),
    )


def _ready(seen: Seen) -> Diagnosis:
    rate = seen.rate
    low = (
        ""
        if rate.low > limits.PASS_RATE
        else f"; the interval reaches down to {rate.low:.0%}, so a larger pilot may say otherwise"
    )
    first = "Ready to scale" if seen.account.planned >= limits.PILOT else f"Ready for a pilot of {limits.PILOT}"
    if seen.larger:
        first, low = f"{seen.larger} says more", ""
    flawed = f" ({count} of them flawed)" if (count := seen.account.states.get("flawed", 0)) else ""
    said = f"{first}: {rate.k} of {rate.n} passed here{flawed}, and no single cause stands out{low}."
    return Diagnosis(cause="ready", said=said if seen.larger else said.replace(" passed here", " passed"))
