"""The page of an evaluation: one HTML file that needs nothing else. Text of models is escaped, never rendered."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from finetune_prep.core.evaluating.talk import ARMS, Arm, ArmTalk
from finetune_prep.core.rubric import Rubric
from finetune_prep.core.scenarios.scenario import Scenario
from finetune_prep.exports.talks.styled import page
from finetune_prep.statistics.comparison import SURE
from finetune_prep.statistics.evaluation.table import Change, Count, Pair, Table
from finetune_prep.statistics.evaluation.words import NAMES, main_pair
from finetune_prep.statistics.rates import signed

TEMPLATE = Path(__file__).with_name("page.html")


class Said(NamedTuple):
    """What stands around the figures, in sentences."""

    upshot: str
    remedy: str
    beside: Sequence[str]
    limits: Sequence[str]
    left_out: str


class QuestionLine(NamedTuple):
    """A question by arm, and how it changed."""

    id: str
    text: str
    gate: bool
    counts: tuple[str, ...]
    """ "yes / no", an arm each."""
    change: str
    """Of the share of YES, second arm less first, over `groups`; "" where there are none."""
    groups: int
    """Scenarios in which both arms have a YES or NO to it."""
    sure: bool


class GroupLine(NamedTuple):
    """A scenario with its talks."""

    situation: str
    about: str
    scenario: str
    counts: tuple[str, ...]
    talks: tuple[ArmTalk, ...]


class View(NamedTuple):
    """Everything the template shows."""

    domain: str
    run: str
    models: Mapping[Arm, str]
    judge: str
    user: str
    runs: int
    arms: tuple[Arm, ...]
    table: Table
    pair: Pair | None
    said: Said
    questions: list[QuestionLine]
    groups: list[GroupLine]
    names: Mapping[Arm, str]
    points: Callable[[float], str] = lambda share: signed(100 * share, 0)
    """A difference of shares in percentage points."""


def render(
    *,
    domain: str,
    run: str,
    models: Mapping[Arm, str],
    judge: str,
    user: str,
    runs: int,
    rubric: Rubric,
    table: Table,
    talks: Sequence[ArmTalk],
    scenarios: Sequence[Scenario],
    said: Said,
) -> str:
    """The HTML of an evaluation. models: by arm. scenarios: in the order of the plan."""
    arms = tuple(arm for arm in ARMS if arm in models)
    view = View(
        domain=domain,
        run=run,
        models=models,
        judge=judge,
        user=user,
        runs=runs,
        arms=arms,
        table=table,
        pair=main_pair(table),
        said=said,
        questions=_questions(rubric, table, arms),
        groups=_groups(table, talks, scenarios, arms),
        names=NAMES,
    )
    return page(TEMPLATE, v=view)


def _questions(rubric: Rubric, table: Table, arms: Sequence[Arm]) -> list[QuestionLine]:
    pair = main_pair(table)
    changes: dict[str, Change] = {change.id: change for change in pair.questions} if pair else {}
    texts = {question.id: question.text for question in rubric.questions}
    lines = []
    for row in table.questions:
        change = changes.get(row.id)
        sure = change is not None and change.p is not None and change.p <= SURE
        said = signed(change.difference) if change and change.groups else ""
        if change and change.p is not None and sure:
            said += f" (p = {change.p:.3f})"
        counts = tuple(f"{row.arms[arm][0]} / {row.arms[arm][1]}" for arm in arms)
        lines.append(QuestionLine(row.id, texts.get(row.id, ""), row.gate, counts, said, change.groups if change else 0, sure))
    return lines


def _groups(table: Table, talks: Sequence[ArmTalk], scenarios: Sequence[Scenario], arms: Sequence[Arm]) -> list[GroupLine]:
    rows = {row.scenario: row for row in table.groups}
    lines = []
    for scenario in scenarios:
        row = rows.get(scenario.id)
        counts = tuple(_of(row.arms.get(arm, Count(0, 0))) if row else "" for arm in arms)
        drawn = (scenario.person, scenario.style, scenario.difficulty, scenario.flaw)
        about = " · ".join([str(scenario.cell), *(value.name for value in drawn if value)])
        mine = tuple(talk for talk in talks if talk.scenario == scenario.id)
        lines.append(GroupLine(scenario.situation.text, about, scenario.id, counts, mine))
    return lines


def _of(count: Count) -> str:
    return f"{count.k} of {count.n}" if count.n else "–"
