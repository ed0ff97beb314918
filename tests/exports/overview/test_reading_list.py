"""What to read first: each conversation once, with the first reason, and no more than a person reads."""

from __future__ import annotations

from finetune_prep.core.sample import Sample
from finetune_prep.core.scenarios.drawing import plan
from finetune_prep.exports.overview.reading_list import MOST, ReadingList, ToRead
from finetune_prep.exports.talks.row import Row
from tests.gates import pottery

SCENARIOS = plan(pottery.space(), 40, 1)


def row(number: int, state: str, score: float | None = None, **more: object) -> Row:
    return Row(sample=Sample(scenario=SCENARIOS[number], state=state, score=score, **more))  # type: ignore[arg-type]


def reading_list(rows: list[Row], shown_by: list[str]) -> list[ToRead]:
    """Of a rubric with the threshold .8."""
    chosen = ReadingList(shown_by, 0.8)
    for row in rows:
        chosen.take(row)
    return chosen.found


def test_each_reason_brings_its_conversation() -> None:
    rows = [
        row(0, "accepted", 1.0),
        row(1, "accepted", 0.81),
        row(2, "rejected", 0.79),
        row(3, "rejected", 0.30),
        row(4, "unjudged", fault="somebody in it seems to speak to the judge"),
        row(5, "accepted", 0.9, odd=("€52",)),
        row(6, "rejected", 0.95),
        row(7, "accepted", 0.9),
    ]
    found = {item.scenario: item.why for item in reading_list(rows, [SCENARIOS[3].id])}
    assert found == {
        SCENARIOS[3].id: "shows what is said above",
        SCENARIOS[4].id: "somebody in it seems to speak to the judge",
        SCENARIOS[5].id: "states €52, which stands in no fact",
        SCENARIOS[1].id: "just passed",
        SCENARIOS[2].id: "just failed",
        SCENARIOS[0].id: "the best score: is it as good as that?",
    }


def test_whoever_is_wanted_for_two_reasons_stands_once() -> None:
    (only,) = reading_list([row(0, "accepted", 0.9)], [SCENARIOS[0].id])
    assert only.why == "shows what is said above"


def test_nobody_reads_forty() -> None:
    rows = [row(number, "unjudged", fault="somebody in it seems to speak to the judge") for number in range(40)]
    assert len(reading_list(rows, [])) == MOST
    assert reading_list([], []) == []
