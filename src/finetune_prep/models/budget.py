"""The hard cap on what a project may spend.

Before a call is sent its worst case is set aside; afterwards what it did cost is counted instead. What does not fit waits
until calls under way have given back what they did not use, and if it does not fit even then, the run pauses. So the cap
holds at any concurrency.

It holds when the run is killed, too: how much is set aside is written to the ledger before the calls are sent, in steps, so
that a run of thousands of calls writes it a few times. What a killed run had set aside is counted as spent by the next one.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from finetune_prep.core.request import Request
from finetune_prep.errors import Paused
from finetune_prep.ledger.ledger import Ledger
from finetune_prep.models.prices import Prices, most_tokens, worst_case
from finetune_prep.project.config import FILE

STEP = 1.25  # times what is needed is recorded as held, so that the next calls need no record of their own


@dataclass(slots=True)
class Reservation:
    """US dollars set aside for one attempt. worst: its worst case. held: what is set aside now."""

    request: Request
    worst: float
    held: float = 0.0


class Budget:
    """Money set aside and spent. cap: US dollars, None = no cap. spent: by earlier runs and this one."""

    def __init__(self, cap: float | None, ledger: Ledger) -> None:
        self.cap = cap
        self._ledger = ledger
        spent = ledger.spent()
        self._left_behind = ledger.held()  # by a run that was killed
        if cap is not None:
            # recorded in steps and lowered at the end alone, so it may be more than could be spent: never is more than the cap
            self._left_behind = min(self._left_behind, max(0.0, cap - spent))
        self.spent = spent + self._left_behind
        self.reserved = 0.0
        self._recorded = 0.0  # what the ledger says is held
        self._holding = 0  # calls with money set aside; not told from `reserved`, whose sums need not come back to zero
        self._changed = asyncio.Condition()

    def reservation(self, request: Request, prices: Prices, base_url: str) -> Reservation:
        """What one attempt may cost, nothing of it set aside yet. Raises Paused if that cannot be known."""
        return Reservation(request, 0.0 if self.cap is None else self._worst(request, prices, base_url))

    async def hold(self, reservation: Reservation) -> None:
        """Set the worst case of the next attempt aside. Raises Paused if it does not fit, LedgerBroken."""
        worst = reservation.worst
        if not worst:
            return  # free, or no cap
        async with self._changed:
            while self.cap is not None and self.spent + self.reserved + worst > self.cap:
                if not self._holding:
                    raise self._used_up(reservation.request, worst, self.cap)
                await self._changed.wait()
            await self._record(self.reserved + worst)
            self._holding += 1
            self.reserved += worst
            reservation.held = worst

    async def lose(self, reservation: Reservation) -> None:
        """Count an attempt that may have been billed although it brought nothing."""
        if reservation.held:
            await self._ledger.lose(reservation.worst)
            await self.settle(reservation, reservation.worst)

    async def settle(self, reservation: Reservation, actual: float) -> None:
        """Replace what was set aside by what it did cost, in US dollars."""
        self.spent += actual
        if not reservation.held:
            return
        async with self._changed:
            self._holding -= 1
            self.reserved = self.reserved - reservation.held if self._holding else 0.0
            reservation.held = 0.0
            self._changed.notify_all()

    async def close(self) -> None:
        """Nothing is under way any longer."""
        if self._recorded:
            self._recorded = 0.0
            await self._ledger.hold(0.0)

    async def _record(self, dollars: float) -> None:
        """See to it that the ledger says that at least so much is held."""
        if self._left_behind:
            await self._ledger.hold(self._left_behind)
            await self._ledger.write_off()
            self._left_behind = 0.0
        if dollars > self._recorded:
            self._recorded = STEP * dollars
            await self._ledger.hold(self._recorded)

    def _worst(self, request: Request, prices: Prices, base_url: str) -> float:
        tokens = most_tokens(request)
        price = prices.of(request.model, base_url, tokens)
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
        return worst_case(price, tokens, request.parameters.max_tokens or 0)

    def _used_up(self, request: Request, worst: float, cap: float) -> Paused:
        return Paused(
            f"the budget of ${cap:.2f} is used up: ${self.spent:.4f} spent, and the next call may cost up to ${worst:.4f}",
            where=request.place,
            next=f"raise `budget` in {FILE} and run the same command again; nothing is lost",
        )
