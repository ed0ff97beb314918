"""The numbers of the method stand in one place: whoever changes one there changes gates, prompts, drafts, tables and help."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from finetune_prep.method import limits
from finetune_prep.method.limits import Range, bare, words

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
_WORD = "two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
_NUMBER = rf"(?:\.?\d[\d,.]*|{_WORD})"
# how a number of the method looks where it is written out: "15 to 20 questions", "exactly six", a bound of a schema
COUNTED = re.compile(
    rf"(?:\S+ )?(?<![\d.]){_NUMBER} (?:to|or|–) {_NUMBER}(?: \w+)?|\b(?:exactly|at most|at least) {_NUMBER}(?: \w+)?"
    r"|'(?:min|max)Items': \d+"
)
# these only one place needs: a rule in words, a hint within one prompt, the least that makes sense
ONLY_THERE = {
    "from 1 to 5",  # scales, which the method does without
    "person 8 to 10 hours",
    "saves 20 to 40",
    "short: 30 to 80 words",
    "`framework`, 3 to 5",  # queries of each kind
    "`ai_failure`, 2 or 3",
    "`human_error`, 2 or 3",
    "`safety`, 1 to 3",
    "`ethics`, 1 or 2",
    "has 3 to 12 words",
    "at least 36 pairs",
    "at most 25 words",  # of a situation
    "at most 30 words",  # budgets of what a writer returns, each in its own prompt
    "at most 40 words",
    "at most 50 words",
    "Name two to four concrete",  # ways in which a question is failed
    "phases 1 to 5 in",
    "'minItems': 2",  # two claims contradict each other, two proposals are the same
    "'minItems': 1",  # techniques of a few-shot
    "'maxItems': 4",
}
# what pages written by hand say, and what it then has to be
BY_HAND = [ROOT / "README.md", *sorted(DOCS.glob("*.md")), *sorted((DOCS / "decisions").glob("*.md"))]
SAID = (
    (
        r"(\d+)(?: to |–| or )(\d+) (?:binary |yes-or-no )?questions\b(?! (?:in|of) each)",
        [limits.QUESTIONS, limits.PER_CATEGORY, limits.PER_GATE],
    ),
    (r"(\d+)(?: to |–| or )(\d+) categories", [limits.CATEGORIES, limits.WEIGHTED]),
    (r"(\d+)(?: to |–| or )(\d+) few-shot", [limits.FEW_SHOTS]),
    (r"(\d+)(?: to |–| or )(\d+) calibration", [limits.CALIBRATIONS]),
    (r"(0?\.\d+) to (0?\.\d+) (?:of the score|threshold)", [limits.THRESHOLD]),
)


@pytest.fixture(scope="module")
def after() -> str:
    """All that gates, tables, prompts, drafts and help say once every number has been moved by 100."""
    command = [sys.executable, "-m", "tests.method.everything_said"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=120).stdout


def test_a_number_that_is_changed_is_said_nowhere_as_it_was(after: str) -> None:
    """Whatever looks like a number of the method has moved with it, or is listed above with the one place that needs it."""
    unmoved = set()
    for said in COUNTED.findall(after):
        digits = re.findall(r"(?<!\w)\.?\d(?:[\d,.]*\d)?", said)
        numbers = [float(found.replace(",", "")) for found in digits]
        moved = bool(numbers) and all(number >= 100 or number in (0.71, 0.81, 0.91) for number in numbers)
        if not moved:
            unmoved.add(said.strip("."))
    assert unmoved - ONLY_THERE == set()
    assert ONLY_THERE - unmoved == set(), "these are said nowhere any more"


def test_what_is_changed_is_said_as_it_is_now(after: str) -> None:
    """Otherwise the test above would hold of an empty page."""
    for now in (
        "115 to 120",
        "106 to 110",
        "108 to 112",
        "103 or 104",
        "102 or 103",
        ".71 to .81",
        "2,100 to 5,100",
        "exactly 106",
    ):
        assert now in after, now
    assert "'minItems': 115" not in after  # that is a sum, which no schema can hold
    assert "'maxItems': 112, 'minItems': 108" in after


@pytest.mark.parametrize("path", BY_HAND, ids=lambda path: path.name)
def test_pages_written_by_hand_say_the_same_numbers(path: Path) -> None:
    text = " ".join(path.read_text("utf-8").split())
    for pattern, allowed in SAID:
        for found in re.finditer(pattern, text):
            assert (float(found[1]), float(found[2])) in [tuple(map(float, each)) for each in allowed], found[0]


def test_numbers_are_written_as_the_place_needs_them() -> None:
    assert f"{Range(15, 20)}" == "15 to 20"
    assert str(Range(3, 4)) == "3 or 4"
    assert f"{Range(0.7, 0.8):.2f}" == "0.70 to 0.80"
    assert f"{Range(2000, 5000):,}" == "2,000 to 5,000"
    assert (words(6), words(0.25), words(100), words(37)) == ("six", "a quarter", "a hundred", "37")
    assert bare(0.7) == ".70"
    assert (Range(2, 4).holds(2), Range(2, 4).holds(4), Range(2, 4).holds(5)) == (True, True, False)
