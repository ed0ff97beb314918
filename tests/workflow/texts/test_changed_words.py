"""What a person is shown of a change: the changed words, all that is new, and little else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune_prep.workflow.texts.changed_words import MOST_TAKEN_AWAY, changed_words

LONG = "A parcel that came broken is replaced at once, " + "and the customer keeps what is left of it, " * 15


def test_a_figure_in_a_long_line_is_seen_at_once() -> None:
    """30 became 31 somewhere in 700 characters."""
    before = f"# Rules\n\n{LONG} within 30 days, {LONG}\n"
    [change] = changed_words(before, before.replace("30", "31"))
    assert change.line == 3
    assert "within [-30-]{+31+} days" in change.marked
    assert len(change.marked) < 150


def test_changes_that_are_far_apart_are_told_apart_with_their_lines() -> None:
    before = "".join(f"Line {number} says something about parcels and their contents.\n\n" for number in range(40))
    after = before.replace("Line 3 says", "Line 3 tells").replace("Line 30 says", "Line 30 tells")
    changes = changed_words(before, after)
    assert [change.line for change in changes] == [7, 61]
    assert all("[-says-]{+tells+}" in change.marked for change in changes)


def test_all_that_is_new_is_shown() -> None:
    fresh = "\n".join(f"A new rule, number {number}, that nobody has read." for number in range(50))
    changes = changed_words("# Rules\n\nOld.\n", f"# Rules\n\n{fresh}\n\nOld.\n")
    assert "".join(piece.text for change in changes for piece in change.pieces if piece.role == "new") == fresh


def test_of_a_long_deletion_beginning_and_end_are_shown() -> None:
    gone = " ".join(f"word{number}" for number in range(10 * MOST_TAKEN_AWAY))
    [change] = changed_words(f"Before.\n\n{gone}\n\nAfter.\n", "Before.\n\nAfter.\n")
    assert change.marked == (
        "[-word0 word1 word2 word3 word4 word5 word6 word7 … 584 words … "
        "word592 word593 word594 word595 word596 word597 word598 word599-]"
    )


def test_scripts_without_spaces_are_compared_by_character() -> None:
    [change] = changed_words("押金在三十天内退还。\n", "押金在三十一天内退还。\n")
    assert change.marked == "押金在三十{+一+}天内退还。"


@pytest.mark.parametrize(("before", "after"), [("a\n", "a  \n"), ("a\nb\n", "a\n\nb"), ("", ""), ("", "\n")])
def test_white_space_at_line_ends_is_no_change(before: str, after: str) -> None:
    assert changed_words(before, after) == ()


def test_a_text_that_is_all_new() -> None:
    [change] = changed_words("", "# Title\n\nText.\n")
    assert (change.line, change.marked) == (1, "{+# Title\nText.+}")
    [change] = changed_words("# Title\n", "")
    assert (change.line, change.marked) == (1, "[-# Title-]")


TEXTS = st.lists(st.sampled_from(["a", "b", "some words", "other words here", "", "那 是", "x y z"]), max_size=8).map("\n".join)


@given(TEXTS, TEXTS)
def test_every_new_word_is_among_the_changes(before: str, after: str) -> None:
    """Whatever the texts: a word that the new text has more often than the old one is shown as new."""
    shown = " ".join(piece.text for change in changed_words(before, after) for piece in change.pieces if piece.role == "new")
    for word in set(after.split()):
        if after.split().count(word) > before.split().count(word):
            assert word in shown
    assert bool(changed_words(before, after)) == (before.split("\n") != after.split("\n") and _bare(before) != _bare(after))


def _bare(text: str) -> list[str]:
    return [line.rstrip() for line in text.splitlines() if line.strip()]
