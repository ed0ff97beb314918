"""Rate-limit headers in the spellings of the providers."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from finetune_prep.models.pace.headers import allowances, seconds_until
from finetune_prep.models.pace.rates import Allowance

NOW = datetime(2026, 11, 20, 10, 0, 0, tzinfo=UTC)


def allowance(resource: str, limit: float, remaining: float, reset: float) -> Allowance:
    return Allowance(resource=resource, limit=limit, remaining=remaining, reset=reset)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("17", 17.0),
        ("0.5", 0.5),
        ("120ms", 0.12),
        ("1s", 1.0),
        ("6m0s", 360.0),
        ("1h2m3.5s", 3723.5),
        ("2026-11-20T10:00:30Z", 30.0),
        (str(int(NOW.timestamp()) + 12), 12.0),
        (str((int(NOW.timestamp()) + 12) * 1000), 12.0),
        ("", None),
        ("soon", None),
        ("-3", None),
    ],
)
def test_resets(text: str, seconds: float | None) -> None:
    assert seconds_until(text, NOW) == (None if seconds is None else pytest.approx(seconds))


def test_spellings() -> None:
    """Each provider's names give the same value."""
    openai = {
        "x-ratelimit-limit-requests": "500",
        "x-ratelimit-remaining-requests": "499",
        "x-ratelimit-reset-requests": "120ms",
        "x-ratelimit-limit-tokens": "30000",
        "x-ratelimit-remaining-tokens": "0",
        "x-ratelimit-reset-tokens": "59.9s",
    }
    assert allowances(openai, NOW) == (allowance("requests", 500, 499, 0.12), allowance("tokens", 30_000, 0, 59.9))
    anthropic = {
        "anthropic-ratelimit-requests-limit": "50",
        "anthropic-ratelimit-requests-remaining": "7",
        "anthropic-ratelimit-requests-reset": "2026-11-20T10:00:12Z",
    }
    assert allowances(anthropic, NOW) == (allowance("requests", 50, 7, 12),)
    plain = {"x-ratelimit-limit": "20", "x-ratelimit-remaining": "3", "x-ratelimit-reset": "1795168805000"}
    assert allowances(plain, NOW) == (allowance("requests", 20, 3, 1795168805 - NOW.timestamp()),)
    draft = {"ratelimit-limit": "100, 100;w=60", "ratelimit-remaining": "50", "ratelimit-reset": "30"}
    assert allowances(draft, NOW) == (allowance("requests", 100, 50, 30),)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-ratelimit-limit": "many", "x-ratelimit-remaining": "3", "x-ratelimit-reset": "1"},
        {"x-ratelimit-limit": "0", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "1"},
        {"x-ratelimit-limit": "5", "x-ratelimit-reset": "1"},
        {"x-ratelimit-limit": "5", "x-ratelimit-remaining": "3", "x-ratelimit-reset": "yesterday"},
        {"x-ratelimit-limit": "5", "x-ratelimit-remaining": "3", "x-ratelimit-reset": "24h"},
        {"x-ratelimit-limit": "5", "x-ratelimit-remaining": "3", "x-ratelimit-reset": "2020-01-01T00:00:00Z"},
    ],
)
def test_what_makes_no_sense_is_not_believed(headers: dict[str, str]) -> None:
    """Rubbish, limits of a day, and clocks that go wrong say nothing."""
    assert allowances(headers, NOW) == ()
