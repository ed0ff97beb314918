"""What is said of probes: in words, and what to do about each."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from finetune_prep.statistics.probing.table import FailureRow, ProbeTable, QuestionRow
from finetune_prep.statistics.probing.words import Count
from finetune_prep.statistics.rates import exact
from finetune_prep.workflow.probing.advice import advice, failure_words, same_family, summed_up, upshot, words_of

SOUND = QuestionRow(
    id="CP1",
    gate=False,
    word="sees",
    seen=exact(6, 6),
    wanted=6,
    needed=6,
    mixes_with=(),
    not_alone=(),
    alarms_easily=False,
    neutral=Count(0, 24),
    placebo=Count(0, 24),
    na=None,
    quoted=Count(6, 6),
    flips={},
    invalid=0,
    unjudged=0,
)


def row(**changes: Any) -> QuestionRow:
    return msgspec.structs.replace(SOUND, **changes)


def table(*rows: QuestionRow, bases: int = 24) -> ProbeTable:
    return ProbeTable(
        run="probe-001", questions=rows, measured=(), source="pilot-001", bases=bases, neutral=Count(24, 24), rubric="r1"
    )


CASES: list[tuple[QuestionRow, str]] = [
    (row(word="blind", seen=exact(0, 6)), "CP1 is blind: it saw none of 6 planted faults. Sharpen it"),
    (
        row(word="half-sees", seen=exact(4, 6), by_kind={"plain": Count(3, 3), "slight": Count(1, 3)}),
        "CP1 half-sees, 4 of 6; it overlooks slight faults most. Add a ruling",
    ),
    (row(word="half-sees", seen=exact(5, 6), by_kind={"plain": Count(5, 6)}), "CP1 half-sees, 5 of 6. Add a ruling"),
    (row(alarms_easily=True, neutral=Count(9, 24)), "CP1 alarms easily: 9 of 24 NOs where only the wording had changed"),
    (
        row(mixes_with=("FO3",), flips={"FO3": Count(5, 6)}),
        "CP1 mixes with FO3: the judge answers NO to FO3, too, on 5 of 6 edits that leave it sound. Add a ruling that tells them",
    ),
    (row(not_alone=("FT1",)), "CP1 cannot be broken alone: FT1 moved with it every time."),
    (row(na=Count(1, 3)), "CP1 was not N/A on 2 of 3 edits without its occasion."),
    (
        row(word="not measured", seen=exact(5, 5), wanted=5),
        "CP1 is not measured: 5 of the 6 edits that it takes, since no more were asked for: --each 6.",
    ),
    (
        row(word="not measured", seen=exact(12, 12), wanted=16, needed=16, gate=True),
        "CP1 is not measured: 12 of the 16 edits that it takes; runs/probe-001/trials.jsonl says why others do not count.",
    ),
    (
        row(word="not measured", seen=exact(0, 0), why="it names no anchor under Checks"),
        "CP1 is not measured: it names no anchor under Checks.",
    ),
]


@pytest.mark.parametrize(("given", "said"), CASES)
def test_each_word_comes_with_what_to_do(given: QuestionRow, said: str) -> None:
    (line,) = advice(table(given))
    assert line.startswith(said)


def test_a_question_that_sees_needs_no_advice() -> None:
    assert advice(table(SOUND, row(na=Count(3, 3)))) == ()


def test_few_conversations_ask_for_a_pilot() -> None:
    given = [row(id=id, word="not measured", seen=exact(6, 6), wanted=16, needed=16, gate=True) for id in ("SF1", "SF2")]
    assert advice(table(*given, bases=3)) == (
        "SF1, SF2 are not measured: 6 of the 16 edits that it takes; 3 conversations give no more than 6. Run a larger pilot first.",
    )


def test_all_words_of_a_question() -> None:
    assert words_of(row(alarms_easily=True, mixes_with=("FO3", "FO4"), not_alone=("FT1",))) == (
        "sees",
        "alarms easily",
        "mixes with FO3",
        "mixes with FO4",
        "cannot be broken alone",
    )
    assert summed_up(table(SOUND, SOUND, row(word="blind"), row(word="half-sees"))) == "2 see, 1 half-sees, 1 is blind"


FAILURE = FailureRow(
    id="FM1", text="x", severity="serious", planted=True, why="", named=("SF1",), seen_by=(), rejected=False, kept_out=False
)


@pytest.mark.parametrize(
    ("changes", "words", "end"),
    [
        ({}, "seen by no question", "would be a training row"),
        ({"seen_by": ("SF1", "CP1"), "rejected": True, "kept_out": True}, "seen by SF1, CP1", "rejected"),
        ({"seen_by": ("CP1",), "kept_out": True}, "seen by CP1, not by SF1", "flawed, kept out"),
        ({"seen_by": ("CP1",), "named": ()}, "seen by CP1, and no question names it", "would be a training row"),
        ({"planted": False, "why": "it cannot be written"}, "not planted: it cannot be written", ""),
        ({"why": "unknown contact", "rejected": True, "kept_out": True}, "found by the program: unknown contact", "rejected"),
    ],
)
def test_what_became_of_a_failure(changes: dict[str, Any], words: str, end: str) -> None:
    given = msgspec.structs.replace(FAILURE, **changes)
    assert (failure_words(given), upshot(given)) == (words, end)
    assert given.hole == (words == "seen by no question")


@pytest.mark.parametrize(
    ("expert", "judge", "verifier", "said"),
    [
        ("openai/gpt-5.1", "gpt-5.1-mini", "claude-opus-5", ""),
        ("openai/gpt-5.1", "claude-opus-5", "gpt-5-mini", "as the writer of the edits, and may"),
        ("gemini-3", "Claude-opus-5", "anthropic/claude-haiku-5", "as the judge, and may"),
        ("larch-1", "larch-1", "larch-1", "as the writer of the edits and the judge, and may"),
    ],
)
def test_a_verifier_of_the_same_family_is_named(expert: str, judge: str, verifier: str, said: str) -> None:
    given = {role: {"model": model} for role, model in (("expert", expert), ("judge", judge), ("verifier", verifier))}
    found = same_family(given)
    assert (said in found) if said else found == ""
