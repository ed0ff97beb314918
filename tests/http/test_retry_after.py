"""How long an answer asks to wait: seconds, milliseconds, a date by the endpoint's own clock."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from finetune_prep.http.retry_after import LONGEST, asked_wait

NOW = datetime(2026, 11, 20, 10, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("milliseconds", "value", "seconds"),
    [
        (None, "7", 7.0),
        (None, " 1.5 ", 1.5),
        ("250", "7", 0.25),
        ("soon", "7", 7.0),
        (None, "Fri, 20 Nov 2026 10:00:30 GMT", 30.0),
        (None, "Fri, 20 Nov 2026 09:00:00 GMT", 0.0),
        (None, "Fri, 20 Nov 2026 10:00:30", 30.0),
        (None, "-5", None),
        (None, "soon", None),
        (None, "", None),
        (None, None, None),
        ("nan", None, None),
        (None, "99999999999", LONGEST),
        (None, "9" * 400, LONGEST),
    ],
)
def test_what_is_asked_for(milliseconds: str | None, value: str | None, seconds: float | None) -> None:
    """What cannot be read is nothing; what is beyond all measure is as long as can be."""
    headers = {"retry-after-ms": milliseconds, "retry-after": value}
    assert asked_wait({name: text for name, text in headers.items() if text is not None}, NOW) == seconds


def test_a_date_is_read_by_the_clock_of_whoever_wrote_it() -> None:
    ahead = {"date": "Fri, 20 Nov 2026 13:00:00 GMT", "retry-after": "Fri, 20 Nov 2026 13:00:05 GMT"}
    assert asked_wait(ahead, NOW) == 5.0
    assert asked_wait(ahead | {"date": "no date"}, NOW) == 3 * 3600 + 5.0
