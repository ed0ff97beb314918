"""What an answer used, in whatever fields a provider tells it. Each field is read alone: an odd one drops only itself."""

from __future__ import annotations

from typing import Any

from finetune_prep.core.request import Usage

# where cached tokens stand: OpenAI, Responses API, DeepSeek, Anthropic behind gateways, Gemini, Moonshot
CACHED = (
    ("prompt_tokens_details", "cached_tokens"),
    ("input_tokens_details", "cached_tokens"),
    ("prompt_cache_hit_tokens",),
    ("cache_read_input_tokens",),
    ("cachedContentTokenCount",),
    ("cached_tokens",),
)
# and those that were put into a cache: Anthropic, OpenRouter, Bedrock. Others do not count them: they charge nothing for it
WRITTEN = (
    ("cache_creation_input_tokens",),
    ("prompt_tokens_details", "cache_write_tokens"),
    ("cacheWriteInputTokens",),
)
REASONING = (
    ("completion_tokens_details", "reasoning_tokens"),
    ("output_tokens_details", "reasoning_tokens"),
    ("thoughtsTokenCount",),
    ("reasoning_tokens",),
)
INPUT = (("prompt_tokens",), ("input_tokens",), ("promptTokenCount",))
OUTPUT = (("completion_tokens",), ("output_tokens",), ("candidatesTokenCount",))
TOTAL = (("total_tokens",), ("totalTokenCount",))


def usage_of(raw: Any) -> Usage:
    """Tokens as they are billed.

    Some endpoints count thinking in the total alone: then what the total has beyond the input was put out, and is paid for.
    """
    asked, answered, total = (_first(raw, places) for places in (INPUT, OUTPUT, TOTAL))
    reasoning = _first(raw, REASONING)
    if total is not None and asked is not None and total - asked > (answered or 0):
        beyond = total - asked - (answered or 0)
        reasoning = beyond if reasoning is None else max(reasoning, beyond)
        answered = total - asked
    written = _first(raw, WRITTEN) or None
    return Usage(input=asked, cached=_first(raw, CACHED), written=written, output=answered, reasoning=reasoning)


def _first(raw: Any, places: tuple[tuple[str, ...], ...]) -> int | None:
    """The first of these places that holds a count."""
    for place in places:
        value = raw
        for name in place:
            value = value.get(name) if isinstance(value, dict) else None
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return value
    return None
