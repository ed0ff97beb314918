"""Days out of whatever pages write."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune_prep.sources.dates import iso_day


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2026-03-05", "2026-03-05"),
        ("2026-03-05T10:00:00+02:00", "2026-03-05"),
        ("Published 2026-03-05.", "2026-03-05"),
        ("Thu, 05 Mar 2026 08:00:00 GMT", "2026-03-05"),
        ("2026-02-30", ""),
        ("12026-03-050", ""),
        ("yesterday", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_a_day_is_found_or_not(written: str | None, day: str) -> None:
    assert iso_day(written) == day


@given(st.text(max_size=60))
def test_no_text_is_too_odd(text: str) -> None:
    assert iso_day(text) == iso_day(iso_day(text))
