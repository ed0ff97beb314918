"""The one retry layer: full-jitter back-off within one total deadline per call.

"Full jitter" after M. Brooker, Exponential Backoff and Jitter (AWS Architecture Blog, 2015): wait a uniformly random time up
to a bound that doubles, so that callers that failed together do not come back together.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from finetune_prep.core.request import Reply, Request
from finetune_prep.errors import Paused, Unreachable
from finetune_prep.models.pace.limit import AdaptiveLimit, Ticket
from finetune_prep.models.providers.provider import Fault, Provider

T = TypeVar("T")

FIRST_BOUND = 0.5  # seconds
LAST_BOUND = 30.0


class Attempts(Protocol):
    """What is done around the attempts of one call. Each method may raise to end the call."""

    async def begin(self) -> None:
        """An attempt is about to be sent."""

    async def failed(self, fault: Fault) -> None:
        """An attempt has failed in passing."""

    async def answered(self, reply: Reply) -> Reply:
        """A reply has come. The slot of the call is held until this returns what the asker gets."""


class PersistentCaller:
    """Asks one provider until it answers, refuses, or the time for the call is used up.

    timeout: seconds for one call from its first attempt, waits and retries included; waiting for the first slot is not
    counted.
    """

    def __init__(self, provider: Provider, limit: AdaptiveLimit, timeout: float) -> None:
        self._provider = provider
        self._limit = limit
        self._timeout = timeout

    async def call(self, request: Request, attempts: Attempts) -> Reply:
        """The provider's reply.

        Raises Unreachable, Paused if the provider asks for a wait beyond `timeout`, and what it raises besides Fault.
        """
        characters = sum(len(message.content) for message in request.messages)
        ticket = await self._limit.enter(characters)
        deadline = ticket.entered + self._timeout
        tries, last = 1, None
        while True:
            result = await self._attempt(request, ticket, deadline, attempts, last)
            if isinstance(result, Reply):
                return result
            last = result
            await attempts.failed(last)
            if last.retry_after is not None and last.retry_after > self._timeout:
                raise self._far_off(request, last, last.retry_after)
            pause = pause_before_next(tries, last.retry_after)
            if asyncio.get_running_loop().time() + pause >= deadline:
                raise self._unreachable(request, tries, last)
            await self._limit.rest(pause)
            try:
                async with asyncio.timeout_at(deadline):
                    ticket = await self._limit.enter(characters, again=True)
            except TimeoutError as error:
                raise self._unreachable(request, tries, last) from error
            tries += 1

    async def _attempt(
        self, request: Request, ticket: Ticket, deadline: float, attempts: Attempts, last: Fault | None
    ) -> Reply | Fault:
        refusal: Fault | None = None
        used: tuple[int, int] | None = None
        answered = False
        try:
            await attempts.begin()
            async with asyncio.timeout_at(deadline) as clock:
                reply = await self._provider.answer(request)
            answered = True
            if reply.usage.input is not None and reply.usage.output is not None:
                used = (reply.usage.input, reply.usage.output)
            return await attempts.answered(reply)
        except Fault as fault:
            refusal = fault
            return fault
        except TimeoutError:
            if not clock.expired():
                raise
            before = f"; before that: {last.reason}" if last else ""
            return Fault(f"no answer within {self._timeout:g} s{before}", maybe_billed=True)
        finally:
            if refusal is not None:
                self._limit.leave(ticket, congested=refusal.congested, wait=refusal.retry_after, resource=refusal.resource)
            else:
                self._limit.leave(ticket, answered=answered, used=used)

    def abandon(self) -> None:
        """The run has stopped: nobody waits for entry any longer."""
        self._limit.abandon()

    def _far_off(self, request: Request, fault: Fault, wait: float) -> Paused:
        return Paused(
            f"the provider asks for no further call for {wait / 60:.0f} minutes ({fault.reason})",
            where=request.place,
            next="run the same command again after that; nothing is lost",
        )

    @staticmethod
    def _unreachable(request: Request, tries: int, fault: Fault) -> Unreachable:
        times = "once" if tries == 1 else f"{tries} times"
        return Unreachable(
            f"no answer after trying {times}: {fault.reason}",
            where=request.place,
            next="run the same command again; only what is missing is asked",
        )


async def persist(attempt: Callable[[], Awaitable[T]], seconds: float) -> T:
    """What `attempt` gives, tried again after passing faults for at most so many seconds. Raises the last Fault.

    For calls that are no questions to a model (files, lists, states). What may have been billed is not tried again.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    tries = 1
    while True:
        try:
            return await attempt()
        except Fault as fault:
            pause = pause_before_next(tries, fault.retry_after)
            if fault.maybe_billed or loop.time() + pause >= deadline:
                raise
        await asyncio.sleep(pause)
        tries += 1


def pause_before_next(tries: int, retry_after: float | None) -> float:
    """Seconds to wait after so many tries."""
    bound = min(LAST_BOUND, FIRST_BOUND * 2 ** min(tries - 1, 10))
    jitter = random.uniform(0, bound)
    return jitter if retry_after is None else retry_after + min(jitter, 1.0)
