"""What became of the conversations of a pilot: what decides about them, and little memory for each."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator

import msgspec

from finetune_prep.core.conversation import Conversation, Message
from finetune_prep.core.sample import Sample
from finetune_prep.core.scenarios.drawing import plan
from finetune_prep.exports.talks.row import Row
from finetune_prep.project.runs import VerdictRow
from finetune_prep.workflow.diagnosing.fate import Fate, fates
from tests.gates import pottery

RUBRIC = pottery.rubric()
ORDER = [question.id for question in RUBRIC.questions]
SCENARIOS = plan(pottery.space(), 3, 7)
MOST_BYTES = 600  # of a conversation of a large pilot


def row(place: int, **more: object) -> Row:
    sample = Sample(scenario=SCENARIOS[place], state="rejected", failed=("SF1",))
    return msgspec.structs.replace(Row(sample=sample, answers=dict.fromkeys(ORDER, "yes") | {"SF1": "no"}), **more)


def test_answers_stand_in_the_order_of_the_rubric() -> None:
    (found,) = fates(RUBRIC, [row(0, answers={"SF1": "no", **dict.fromkeys(reversed(ORDER[1:]), "yes")}, unsupported=["SF1"])])
    assert found == Fate(
        scenario=SCENARIOS[0].id,
        cell=str(SCENARIOS[0].cell),
        state="rejected",
        failed=("SF1",),
        answers=("no", *["yes"] * (len(ORDER) - 1)),
        unsupported=("SF1",),
    )
    assert found.judged


def test_without_a_verdict_or_an_answer_it_is_not_judged() -> None:
    none, missing = fates(RUBRIC, [row(0, answers={}), row(1, answers={"SF1": "no"})])
    assert none.answers == ()
    assert missing.answers == ("no", *[None] * (len(ORDER) - 1))
    assert not none.judged
    assert not missing.judged


def test_of_a_large_pilot_little_is_held() -> None:
    """Rows that come from disk have every word anew; 20,000 of them with all their answers took 130 MB."""
    n = 2000
    talk = Conversation((Message("user", "My bowl came cracked."), Message("assistant", "The kiln room decides.")))
    sample = msgspec.json.encode(msgspec.structs.replace(row(0).sample, conversation=talk))
    verdict = msgspec.json.encode(
        VerdictRow(
            conversation_id=talk.id,
            scenario=SCENARIOS[0].id,
            judge="birch-2",
            rubric=RUBRIC.version,
            answers=dict(row(0).answers),
            evidence=dict.fromkeys(ORDER, "The kiln room decides."),
        )
    )

    def from_disk() -> Iterator[Row]:
        for _ in range(n):
            read = msgspec.json.decode(verdict, type=VerdictRow)
            yield Row(sample=msgspec.json.decode(sample, type=Sample), answers=read.answers, evidence=read.evidence)

    tracemalloc.start()
    try:
        found = fates(RUBRIC, from_disk())
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(found) == n
    assert held / n < MOST_BYTES
