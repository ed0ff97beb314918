"""What models cost: the project's own table first, then the bundled one of genai-prices, offline. Pure but for that table.

A price may depend on the length of the prompt ("above 200,000 tokens twice as much", for all of its tokens): it is looked up
for the prompt at hand, and a worst case is counted at the dearest price that it could come to.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import urlsplit

import msgspec

from finetune_prep.core.request import Request, Usage
from finetune_prep.project.config import BATCH_APIS, BUILT_IN, Price, ProviderKind

TOKENS_PER_MESSAGE = 16  # markers that chat templates put around a message, generously
MILLION = 1_000_000
WRITING = 1.25  # times the price of input, as Anthropic and Bedrock ask for putting it into their caches
FREE = Price(input=0.0, output=0.0)
STEP_BITS = 10  # prices are looked up for prompts of 1, 2, 3 … times 1,024 tokens, rounded up


class Prices:
    """Prices by model, endpoint and length of the prompt. own: the project's table, by model."""

    def __init__(self, own: Mapping[str, Price]) -> None:
        self._own = own
        self._found: dict[tuple[str, str, int], Price | None] = {}

    def of(self, model: str, base_url: str, tokens: int) -> Price | None:
        """The price of a model at an endpoint for prompts of so many tokens, None if it is unknown.

        What runs on this machine costs nothing, unless the project's table says otherwise (a proxy to a paid endpoint).
        """
        if model in self._own:
            return self._own[model]
        step = (tokens >> STEP_BITS) + 1
        if (model, base_url, step) not in self._found:
            local = on_this_machine(base_url)
            self._found[model, base_url, step] = FREE if local else _bundled(model, base_url, step << STEP_BITS)
        return self._found[model, base_url, step]


def on_this_machine(base_url: str) -> bool:
    """Whether an address is this machine's own (loopback)."""
    host = urlsplit(base_url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _bundled(model: str, base_url: str, tokens: int) -> Price | None:
    import genai_prices  # a tenth of a second of CPU, needed by paid endpoints alone

    def total(**counts: int) -> float:
        usage, now = genai_prices.Usage(**counts), datetime.now(UTC)
        found = genai_prices.calc_price(usage, model, provider_api_url=base_url, genai_request_timestamp=now)
        return float(found.total_price)

    try:
        prompt = total(input_tokens=tokens)
        return Price(
            input=prompt / tokens * MILLION,
            output=(total(input_tokens=tokens, output_tokens=1000) - prompt) / 1000 * MILLION,
            cached=total(input_tokens=tokens, cache_read_tokens=tokens) / tokens * MILLION,
            written=total(input_tokens=tokens, cache_write_tokens=tokens) / tokens * MILLION,
        )
    except LookupError:
        return None


def cost(prices: Prices, model: str, base_url: str, usage: Usage) -> float | None:
    """US dollars for these tokens; None if the price is unknown or the provider did not count them."""
    if usage.input is None or usage.output is None:
        return None
    price = prices.of(model, base_url, usage.input)
    return None if price is None else cost_of(price, usage.input, usage.cached or 0, usage.output, written=usage.written or 0)


def cost_of(price: Price, prompt: float, cached: float, answer: float, *, written: float = 0.0) -> float:
    """US dollars for so many tokens; cached and written are parts of the prompt."""
    cached = min(cached, prompt)
    written = min(written, prompt - cached)
    fresh = prompt - cached - written
    return (fresh * price.input + cached * price_cached(price) + written * price_written(price) + answer * price.output) / MILLION


def saved_by_cache(price: Price, cached: float, written: float) -> float:
    """US dollars by which so many tokens from a cache were cheaper than fresh ones, less what it cost to put others there."""
    return (cached * (price.input - price_cached(price)) - written * (price_written(price) - price.input)) / MILLION


def price_cached(price: Price) -> float:
    """Of a million tokens that come from a cache."""
    return price.input if price.cached is None else price.cached


def price_written(price: Price) -> float:
    """Of a million tokens that are put into a cache."""
    return WRITING * price.input if price.written is None else price.written


def at_factor(price: Price, factor: float) -> Price:
    """So many times a price."""
    cached, written = (None if part is None else factor * part for part in (price.cached, price.written))
    return Price(input=factor * price.input, output=factor * price.output, cached=cached, written=written)


def may_cost(price: Price | None) -> bool:
    """Whether anything is ever paid at this price; what nobody knows may be."""
    return price is None or bool(price.input or price.output or price.cached or price.written)


def most_tokens(request: Request) -> int:
    """More tokens than the prompt can have.

    A token of a byte-level tokenizer stands for at least one byte, so there are never more tokens than bytes of UTF-8.
    """
    tokens = sum(len(message.content.encode()) + TOKENS_PER_MESSAGE for message in request.messages)
    if request.schema is not None:
        tokens += len(msgspec.json.encode(request.schema)) + 4 * TOKENS_PER_MESSAGE
    return tokens


def worst_case(price: Price, prompt: int, answer: int) -> float:
    """The most that one attempt can cost, in US dollars. prompt, answer: the most tokens there can be."""
    return (prompt * max(price.input, price_cached(price), price_written(price)) + answer * price.output) / MILLION


def charges_by_call(kind: ProviderKind) -> bool:
    """Whether answers are paid for as they come. A new kind charges: what is thought to be free escapes every budget."""
    return kind not in (*BUILT_IN, *BATCH_APIS)
