"""The report of a run: one HTML file that needs nothing else. Text of models is escaped, never rendered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from finetune_prep.core.rubric import Rubric
from finetune_prep.core.sample import WAYS, Account
from finetune_prep.exports.card import Served
from finetune_prep.exports.judging.both import ReadByBoth
from finetune_prep.exports.overview.cells import Map, map_of
from finetune_prep.exports.overview.questions import QuestionLine, question_lines
from finetune_prep.exports.overview.reading_list import ToRead, reading_list
from finetune_prep.exports.overview.scaled import ScaledView
from finetune_prep.exports.talks.pages import Talks, talks_of
from finetune_prep.exports.talks.row import Row
from finetune_prep.exports.talks.styled import page
from finetune_prep.method import limits
from finetune_prep.statistics.rates import Rate, wilson
from finetune_prep.statistics.sequential import anytime_interval

TEMPLATE = Path(__file__).with_name("report.html")
LIMITS = (
    "The users are simulated; real ones will behave in ways these did not. The judge is a language model; its mistakes are in "
    "every figure above. A rubric catches only what somebody thought of: read some conversations that passed."
)


FLAWLESS = (
    "No question got a single NO. A rubric that nothing fails tells nothing apart, and perfect scores are suspicious: the judge "
    "may be too kind, or the questions too easy. Read some of these conversations before you believe it."
)
NOT_MEASURED = "How often this judge is right has not been measured."
ENOUGH = 10  # judged conversations, from which on it is strange that nothing fails


class Said(NamedTuple):
    """What is said of a run beside its counts. All of it text; "" and empty for what nobody knows."""

    diagnosis: str = ""
    """What to do next."""
    shown_by: Sequence[str] = ()
    """Ids of scenarios whose conversations show it."""
    probed: Mapping[str, str] = {}
    """Question → what probes of the present rubric and judge say of it."""
    judge: str = NOT_MEASURED
    """How far the judge's word goes."""
    topics: Mapping[str, str] = {}
    """Names of the scenario space's topics by id."""
    money: str = ""
    """What its answers cost."""


class Report(NamedTuple):
    """Everything the template shows."""

    domain: str
    run: str
    judge: str
    second: str
    assistant: str
    served: Sequence[Served]
    threshold: float
    account: Account
    rate: Rate
    accepted: Rate
    goal: int
    """Per cent that have to pass; in a scaled run, those that passed in its pilot."""
    scaled: ScaledView | None
    said: Said
    map: Map
    to_read: list[ToRead]
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
    said: Said = Said(),  # noqa: B008 - cannot be changed
    scaled: ScaledView | None = None,
    second: str = "",
) -> str:
    """The HTML of a run's report.

    rows: in plan order; gone through more than once. folder: of the run, where the pages of a large one are written; None keeps
    all conversations in the page. served: models that answered under another name than asked by. figures: what is said beside
    the rate, in sentences. stopped: why the rest was not asked for, "" if everything was. said: what else is known.
    scaled: what a scaled run has beside a pilot. second: how much a second judge reads, "" where there is none.
    """
    states, both = account.in_words, ReadByBoth(rubric)
    for row in rows if second else ():
        both.take(row)
    differ = {one.scenario: one.why for one in both.found.differ} if both.found else {}
    report = Report(
        domain=domain,
        run=run,
        judge=judge,
        second=second,
        assistant=assistant,
        served=served,
        threshold=rubric.threshold,
        account=account,
        rate=rate,
        accepted=_accepted(account),
        goal=scaled.baseline if scaled else round(100 * limits.PASS_RATE),
        scaled=scaled,
        said=said,
        map=map_of(rows, said.topics),
        to_read=reading_list(rows, said.shown_by, rubric.threshold, differ),
        states=states,
        words=", ".join(f"{count} {state}" for state, count in states),
        questions=question_lines(rubric, rows, said.probed),
        figures=figures,
        talks=talks_of(rows, run, folder),
        limits=LIMITS,
        suspicion=suspicion(row.answers for row in rows),
        stopped=stopped,
    )
    return page(TEMPLATE, r=report, ways=WAYS)


def _accepted(account: Account) -> Rate:
    """How many are training rows, of those that the pass rate counts."""
    k = account.states.get("accepted", 0)
    if not account.not_asked:
        return wilson(k, account.counted)
    interval = anytime_interval(k, account.counted)
    return Rate(k, account.counted, interval.low, interval.high)


def suspicion(answers: Iterable[Mapping[str, str | None]]) -> str:
    """What to say of verdicts that hold no NO at all; "" where there are too few of them, or one."""
    judged = 0
    for given in answers:
        if given and None not in given.values():
            judged += 1
            if "no" in given.values():
                return ""
    return FLAWLESS if judged >= ENOUGH else ""
