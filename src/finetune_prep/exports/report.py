"""The report of a run: one HTML file that needs nothing else. Text of models is escaped, never rendered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from finetune_prep.core.rubric import Rubric
from finetune_prep.core.sample import WAYS, Account
from finetune_prep.exports.card import Served
from finetune_prep.exports.judging.both import ReadByBoth
from finetune_prep.exports.overview.cells import Cells, Map
from finetune_prep.exports.overview.questions import QuestionLine, Questions
from finetune_prep.exports.overview.reading_list import ReadingList, ToRead
from finetune_prep.exports.overview.scaled import ScaledView
from finetune_prep.exports.talks.pages import Placing, Talks
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
    "No question got a single NO. A rubric that nothing fails does not tell good from bad, and perfect scores are suspicious: "
    "the judge may be too lenient, or the questions too easy. Read some of these conversations before you believe it."
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

    rows: in plan order; gone through once, and before that where there is a second judge. folder: of the run, where the pages of
    a large one are written; None keeps all conversations in the page. served: models that answered under another name than asked
    by. figures: what is said beside the rate, in sentences. stopped: why the rest was not asked for, "" if everything was. said:
    what else is known. scaled: what a scaled run has beside a pilot. second: how much a second judge reads, "" where there is
    none.
    """
    states, differ = account.in_words, _differences(rubric, rows) if second else {}
    cells, questions, doubt = Cells(said.topics), Questions(rubric, said.probed), Doubt()
    to_read, placing = ReadingList(said.shown_by, rubric.threshold, differ), Placing(run, folder)
    for row in rows:  # once for all of them: reading a row costs more than most of what is done with it
        for counting in (cells, to_read, questions, placing):
            counting.take(row)
        doubt.take(row.answers)
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
        map=cells.found,
        to_read=to_read.found,
        states=states,
        words=", ".join(f"{count} {state}" for state, count in states),
        questions=questions.found,
        figures=figures,
        talks=placing.finish(),
        limits=LIMITS,
        suspicion=doubt.said,
        stopped=stopped,
    )
    return page(TEMPLATE, r=report, ways=WAYS)


def _differences(rubric: Rubric, rows: Iterable[Row]) -> dict[str, str]:
    """Scenario → in what its judges differ."""
    both = ReadByBoth(rubric)
    for row in rows:
        both.take(row)
    return {one.scenario: one.why for one in both.found.differ} if both.found else {}


def _accepted(account: Account) -> Rate:
    """How many are training rows, of those that the pass rate counts."""
    k = account.states.get("accepted", 0)
    if not account.not_asked:
        return wilson(k, account.counted)
    interval = anytime_interval(k, account.counted)
    return Rate(k, account.counted, interval.low, interval.high)


class Doubt:
    """Of verdicts that hold no NO at all, while the answers of a run come, verdict by verdict."""

    def __init__(self) -> None:
        self._judged = 0
        self.dispelled = False
        """Whether there was a NO."""

    def take(self, given: Mapping[str, str | None]) -> None:
        """given: answers by question; what is not complete does not count."""
        if given and None not in given.values():
            self._judged += 1
            self.dispelled = self.dispelled or "no" in given.values()

    @property
    def said(self) -> str:
        """What to say of them; "" where there are too few, or a NO."""
        return FLAWLESS if self._judged >= ENOUGH and not self.dispelled else ""


def suspicion(answers: Iterable[Mapping[str, str | None]]) -> str:
    """What to say of verdicts that hold no NO at all; "" where there are too few of them, or one. Read no further than that."""
    doubt = Doubt()
    for given in answers:
        doubt.take(given)
        if doubt.dispelled:
            break
    return doubt.said
