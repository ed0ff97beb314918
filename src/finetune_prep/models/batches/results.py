"""Taking the results of one batch into the ledger: row by row, in any order, as often as it takes.

A row is kept before the next thousand is read; what the ledger knows already is passed over. So a kill in the middle costs
nothing, and reading the same results again changes nothing. The last row is kept together with the end of the submission: as long
as it is open, one of its answers is missing, and the next run that wants it looks after the rest.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec

from finetune_prep.core.request import Reply, Request
from finetune_prep.errors import Paused
from finetune_prep.ledger.protocols import Entry, Ledger
from finetune_prep.models.batches.api import Result
from finetune_prep.models.budget import Budget
from finetune_prep.models.prices import Prices, cost
from finetune_prep.models.providers.provider import Fault, Unreadable

ROWS_PER_COMMIT = 1000


class BatchPricing:
    """What requests cost at a Batch API. provider: its name. factor: of the price for direct calls.

    cached: tokens from a cache are cheaper in a batch, too. Where that differs from model to model they are counted in full.
    """

    def __init__(
        self, budget: Budget, prices: Prices, provider: str, base_url: str, factor: float, *, cached: bool = False
    ) -> None:
        self.budget = budget
        self._provider = provider
        self._prices = prices
        self._base_url = base_url
        self._factor = factor
        self._cached = cached

    def admit(self, request: Request) -> None:
        """Let a request into the next batch. Raises NotAgreed, PriceUnknown."""
        self.budget.admit(request, self._prices, self._provider, self._base_url)

    def worst(self, request: Request) -> float:
        """US dollars at most."""
        return self._factor * self.budget.worst(request, self._prices, self._base_url)

    def limited(self, request: Request) -> Request:
        """A request as it is sent: with a limit where there is a budget and none is set."""
        return self.budget.limited(request, self._prices, self._base_url)

    def cost(self, request: Request, reply: Reply) -> float | None:
        """US dollars, None unknown. What a provider refuses is not billed by either of them."""
        if reply.finish == "error":
            return 0.0
        usage = reply.usage if self._cached else msgspec.structs.replace(reply.usage, cached=None)
        found = cost(self._prices, request.model, self._base_url, usage)
        return None if found is None else self._factor * found


class Intake:
    """The results of one batch. requests: of its round. answered: keys of those that have an answer already.

    spent: US dollars of the replies that were kept.
    """

    def __init__(
        self, ledger: Ledger, batch_pricing: BatchPricing, requests: Sequence[Request], answered: frozenset[str]
    ) -> None:
        self._ledger = ledger
        self._tariff = batch_pricing
        self._requests = {request.key: request for request in requests}
        self._fresh: dict[str, Entry] = {}
        self._failed: dict[str, Fault | Paused] = {}
        self._kept = set(answered)
        self._seen: set[str] = set()
        self._unreadable = 0
        self.spent = 0.0

    def start(self) -> None:
        """The results are read from their beginning (again)."""
        self._seen.clear()
        self._unreadable = 0

    async def take(self, result: Result | None) -> None:
        """One row; None if it could not be read."""
        if result is None:
            self._unreadable += 1
            return
        key = await self._ledger.rounds.renamed(result.key)
        request = self._requests.get(key)
        if request is None:
            return
        if result.reply is not None:
            if result.reply.finish != "error":
                self._seen.add(key)
            if not self._known(key):
                known = self._tariff.cost(request, result.reply)
                self._fresh[key] = Entry(request, msgspec.structs.replace(result.reply, cost=known))
        elif result.fault is not None:
            self._failed[key] = result.fault
            if isinstance(result.fault, Unreadable) and not await self._ledger.answers.aside(key):
                await self._ledger.answers.put_aside(result.fault.evidence(request))
        if len(self._fresh) > ROWS_PER_COMMIT:
            await self.commit()

    async def commit(self) -> None:
        """Keep what was read, but for one row."""
        priced = self.last[:-1]
        await asyncio.gather(*(self._ledger.answers.put(entry, spent=dollars) for entry, dollars in priced))
        for entry, dollars in priced:
            self.spent += dollars
            del self._fresh[entry.key]
            self._kept.add(entry.key)

    @property
    def last(self) -> list[tuple[Entry, float]]:
        """What was read and is not kept yet, with its US dollars; what was not counted is taken for the worst case."""
        fresh = self._fresh.values()
        return [(entry, self._tariff.worst(entry.request) if entry.reply.cost is None else entry.reply.cost) for entry in fresh]

    def complete(self, done: int) -> bool:
        """Whether as many requests were worked on, by the rows that were read, as by the provider's own count."""
        return len(self._seen.union(self._billed())) + self._unreadable >= done

    @property
    def missing(self) -> tuple[str, ...]:
        """Keys that have no answer."""
        return tuple(key for key in self._requests if not self._known(key))

    @property
    def lost(self) -> float:
        """US dollars that may have been billed for rows which gave nothing; a row that cannot be read may be any of them."""
        missing = set(self.missing)
        billed = missing if self._unreadable else missing.intersection(self._billed())
        return sum(self._tariff.worst(self._requests[key]) for key in sorted(billed))

    @property
    def pause(self) -> Paused | None:
        """What a person must fix before the missing ones are asked again."""
        missing = set(self.missing)
        return next((fault for key, fault in self._failed.items() if isinstance(fault, Paused) and key in missing), None)

    @property
    def failures(self) -> dict[str, int]:
        """Why requests have no answer, and how many; those that a person must fix left out."""
        counts: dict[str, int] = {}
        for key in self.missing:
            fault = self._failed.get(key)
            if not isinstance(fault, Paused):
                reason = fault.reason if fault else "no result"
                counts[reason] = counts.get(reason, 0) + 1
        return counts

    def _known(self, key: str) -> bool:
        return key in self._kept or key in self._fresh

    def _billed(self) -> list[str]:
        return [key for key, fault in self._failed.items() if isinstance(fault, Fault) and fault.maybe_billed]
