"""Days as pages and search providers write them."""

from __future__ import annotations

import re
from datetime import date
from email.utils import parsedate

_DAY = re.compile(r"(?<!\d)(\d{4})-(\d{2})-(\d{2})(?!\d)")


def iso_day(text: str | None) -> str:
    """The day in an ISO date or time, or in a mail date (RFC 5322), as "2026-03-01"; "" if there is none."""
    if not text:
        return ""
    text = text[:100]
    if match := _DAY.search(text):
        year, month, day = map(int, match.groups())
    elif parsed := parsedate(text):
        year, month, day = parsed[:3]
    else:
        return ""
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return ""
