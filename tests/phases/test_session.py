"""The boundary around a text of others: nobody can guess it, and no text can hold its own."""

from __future__ import annotations

import re

from finetune_prep.phases.session import boundary


def test_a_text_cannot_hold_its_own_boundary_even_if_it_tries_many() -> None:
    """Each attempt to write the boundary into the text gives the text another one."""
    text = "start"
    for _ in range(200):
        mark = boundary(1, text)
        assert re.fullmatch(r"[0-9a-f]{16}", mark)
        assert mark not in text
        text = f"=== {mark} · end ==="


def test_a_boundary_depends_on_the_seed_and_on_the_content_and_is_the_same_again() -> None:
    marks = [boundary(1, "a"), boundary(2, "a"), boundary(1, "b"), boundary(12, "3"), boundary(1, "23")]
    assert len(set(marks)) == len(marks)
    assert boundary(1, "a") == marks[0]
