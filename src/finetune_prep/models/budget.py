"""The hard cap on what a project may spend.

Before a call is sent its worst case is set aside; afterwards what it did cost is counted instead. What does not fit waits
until calls under way have given back what they did not use, and if it does not fit even then, the run pauses. So the cap
holds at any concurrency.

What a Batch API works on is set aside from before it is sent until its results are in, over any number of runs.

It holds when the run is killed, too: how much is set aside is written to the ledger before the calls are sent, in steps, so
that a run of thousands of calls writes it a few times. What a killed run had set aside is counted as spent by the next one.

What costs money, or may, is asked only after a person has agreed to that. Where there is a cap, a model whose price is not known
is asked only after a person has agreed to go on without a count; the cap says nothing about it.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Collection
from types import TracebackType
from typing import Self

import msgspec

from finetune_prep.core.request import Reply, Request
from finetune_prep.errors import NotAgreed, Paused, PriceUnknown
from finetune_prep.http.endpoint import is_nearby
from finetune_prep.ledger.protocols import Ledger
from finetune_prep.models.answer_limits import AnswerLimits
from finetune_prep.models.prices import Prices, cost, may_cost, most_tokens, worst_case
from finetune_prep.models.providers.provider import Fault, Unreadable
from finetune_prep.project.config import FILE, Price

STEP = 1.25  # times what is needed is recorded as held, so that the next calls need no record of their own


class Budget:
    """Money set aside and spent; `load` it first. cap: US dollars, None = no cap. spent: by earlier runs and this one.

    agreed: whether a person has agreed to pay. uncounted: models ("provider/model") that a person agreed to ask beside the cap,
    although nobody knows what they cost. limits: of answers for which finetune-prep.toml sets none. at_most: US dollars that
    may be spent beyond what was, within the cap.
    """

    def __init__(
        self,
        cap: float | None,
        ledger: Ledger,
        uncounted: Collection[str] = (),
        *,
        agreed: bool = True,
        limits: AnswerLimits | None = None,
        at_most: float | None = None,
    ) -> None:
        self.cap = cap
        self._at_most = at_most
        self._is_least = False
        """Whether what may be spent now is less than what the cap leaves."""
        self.limits = limits or AnswerLimits()
        self.agreed = agreed
        self._ledger = ledger
        self._uncounted = frozenset(uncounted)
        self.spent = 0.0
        self.committed = 0.0  # to Batch APIs
        self._left_behind = 0.0  # by a run that was killed
        self.reserved = 0.0
        self._recorded = 0.0  # what the ledger says is held
        self._holding = 0  # calls with money set aside; not told from `reserved`, whose sums need not come back to zero
        self._changed = asyncio.Condition()

    async def load(self) -> Self:
        """Read in the ledger what was spent before; until then nothing may be asked of it."""
        spent = await self._ledger.money.spent()
        self.committed = sum(submission.worst for submission in await self._ledger.rounds.submissions() if submission.open)
        self._left_behind = await self._ledger.money.held()
        if self.cap is not None:
            # recorded in steps and lowered at the end alone, so it may be more than could be spent: never is more than the cap
            self._left_behind = min(self._left_behind, max(0.0, self.cap - spent - self.committed))
        self.spent = spent + self._left_behind
        if self._at_most is not None:
            bound = self.spent + self.committed + self._at_most
            self._is_least = self.cap is None or bound < self.cap
            self.cap = bound if self._is_least else self.cap
        return self

    def charge(self, request: Request, prices: Prices, provider: str, base_url: str) -> Charge:
        """What one call may cost, nothing of it set aside yet. provider: its name.

        Raises NotAgreed if it may cost anything and nobody has agreed to pay, and PriceUnknown if there is a cap, nobody knows
        the price, and nobody agreed to do without.
        """
        tokens = 1 if self.cap is None else most_tokens(request)
        price = self._price(request, prices, provider, base_url, tokens)
        if price is None or self.cap is None:
            return Charge(self, request, prices, base_url, 0.0, self._roomy(request, base_url))
        sent = self._limited(request, price) if price.output > 0 else self._roomy(request, base_url)
        worst = worst_case(price, tokens, sent.parameters.max_tokens or 0)
        return Charge(self, request, prices, base_url, worst, sent)

    def limited(self, request: Request, prices: Prices, base_url: str) -> Request:
        """A request as it is sent: with a limit where there is a cap and none is set."""
        price = prices.of(request.model, base_url, most_tokens(request))
        return request if price is None or self.cap is None else self._limited(request, price)

    def _limited(self, request: Request, price: Price) -> Request:
        return self.limits.limited(request) if price.output > 0 else request

    def _roomy(self, request: Request, base_url: str) -> Request:
        """A request as it is sent where no money hangs on its limit: with one if a server nearby answers it."""
        return self.limits.roomy(request) if is_nearby(base_url) else request

    def admit(self, request: Request, prices: Prices, provider: str, base_url: str) -> None:
        """Let a request be put where it costs money. Raises NotAgreed and PriceUnknown as `charge`."""
        self._price(request, prices, provider, base_url, most_tokens(request))

    def _price(self, request: Request, prices: Prices, provider: str, base_url: str, tokens: int) -> Price | None:
        """The price for so many tokens, None if nobody knows it and that has been agreed to. Raises as `admit`."""
        price = prices.of(request.model, base_url, tokens)
        if not self.agreed and may_cost(price):
            raise _not_agreed(request, provider, known=price is not None)
        if price is None and self.cap is not None and f"{provider}/{request.model}" not in self._uncounted:
            raise self._unknown(request, provider, self.cap)
        return price

    async def hold(self, worst: float, request: Request) -> None:
        """Set the worst case of the next attempt aside. Raises Paused if it does not fit, LedgerBroken."""
        async with self._changed:
            while self.cap is not None and self.spent + self.committed + self.reserved + worst > self.cap:
                if not self._holding:
                    raise self._used_up(request, worst, self.cap)
                await self._changed.wait()
            await self._record(self.reserved + worst)
            self._holding += 1
            self.reserved += worst

    async def lose(self, dollars: float) -> None:
        """Count as spent what was billed and brought nothing."""
        if dollars:
            await self._ledger.money.lose(dollars)
            self.spent += dollars

    async def release(self, held: float, *, lost: bool) -> None:
        """Set aside no longer what `hold` did. lost: it may have been billed and brought nothing, so it counts as spent."""
        try:
            if lost:
                await self.lose(held)
        finally:
            async with self._changed:
                self._holding -= 1
                self.reserved = self.reserved - held if self._holding else 0.0
                self._changed.notify_all()

    def worst(self, request: Request, prices: Prices, base_url: str) -> float:
        """US dollars that one attempt may cost at most, 0 where nobody knows; without a cap also where answers have no limit."""
        tokens = most_tokens(request)
        price = prices.of(request.model, base_url, tokens)
        if price is None:
            return 0.0
        sent = self.limited(request, prices, base_url)
        if sent.parameters.max_tokens is None and price.output > 0:
            return 0.0
        return worst_case(price, tokens, sent.parameters.max_tokens or 0)

    @property
    def room(self) -> float:
        """US dollars that are neither spent nor set aside, without a cap infinity."""
        return float("inf") if self.cap is None else self.cap - self.spent - self.committed - self.reserved

    def commit(self, dollars: float) -> None:
        """Set the worst case of a submission aside, in this run. The ledger knows it by the submission itself."""
        self.committed += dollars

    async def redeem(self, dollars: float, actual: float) -> None:
        """Replace what was set aside for a submission by what it did cost."""
        async with self._changed:
            self.committed = max(0.0, self.committed - dollars)
            self.spent += actual
            self._changed.notify_all()

    async def close(self) -> None:
        """Nothing is under way any longer."""
        if self._recorded:
            self._recorded = 0.0
            await self._ledger.money.hold(0.0)

    async def _record(self, dollars: float) -> None:
        """See to it that the ledger says that at least so much is held."""
        if self._left_behind:
            await self._ledger.money.hold(self._left_behind)
            await self._ledger.money.write_off()
            self._left_behind = 0.0
        if dollars > self._recorded:
            self._recorded = STEP * dollars
            await self._ledger.money.hold(self._recorded)

    @staticmethod
    def _unknown(request: Request, provider: str, cap: float) -> PriceUnknown:
        return PriceUnknown(
            f"the price of {provider}/{request.model} is not known, so the budget of ${cap:.2f} could not hold",
            model=f"{provider}/{request.model}",
            where=request.place,
            next=f'add to {FILE}: [prices."{request.model}"] with input = … and output = …, '
            "US dollars per million tokens (0 if free, or not to be counted)",
        )

    def _used_up(self, request: Request, worst: float, cap: float) -> Paused:
        """What is left may be more than nothing: a call is not begun unless its worst case fits."""
        gone = self.spent + self.committed
        left = max(0.0, cap - gone)
        if self._is_least:
            return Paused(
                f"${left:.4f} of the {_dollars(self._at_most or 0.0)} that this command may spend is left, and the next call "
                f"could cost up to ${worst:.4f}",
                where=request.place,
                next="run the same command again, with a larger --max-cost or without; nothing is lost",
            )
        return Paused(
            f"${left:.4f} of the budget of {_dollars(cap)} is left, and the next call could cost up to ${worst:.4f}",
            where=request.place,
            next=f"write at least {budget_line(gone + worst)} in {FILE} and run the same command again; nothing is lost",
        )


def budget_line(dollars: float) -> str:
    """The line of finetune-prep.toml for a budget of so much, rounded up to cents."""
    return f"budget = {math.ceil(round(100 * dollars, 6)) / 100:.2f}"


def _dollars(cap: float) -> str:
    return f"${cap:.2f}" if math.isclose(cap, round(cap, 2)) else f"${cap:.4f}"


def _not_agreed(request: Request, provider: str, *, known: bool) -> NotAgreed:
    model = f"{provider}/{request.model}"
    what = f"{model} costs money" if known else f"nobody knows what {model} costs"
    return NotAgreed(f"{what}, and no person has agreed to that", where=request.place, next="open the session with agreed=True")


class Charge:
    """The money for one call, in US dollars: set aside before each attempt, and settled when the answer is kept.

    sent: the request as it is sent, if that is another.
    An async context manager: left without an answer, what may have been billed counts as spent.
    """

    def __init__(
        self, budget: Budget, request: Request, prices: Prices, base_url: str, worst: float, sent: Request | None = None
    ) -> None:
        self._budget = budget
        self._request = request
        self._prices = prices
        self._base_url = base_url
        self._worst = worst
        self.sent = sent or request
        self._held = 0.0
        self._answered = False
        self.spent = 0.0  # what the answer cost here

    async def hold(self) -> None:
        """Set the worst case of the next attempt aside, waiting for others to settle. Raises Paused if it does not fit."""
        if self._worst:  # neither free nor without a cap
            await self._budget.hold(self._worst, self._request)
            self._held = self._worst

    def put(self, request: Request) -> Request:
        """A request as it is sent."""
        return self.sent

    def price(self, reply: Reply) -> Reply:
        """The reply with what it cost. What was not counted is taken for the worst case, or the cap would not hold.

        Raises Fault where the endpoint refuses a limit of ours: the next attempt has a lower one, or none.
        """
        if self.sent is not self._request:
            other = self._budget.limits.otherwise(self._request, self.sent, reply, roomy=not self._worst)
            if other is not None:
                self.sent = other
                raise Fault(reply.detail, retry_after=0.0)
        known = cost(self._prices, self._request.model, self._base_url, reply.usage)
        self.spent = self._worst if known is None else known
        self._answered = True
        return msgspec.structs.replace(reply, cost=known)

    def cut(self, reply: Reply) -> int:
        """Tokens at which a limit of ours cut the answer off, 0 if none did."""
        return (self.sent.parameters.max_tokens or 0) if reply.problem == "truncated" and self.sent is not self._request else 0

    async def settle(self) -> None:
        """The answer is kept: count what it did cost instead of what was set aside."""
        self._budget.spent += self.spent
        await self._release(lost=False)

    async def failed(self, fault: Fault) -> None:
        """An attempt has failed. Between attempts nothing is set aside: so who waits for money waits for a call to end."""
        usage = fault.usage if isinstance(fault, Unreadable) else None if fault.reply is None else fault.reply.usage
        known = None if usage is None else cost(self._prices, self._request.model, self._base_url, usage)
        if known is None:
            await self._release(lost=fault.maybe_billed)
        else:  # an answer with nothing in it, and with its bill
            await self._budget.lose(known)
            await self._release(lost=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        # a provider that refuses for want of a key or of credit bills nothing; of what this side gives up nobody knows
        await self._release(lost=self._answered or not isinstance(error, Paused))

    async def _release(self, *, lost: bool) -> None:
        if self._held:
            held, self._held = self._held, 0.0
            await self._budget.release(held, lost=lost)
