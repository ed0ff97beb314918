"""What is said of a scaled run: figures with what they are measured in."""

from __future__ import annotations

import msgspec
import pytest

from finetune_prep.project.scaling.result import WaveLine, kept_in_words
from finetune_prep.workflow.scaling.sentences import acceptable_in_words, drift_in_words, in_sentences
from tests.workflow.auditing.sets import whole

FAIR = WaveLine(fair=True, candidates=80, counted=80, passed=70, accepted=60, tested=80, tested_passed=70, expected_passed=72.0)
MADE_UP = msgspec.structs.replace(FAIR, fair=False)


@pytest.mark.parametrize(
    ("waves", "by"),
    [
        ((FAIR,), "by the pilot's rate (90%)."),
        ((FAIR, MADE_UP), "by the pilot's rate (90%) and, where a cell is topped up, by its own rate before."),
        ((MADE_UP,), "where a cell is topped up, by its own rate before."),
        ((), "by the pilot's rate (90%)."),
    ],
)
def test_drift_says_what_was_expected_by_what_and_what_the_evidence_is(waves: tuple[WaveLine, ...], by: str) -> None:
    said = drift_in_words(msgspec.structs.replace(whole(80), waves=waves))
    assert f"80 of 80 new conversations passed (100%); 90% were expected, {by}" in said
    assert (
        "Evidence of a fall by more than 6.5 points: 0.1 (a likelihood ratio: below 1 speaks against it, 20 stops the run)"
        in said
    )


def test_nothing_is_said_where_nothing_was_compared_or_counted() -> None:
    assert drift_in_words(msgspec.structs.replace(whole(10), tested=0)) == ""
    assert acceptable_in_words(0, 0, 0) == ""


def test_what_could_be_rows_is_told_apart_from_the_rows_that_were_ordered() -> None:
    said = "acceptable: 211 of 298 (71%); 150 are training rows, 61 surplus, whose cell had its rows already"
    assert acceptable_in_words(150, 61, 298) == said
    assert acceptable_in_words(8, 0, 10) == "acceptable: 8 of 10 (80%); 8 are training rows"


def test_what_was_kept_from_before_is_told() -> None:
    assert kept_in_words(whole(10)) == ""
    kept = msgspec.structs.replace(whole(10), kept=240, kept_rows=109)
    said = "240 conversations from before, 109 accepted, stay in the run until it comes to them again."
    assert said in in_sentences(kept, labelled=10)
