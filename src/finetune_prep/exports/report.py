"""The report of a run: one HTML file that needs nothing else. Text of models is escaped, never rendered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from finetune_prep.core.rubric import Rubric
from finetune_prep.core.sample import WAYS, Account
from finetune_prep.exports.card import Served
from finetune_prep.exports.talks.pages import Talks, talks_of
from finetune_prep.exports.talks.row import Row
from finetune_prep.exports.talks.styled import page
from finetune_prep.statistics.rates import Rate

TEMPLATE = Path(__file__).with_name("report.html")
LIMITS = (
    "Users are simulated, and real ones will surprise. The judge is a language model; its mistakes are in every figure above. "
    "A rubric catches what somebody thought of: read some conversations that passed."
)


FLAWLESS = (
    "No question got a single NO. A rubric that nothing fails tells nothing apart, and perfect scores are suspicious: the judge "
    "may be too kind, or the questions too easy. Read some of these conversations before you believe it."
)
ENOUGH = 10  # judged conversations, from which on it is strange that nothing fails


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


class Report(NamedTuple):
    """Everything the template shows."""

    domain: str
    run: str
    judge: str
    assistant: str
    served: Sequence[Served]
    threshold: float
    account: Account
    rate: Rate
    states: list[tuple[str, int]]
    words: str
    questions: list[QuestionLine]
    figures: Sequence[str]
    talks: Talks
    limits: str
    suspicion: str
    stopped: str


def render(
    *,
    domain: str,
    run: str,
    judge: str,
    assistant: str,
    rubric: Rubric,
    account: Account,
    rate: Rate,
    rows: Iterable[Row],
    folder: Path | None = None,
    served: Sequence[Served] = (),
    figures: Sequence[str] = (),
    stopped: str = "",
) -> str:
    """The HTML of a run's report.

    rows: in plan order; gone through more than once. folder: of the run, where the pages of a large one are written; None keeps
    all conversations in the page. served: models that answered under another name than asked by. figures: what is said beside
    the rate, in sentences. stopped: why the rest was not asked for, "" if everything was.
    """
    states = account.in_words
    report = Report(
        domain=domain,
        run=run,
        judge=judge,
        assistant=assistant,
        served=served,
        threshold=rubric.threshold,
        account=account,
        rate=rate,
        states=states,
        words=", ".join(f"{count} {state}" for state, count in states),
        questions=_questions(rubric, rows),
        figures=figures,
        talks=talks_of(rows, run, folder),
        limits=LIMITS,
        suspicion=suspicion(row.answers for row in rows),
        stopped=stopped,
    )
    return page(TEMPLATE, r=report, ways=WAYS)


def suspicion(answers: Iterable[Mapping[str, str | None]]) -> str:
    """What to say of verdicts that hold no NO at all; "" where there are too few of them, or one."""
    judged = 0
    for given in answers:
        if given and None not in given.values():
            judged += 1
            if "no" in given.values():
                return ""
    return FLAWLESS if judged >= ENOUGH else ""


def _questions(rubric: Rubric, rows: Iterable[Row]) -> list[QuestionLine]:
    gates = {question.id for category in rubric.categories if category.gate for question in category.questions}
    answered: dict[str, Counter[str | None]] = {question.id: Counter() for question in rubric.questions}
    for row in rows:
        for id, counts in answered.items() if row.answers else ():
            counts[row.answers.get(id)] += 1
    lines = []
    for question in rubric.questions:
        counts = answered[question.id]
        applied = counts["yes"] + counts["no"]
        lines.append(
            QuestionLine(
                id=question.id,
                text=question.text,
                gate=question.id in gates,
                measured=question.measured is not None,
                yes=counts["yes"],
                no=counts["no"],
                na=counts["na"],
                share=counts["yes"] / applied if applied else None,
            )
        )
    return lines
