"""Simulated endpoints with known limits, and a run against one of them: how many calls were refused, how much of the limit used."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from finetune_prep.core.request import Reply, Request, Usage
from finetune_prep.errors import Unreachable
from finetune_prep.models.attempts import Attempts
from finetune_prep.models.pace.limit import AdaptiveLimit
from finetune_prep.models.pace.rates import Allowance, Resource
from finetune_prep.models.providers.provider import Fault
from finetune_prep.models.routes import Route
from tests.models.examples import request


class Rule(Protocol):
    """A limit. amount: tokens or calls. refused: seconds until it would be let in, None = it is let in."""

    limit_per_second: float

    def refused(self, now: float, amount: float, at_once: int) -> float | None: ...

    def remaining(self, now: float) -> tuple[float, float, float]:
        """Limit, what remains of it, seconds until it is renewed."""
        ...


@dataclass
class FixedWindow:
    """So much in every window of `seconds`, counted anew at its beginning."""

    most: float
    seconds: float
    used: float = 0.0
    window: int = -1

    @property
    def limit_per_second(self) -> float:
        return self.most / self.seconds

    def _turn(self, now: float) -> float:
        number = int(now / self.seconds)
        if number != self.window:
            self.window, self.used = number, 0.0
        return (number + 1) * self.seconds - now

    def refused(self, now: float, amount: float, at_once: int) -> float | None:
        left = self._turn(now)
        if self.used + amount > self.most:
            return left
        self.used += amount
        return None

    def remaining(self, now: float) -> tuple[float, float, float]:
        left = self._turn(now)
        return self.most, self.most - self.used, left


@dataclass
class SlidingWindow:
    """So much in any stretch of `seconds`."""

    most: float
    seconds: float
    past: deque[tuple[float, float]] = field(default_factory=deque)

    @property
    def limit_per_second(self) -> float:
        return self.most / self.seconds

    def _used(self, now: float) -> float:
        while self.past and self.past[0][0] <= now - self.seconds:
            self.past.popleft()
        return sum(amount for _, amount in self.past)

    def refused(self, now: float, amount: float, at_once: int) -> float | None:
        if self._used(now) + amount > self.most:
            return self.past[0][0] + self.seconds - now if self.past else self.seconds
        self.past.append((now, amount))
        return None

    def remaining(self, now: float) -> tuple[float, float, float]:
        used = self._used(now)
        return self.most, self.most - used, self.past[-1][0] + self.seconds - now if self.past else 0.0


@dataclass
class Bucket:
    """Refilled steadily with `limit_per_second`, holds at most `most`."""

    limit_per_second: float
    most: float
    held: float = -1.0
    at: float = 0.0

    def _fill(self, now: float) -> None:
        self.held = self.most if self.held < 0 else min(self.most, self.held + (now - self.at) * self.limit_per_second)
        self.at = now

    def refused(self, now: float, amount: float, at_once: int) -> float | None:
        self._fill(now)
        if self.held < amount:
            return (amount - self.held) / self.limit_per_second
        self.held -= amount
        return None

    def remaining(self, now: float) -> tuple[float, float, float]:
        self._fill(now)
        return self.most, self.held, (self.most - self.held) / self.limit_per_second


@dataclass
class AtOnce:
    """So many calls at once. seconds: of one call, for the throughput that this allows."""

    most: int
    seconds: float

    @property
    def limit_per_second(self) -> float:
        return self.most / self.seconds

    def refused(self, now: float, amount: float, at_once: int) -> float | None:
        return 1.0 if at_once >= self.most else None

    def remaining(self, now: float) -> tuple[float, float, float]:
        raise AssertionError("no endpoint tells this")


@dataclass
class Open:
    """No limit. limit_per_second: what the caller can do by itself."""

    limit_per_second: float

    def refused(self, now: float, amount: float, at_once: int) -> float | None:
        return None

    def remaining(self, now: float) -> tuple[float, float, float]:
        raise AssertionError("there is nothing to tell")


@dataclass
class Endpoint:
    """A provider behind a rule. seconds: mean duration of a call, varied by `spread`. refusal: seconds until a refusal comes.

    whims: share of the calls that are refused, whatever the rule says.
    counts: what the rule limits. words: the refusal names it. retry_after: rounds the wait it asks for, None = asks for none.
    headers: it sends rate-limit headers, to `hear`. sizes: mean tokens of prompt and answer, varied up to threefold.
    """

    rule: Rule
    counts: Resource = "requests"
    seconds: float = 0.05
    spread: float = 0.3
    refusal: float = 0.01
    words: bool = False
    retry_after: Callable[[float], float] | None = None
    headers: bool = False
    whims: float = 0.0
    sizes: tuple[float, float] = (1500.0, 300.0)
    limit: AdaptiveLimit | None = None
    calls: int = 0
    refusals: int = 0
    let_in: float = 0.0
    at_once: int = 0
    stream: random.Random = field(default_factory=lambda: random.Random(7))

    async def answer(self, request: Request) -> Reply:
        loop = asyncio.get_running_loop()
        sent = loop.time()
        self.calls += 1
        prompt = len(request.messages[-1].content) / 4
        output = self.stream.uniform(0.3, 1.7) * self.sizes[1]
        amount = 1.0 if self.counts == "requests" else prompt + output
        whim = self.stream.random() < self.whims
        wait = 0.0 if whim else self.rule.refused(sent, amount, self.at_once)
        told = None
        if self.headers and self.limit is not None:
            limit, remaining, reset = self.rule.remaining(sent)
            told = Allowance(resource=self.counts, limit=limit, remaining=remaining, reset=reset)
        if wait is not None:
            self.refusals += 1
            await asyncio.sleep(self.refusal)
            self._tell(told, sent)
            raise Fault(
                "429",
                congested=True,
                retry_after=self.retry_after(wait) if self.retry_after and not whim else None,
                resource=self.counts if self.words and not whim else None,
            )
        self.let_in += amount
        self.at_once += 1
        try:
            await asyncio.sleep(self.seconds * self.stream.uniform(1 - self.spread, 1 + self.spread))
        finally:
            self.at_once -= 1
        self._tell(told, sent)
        return Reply(text="yes", usage=Usage(input=int(prompt), output=int(output)))

    def _tell(self, told: Allowance | None, sent: float) -> None:
        if told is not None and self.limit is not None:
            self.limit.hear(told, sent)

    async def close(self) -> None:
        """Nothing to give back."""


async def answered(route: Route, request: Request) -> Reply:
    """The reply to a call, tried for as long as the door would. Raises as `Attempts`."""
    async for attempt in Attempts(route, request):
        with attempt:
            return await attempt.answer(request)
    raise AssertionError("the attempts end with an error")


@dataclass(frozen=True)
class Result:
    """refused: share of the calls. used: share of the limit."""

    refused: float
    used: float
    calls: int
    unreachable: int = 0


async def run_against(
    endpoint: Endpoint,
    *,
    seconds: float,
    askers: int = 128,
    changes: tuple[tuple[float, Rule], ...] = (),
    ceiling: int = 256,
    hosted: bool = False,
) -> list[Result]:
    """Ask as fast as is allowed for so many seconds. changes: at these times the rule is replaced. One result for each stretch."""
    limit = AdaptiveLimit(ceiling, hosted=hosted)
    endpoint.limit = limit
    route = Route("simulated", endpoint, limit, timeout=120)
    loop = asyncio.get_running_loop()
    start = loop.time()
    unreachable = 0

    async def ask_on() -> None:
        nonlocal unreachable
        while True:
            length = 4 * int(endpoint.stream.uniform(0.3, 1.7) * endpoint.sizes[0])
            try:
                await answered(route, request("x" * length))
            except Unreachable:
                unreachable += 1

    tasks = [asyncio.create_task(ask_on()) for _ in range(askers)]
    results = []
    before = (0, 0, 0.0)
    stretches = [*(at for at, _ in changes), seconds]
    began = 0.0
    for number, end in enumerate(stretches):
        await asyncio.sleep(start + end - loop.time())
        now = (endpoint.calls, endpoint.refusals, endpoint.let_in)
        calls, refusals, let_in = (a - b for a, b in zip(now, before, strict=True))
        results.append(
            Result(refusals / max(1, calls), let_in / (end - began) / endpoint.rule.limit_per_second, int(calls), unreachable)
        )
        before, began = now, end
        if number < len(changes):
            endpoint.rule = changes[number][1]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return results
