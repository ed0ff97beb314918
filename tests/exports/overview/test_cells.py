"""The map of the scenario space: what is counted in which field, and how dark it is drawn."""

from __future__ import annotations

from finetune_prep.core.sample import Sample, State
from finetune_prep.core.scenarios.drawing import plan
from finetune_prep.core.scenarios.scenario import Scenario
from finetune_prep.exports.overview.cells import Cells, Field, Map
from finetune_prep.exports.talks.row import Row
from tests.gates import pottery

SCENARIOS = plan(pottery.space(), 60, 1)
TOPICS = {topic.id: topic.name for topic in pottery.space().topics}


def rows(state_of: dict[State, range]) -> list[Row]:
    states = {number: state for state, numbers in state_of.items() for number in numbers}
    return [Row(sample=Sample(scenario=SCENARIOS[number], state=state)) for number, state in sorted(states.items())]


def map_of(rows: list[Row]) -> Map:
    cells = Cells(TOPICS)
    for row in rows:
        cells.take(row)
    return cells.found


def field_of(scenario: Scenario) -> tuple[str, str]:
    column = {"edge": "edge", "out-of-scope": "out of scope"}.get(scenario.cell.kind, scenario.difficulty.name)
    return TOPICS.get(scenario.cell.topic, "no topic"), column


def test_every_conversation_that_counts_stands_in_its_field() -> None:
    found = map_of(rows({"accepted": range(30), "flawed": range(30, 40), "rejected": range(40, 55), "failed": range(55, 60)}))
    assert found.columns == ("Easy", "Medium", "Hard", "edge", "out of scope")
    assert sum(field.n for line in found.lines for field in line.fields) == 55, "a provider's failure says nothing of the cell"
    assert sum(field.passed for line in found.lines for field in line.fields) == 40
    for line in found.lines:
        for column, field in zip(found.columns, line.fields, strict=True):
            inside = [number for number in range(55) if field_of(SCENARIOS[number]) == (line.name, column)]
            assert field == Field(sum(number < 40 for number in inside), len(inside))


def test_topics_keep_their_order_and_none_has_a_name() -> None:
    names = [line.name for line in map_of(rows({"accepted": range(60)})).lines]
    assert names == [name for name in (*TOPICS.values(), "no topic") if name in names]
    assert "no topic" in names


def test_the_more_fail_the_darker_and_few_are_pale() -> None:
    assert Field(10, 10).tint == Field(0, 0).tint == 0
    assert Field(0, 1).tint < Field(0, 10).tint < 70
    assert Field(8, 10).tint < Field(2, 10).tint


def test_nothing_counted_is_no_map() -> None:
    assert map_of(rows({"failed": range(5)})).lines == ()
