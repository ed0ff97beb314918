"""How long an answer asks to wait: `Retry-After` (RFC 9110, 10.2.3) and `retry-after-ms`. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST = 100 * 365 * 86_400.0  # seconds; what asks for more asks for ever
_NUMBER = re.compile(r"\s*\d+(?:\.\d+)?\s*")


def asked_wait(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Seconds that an answer asks to wait; None if it asks for nothing that can be read. headers: names in lower case.

    A date is read by the endpoint's clock where it shows one: ours may be wrong. now: ours, where it shows none.
    """
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        if _NUMBER.fullmatch(text := headers.get(name, "")):
            return min(float(text) * unit, LONGEST)
    at = http_date(headers.get("retry-after"))
    if at is None:
        return None
    return max(0.0, (at - (http_date(headers.get("date")) or now or datetime.now(UTC))).total_seconds())


def http_date(text: str | None) -> datetime | None:
    """The time in a header, None if it holds none."""
    if not text:
        return None
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
