"""The hard cap on what a project may spend, and the prices it is counted with.

Before a call is sent its worst case is set aside; afterwards what it did cost is counted instead. What does not fit waits
until calls under way have given back what they did not use, and if it does not fit even then, the run pauses. So the cap
holds at any concurrency.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from finetune_prep.core.request import Request, Usage
from finetune_prep.errors import Paused
from finetune_prep.project.config import FILE, Price

TOKENS_PER_MESSAGE = 16  # markers that chat templates put around a message, generously
MILLION = 1_000_000


class Prices:
    """What models cost: the project's own table first, then the bundled one of genai-prices, offline."""

    def __init__(self, own: Mapping[str, Price]) -> None:
        self._own = own
        self._found: dict[tuple[str, str], Price | None] = {}

    def of(self, model: str, base_url: str) -> Price | None:
        """The price of a model at an endpoint, None if unknown. Of tiered prices, the first tier."""
        if model in self._own:
            return self._own[model]
        if (model, base_url) not in self._found:
            self._found[model, base_url] = _bundled(model, base_url)
        return self._found[model, base_url]


def _bundled(model: str, base_url: str) -> Price | None:
    from genai_prices import Usage as Tokens  # half a second of import, needed by paid endpoints alone
    from genai_prices import calc_price

    def price(**tokens: int) -> float:
        found = calc_price(Tokens(**tokens), model, provider_api_url=base_url, genai_request_timestamp=datetime.now(UTC))
        return float(found.total_price) * MILLION / 1000

    try:
        # a thousand tokens of each kind: small enough for the first tier of every tiered price
        return Price(
            input=price(input_tokens=1000),
            output=price(output_tokens=1000),
            cached=price(input_tokens=1000, cache_read_tokens=1000),
        )
    except LookupError:
        return None


def cost(price: Price, usage: Usage) -> float | None:
    """US dollars for these tokens; None if the provider did not count them."""
    if usage.input is None or usage.output is None:
        return None
    cached = min(usage.cached or 0, usage.input)
    cached_price = price.input if price.cached is None else price.cached
    return ((usage.input - cached) * price.input + cached * cached_price + usage.output * price.output) / MILLION


def worst_case(price: Price, request: Request) -> float:
    """The most that one attempt can cost, in US dollars. The request must limit its answer (max_tokens).

    A token of a byte-level tokenizer stands for at least one byte, so there are never more tokens than bytes of UTF-8.
    """
    prompt = sum(len(message.content.encode()) + TOKENS_PER_MESSAGE for message in request.messages)
    if request.schema is not None:
        prompt += len(msgspec.json.encode(request.schema)) + 4 * TOKENS_PER_MESSAGE
    return (prompt * max(price.input, price.cached or 0.0) + (request.parameters.max_tokens or 0) * price.output) / MILLION


@dataclass(slots=True)
class Reservation:
    """US dollars set aside for one attempt. worst: its worst case. held: what is set aside now."""

    request: Request
    worst: float
    held: float = 0.0


class Budget:
    """Money set aside and spent. cap: US dollars, None = no cap. spent: what earlier runs have spent."""

    def __init__(self, cap: float | None, spent: float) -> None:
        self.cap = cap
        self.spent = spent
        self.reserved = 0.0
        self._holding = 0  # calls with money set aside; not told from `reserved`, whose sums need not come back to zero
        self._changed = asyncio.Condition()

    async def reserve(self, request: Request, price: Price | None) -> Reservation:
        """Set the worst case of one attempt aside. Raises Paused if it does not fit or cannot be known."""
        reservation = Reservation(request, 0.0 if self.cap is None else self._worst(request, price))
        await self._hold(reservation)
        return reservation

    async def lose(self, reservation: Reservation) -> None:
        """Count an attempt that failed but may have been billed, and set the same sum aside for the next one."""
        await self.settle(reservation, reservation.worst)
        await self._hold(reservation)

    async def settle(self, reservation: Reservation, actual: float) -> None:
        """Replace what was set aside by what it did cost, in US dollars."""
        async with self._changed:
            if reservation.held:
                self._holding -= 1
                self.reserved = self.reserved - reservation.held if self._holding else 0.0
                reservation.held = 0.0
            self.spent += actual
            self._changed.notify_all()

    async def _hold(self, reservation: Reservation) -> None:
        worst = reservation.worst
        if not worst:
            return  # free, or no cap
        async with self._changed:
            while self.cap is not None and self.spent + self.reserved + worst > self.cap:
                if not self._holding:
                    raise self._used_up(reservation.request, worst, self.cap)
                await self._changed.wait()
            self._holding += 1
            self.reserved += worst
            reservation.held = worst

    def _worst(self, request: Request, price: Price | None) -> float:
        if price is None:
            raise Paused(
                f"there is a budget, but the price of the model {request.model} is not known",
                where=request.place,
                next=f'add to {FILE}: [prices."{request.model}"] with input = … and output = …, '
                "US dollars per million tokens (0 if free)",
            )
        if request.parameters.max_tokens is None and price.output > 0:
            raise Paused(
                f"there is a budget, but answers of the role “{request.role}” have no limit, so a call could cost any sum",
                where=request.place,
                next=f"add to {FILE} under [roles.{request.role}]: max_tokens = 4096",
            )
        return worst_case(price, request)

    def _used_up(self, request: Request, worst: float, cap: float) -> Paused:
        return Paused(
            f"the budget of ${cap:.2f} is used up: ${self.spent:.4f} spent, and the next call may cost up to ${worst:.4f}",
            where=request.place,
            next=f"raise `budget` in {FILE} and run the same command again; nothing is lost",
        )
