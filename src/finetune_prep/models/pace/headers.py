"""What the headers of an answer say about rate limits, in the spellings that providers use. Pure.

    x-ratelimit-limit-requests, -remaining-requests, -reset-requests (and -tokens)         OpenAI, Groq, Together, vLLM gateways
    anthropic-ratelimit-requests-limit, -remaining, -reset (and -tokens)                   Anthropic
    ratelimit-limit, -remaining, -reset, with or without x-                                IETF draft, OpenRouter

A reset is a number of seconds, a duration ("6m0s", "120ms"), a time of day (RFC 3339), or a Unix time in seconds or milliseconds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from finetune_prep.models.pace.rates import RESOURCES, Allowance, Resource

DURATION = re.compile(
    r"(?:(\d+(?:\.\d+)?)d)?(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?"
)
UNITS = (86_400.0, 3600.0, 60.0, 1.0, 0.001)
UNIX_SECONDS = 1e9  # a greater number is a time and no duration
UNIX_MILLISECONDS = 1e12
LONGEST_RESET = 3600.0  # allowances for a day say nothing about how fast calls may follow each other


def allowances(headers: Mapping[str, str], now: datetime | None = None) -> tuple[Allowance, ...]:
    """What is left of requests and of tokens, as far as the headers say. headers: looked up without regard to case."""
    if "x-ratelimit-limit-requests" in headers or "x-ratelimit-limit-tokens" in headers:
        names = [(resource, f"x-ratelimit-{{}}-{resource}") for resource in RESOURCES]
    elif "anthropic-ratelimit-requests-limit" in headers or "anthropic-ratelimit-tokens-limit" in headers:
        names = [(resource, f"anthropic-ratelimit-{resource}-{{}}") for resource in RESOURCES]
    elif "x-ratelimit-limit" in headers:
        names = [("requests", "x-ratelimit-{}")]
    elif "ratelimit-limit" in headers:
        names = [("requests", "ratelimit-{}")]
    else:
        return ()
    found = (_allowance(resource, name, headers, now or datetime.now(UTC)) for resource, name in names)
    return tuple(allowance for allowance in found if allowance is not None)


def _allowance(resource: Resource, name: str, headers: Mapping[str, str], now: datetime) -> Allowance | None:
    limit, remaining = (_number(headers.get(name.format(part), "")) for part in ("limit", "remaining"))
    reset = seconds_until(headers.get(name.format("reset"), ""), now)
    if not limit or remaining is None or reset is None or not 0 <= reset <= LONGEST_RESET:
        return None
    return Allowance(resource=resource, limit=limit, remaining=remaining, reset=reset)


def _number(text: str) -> float | None:
    found = re.match(r"\s*(\d{1,15}(?:\.\d+)?)", text)  # "100, 100;w=60" begins with the limit
    return float(found[1]) if found else None


def seconds_until(text: str, now: datetime) -> float | None:
    """The seconds in any of the spellings of a reset, None if it is none of them."""
    text = text.strip()
    if re.fullmatch(r"\d{1,15}(?:\.\d+)?", text):
        number = float(text)
        if number < UNIX_SECONDS:
            return number
        return number / (1000.0 if number >= UNIX_MILLISECONDS else 1.0) - now.timestamp()
    if text and (found := DURATION.fullmatch(text)):
        return sum(float(part) * unit for part, unit in zip(found.groups(), UNITS, strict=True) if part)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return ((at if at.tzinfo else at.replace(tzinfo=UTC)) - now).total_seconds()
