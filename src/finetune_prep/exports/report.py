"""The report of a run: one HTML file that needs nothing else. Text of models is escaped, never rendered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jinja2
import msgspec

from finetune_prep.core.conversation import Message
from finetune_prep.core.rubric import Rubric
from finetune_prep.core.sample import WAYS, Account, Sample
from finetune_prep.core.verdict import CASE, Judgement, is_none
from finetune_prep.exports.card import Served
from finetune_prep.statistics.rates import Rate

TEMPLATE = Path(__file__).with_name("report.html")
STYLE = Path(__file__).with_name("report.css")
LIMITS = (
    "Users are simulated, and real ones will surprise. The judge is a language model; its mistakes are in every figure above. "
    "A rubric catches what somebody thought of: read some conversations that passed."
)


FLAWLESS = (
    "No question got a single NO. A rubric that nothing fails tells nothing apart, and perfect scores are suspicious: the judge "
    "may be too kind, or the questions too easy. Read some of these conversations before you believe it."
)
ENOUGH = 10  # judged conversations, from which on it is strange that nothing fails


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A sample with its verdict, if there is one: answers and evidence by question, ids of unsupported evidence."""

    sample: Sample
    answers: Mapping[str, str | None] = {}
    evidence: Mapping[str, str] = {}
    unsupported: Sequence[str] = ()
    case: Judgement | None = None
    """Whether what its special case asks for was done."""


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


class AnswerLine(NamedTuple):
    id: str
    answer: str
    evidence: str
    lacks: str
    """What is wrong with the evidence, "" for nothing."""


class ConversationLine(NamedTuple):
    state: str
    score: str
    situation: str
    why: str
    about: str
    scenario: str
    expected: str
    """What its special case asks for, where a judge was asked about that."""
    thin: Sequence[str]
    """Categories that rest on one question."""
    odd: Sequence[str]
    """Prices and percentages that stand in no fact and no message."""
    turns: tuple[Message, ...]
    answers: tuple[AnswerLine, ...]
    not_applicable: tuple[str, ...]


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
    conversations: list[ConversationLine]
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
    rows: Sequence[Row],
    served: Sequence[Served] = (),
    figures: Sequence[str] = (),
    stopped: str = "",
) -> str:
    """The HTML of a run's report. rows: in plan order. served: models that answered under another name than asked by. figures:
    what is said beside the rate, in sentences. stopped: why the rest was not asked for, "" if everything was."""
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
        conversations=[_conversation(row) for row in rows],
        limits=LIMITS,
        suspicion=suspicion([row.answers for row in rows]),
        stopped=stopped,
    )
    return page(TEMPLATE, r=report, ways=WAYS)


def page(template: Path, **values: Any) -> str:
    """A page in the style of reports: one file that needs nothing else, in which every value is text and never markup."""
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    style = STYLE.read_text("utf-8")
    return environment.from_string(template.read_text("utf-8")).render(style=style, **values) + "\n"


def suspicion(answers: Sequence[Mapping[str, str | None]]) -> str:
    """What to say of verdicts that hold no NO at all; "" where there are too few of them, or one."""
    judged = [given for given in answers if given and None not in given.values()]
    return FLAWLESS if len(judged) >= ENOUGH and not any("no" in given.values() for given in judged) else ""


def _questions(rubric: Rubric, rows: Sequence[Row]) -> list[QuestionLine]:
    gates = {question.id for category in rubric.categories if category.gate for question in category.questions}
    lines = []
    for question in rubric.questions:
        counts = Counter(row.answers.get(question.id) for row in rows if row.answers)
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


def _conversation(row: Row) -> ConversationLine:
    sample, scenario = row.sample, row.sample.scenario
    dimensions = (scenario.person, scenario.style, scenario.difficulty, scenario.flaw, scenario.arc)
    drawn = [str(scenario.cell), *(value.name for value in dimensions if value)]
    return ConversationLine(
        state=sample.state,
        score=f"{sample.score:.2f}" if sample.score is not None else "",
        situation=scenario.situation.text,
        why=f"no: {', '.join(sample.failed)}" if sample.failed else sample.fault,
        about=" · ".join(drawn),
        scenario=scenario.id,
        turns=sample.conversation.messages if sample.conversation else (),
        expected=scenario.expected if row.case else "",
        thin=sample.thin,
        odd=sample.odd,
        answers=(*_case(row), *(_answer_line(row, id, answer) for id, answer in row.answers.items() if answer != "na")),
        not_applicable=tuple(id for id, answer in row.answers.items() if answer == "na"),
    )


def _case(row: Row) -> tuple[AnswerLine, ...]:
    return (AnswerLine(CASE, row.case.answer, row.case.evidence, ""),) if row.case else ()


def _answer_line(row: Row, id: str, answer: str | None) -> AnswerLine:
    evidence = row.evidence.get(id, "")
    lacks = "" if id not in row.unsupported else "needs a quote" if is_none(evidence) else "not in the conversation"
    return AnswerLine(id, answer or "missing", evidence, lacks)
