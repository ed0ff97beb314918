"""The one retry layer: `async for attempt in Attempts(route, request)`, until one is answered or the time is used up.

Full-jitter back-off (see `retry`) within one total deadline per call, which counts from its first attempt; waiting for the
first slot is not part of it.
"""

from __future__ import annotations

import asyncio
import math
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from finetune_prep.core.request import Reply, Request
from finetune_prep.errors import Paused, Unreachable
from finetune_prep.models.pace.slots import Ticket
from finetune_prep.models.providers.provider import Fault, Unreadable
from finetune_prep.models.retry import pause_before_next
from finetune_prep.models.routes import Route
from finetune_prep.project.config import FILE

MOST_TRIES_FOR_NOTHING = 3  # of a call to which there are answers, but with nothing in them
MOST_UNREADABLE = 2  # bodies without an answer that one call may bring: each may be billed, and a third would be no other
SILENCE_SECONDS = 5.0  # without an answer to anybody, before a person is told why nothing moves
BEGINNING = 160  # characters of such a body that a person is shown


class Attempts:
    """The attempts of one call, one at a time. Each is used `with attempt:`, which holds its slot.

    A Fault ends an attempt and not the call: it leaves the `with` block without an error, stands in `fault`, and the next
    attempt comes after a pause. Asking for the next one raises Unreachable when there is no time for it, and Paused if the
    provider asks for a wait beyond the route's `timeout`, or answers nobody any longer, or nobody in a form that can be read.
    """

    fault: Fault
    """Why the last attempt failed in passing."""
    _ticket: Ticket

    def __init__(self, route: Route, request: Request) -> None:
        self._route = route
        self._request = request
        self._characters = sum(len(message.content) for message in request.messages)
        self._deadline = math.inf
        self._tries = 0
        self._unreadable = 0
        self._reply: Reply | None = None
        self._late = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Self:
        if self._tries == 0:
            self._ticket = await self._route.limit.enter(self._characters)
            self._deadline = self._ticket.entered + self._route.timeout
        else:
            self._ticket = await self._enter_again()
        self._tries += 1
        return self

    async def _enter_again(self) -> Ticket:
        """The ticket for one more attempt, after a pause. Raises as the class says."""
        limit, wait = self._route.limit, self.fault.retry_after
        if isinstance(self.fault, Unreadable):
            return await self._in_the_same_slot(self.fault)
        if self.fault.reply is not None and self.fault.maybe_billed and self._tries >= MOST_TRIES_FOR_NOTHING:
            raise self._given_up()
        if wait is not None and wait > self._route.timeout:
            raise self._far_off(wait)
        pause = pause_before_next(self._tries, wait)
        if asyncio.get_running_loop().time() + pause >= self._deadline:
            raise self._given_up()
        await limit.rest(pause)
        try:
            async with asyncio.timeout_at(self._deadline):
                return await limit.enter(self._characters, again=True)
        except TimeoutError:
            raise self._given_up() from None

    async def _in_the_same_slot(self, fault: Unreadable) -> Ticket:
        """Its slot is kept over the pause: what is sent to such an endpoint may be paid for, so no other call goes meanwhile."""
        try:
            if self._unreadable >= MOST_UNREADABLE:
                raise self._not_read(fault)
            pause = pause_before_next(self._tries, None)
            if asyncio.get_running_loop().time() + pause >= self._deadline:
                raise self._given_up()
            await self._route.limit.rest(pause)
        except BaseException:
            self._route.limit.leave(self._ticket)
            raise
        return self._ticket

    async def answer(self, sent: Request) -> Reply:
        """What the provider answers before the deadline. sent: the request as it is sent. Raises what it raises.

        A call that gets answers with nothing in them, again and again, while others are answered, has its answer with that.
        """
        route = self._route
        try:
            async with asyncio.timeout_at(self._deadline) as clock:
                self._reply = await route.provider.answer(sent)
        except TimeoutError:
            if not clock.expired():
                raise
            before = f"; before that: {self.fault.reason}" if self._tries > 1 else ""
            reason = f"no answer within {route.timeout:g} s{before}{route.patience}"
            self._late = True
            raise Fault(reason, congested=True, maybe_billed=True) from None
        except Fault as fault:
            if fault.reply is None or self._tries < MOST_TRIES_FOR_NOTHING or route.last_answer <= self._began:
                raise
            self._reply = fault.reply
            return self._reply
        route.silent = 0
        route.last_answer = asyncio.get_running_loop().time()
        return self._reply

    def silence(self) -> str:
        """What a person is told, once in a run, when an attempt failed and nobody has been answered for a while; else ""."""
        route, now = self._route, asyncio.get_running_loop().time()
        left = self._deadline - now
        came = self.fault.reply is not None or isinstance(self.fault, Unreadable)
        if came or route.silence_told or left <= 0 or now - max(self._began, route.last_answer) < SILENCE_SECONDS:
            return ""
        route.silence_told = True
        place = urlsplit(route.base_url).netloc.rpartition("@")[2] or route.name
        time = f"{left:.0f} s" if left < 90 else f"{left / 60:.0f} min"
        return f"no answer from {place}: {self.fault.reason}; trying again for up to {time}"

    @property
    def _began(self) -> float:
        return self._deadline - self._route.timeout

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> bool:
        """Give the slot back and say how the attempt went."""
        limit, reply = self._route.limit, self._reply
        if isinstance(error, Fault):
            self.fault = error
            if isinstance(error, Unreadable):
                self._unreadable += 1
            elif self._late:
                limit.too_late(self._ticket)
            elif error.congested:
                limit.refused(self._ticket, error.retry_after, error.resource)
            else:
                limit.leave(self._ticket)
            return True
        if reply is None:
            limit.leave(self._ticket)
        else:
            used = None if reply.usage.input is None or reply.usage.output is None else (reply.usage.input, reply.usage.output)
            limit.leave(self._ticket, answered=True, used=used)
        return False

    def _given_up(self) -> Paused | Unreachable:
        """Passing faults used up the time; where nobody else was answered meanwhile, several times, it is not this call alone."""
        route = self._route
        route.silent += self._began > route.last_answer
        times = "1 attempt" if self._tries == 1 else f"{self._tries} attempts"
        if route.silent >= route.most_silent:
            return Paused(
                f"the provider “{route.name}” does not answer ({times}): {self.fault.reason}",
                where=self._request.place,
                next="check that the endpoint runs and can be reached, then run the same command again; nothing is lost",
            )
        reason = f"no answer after {times}: {self.fault.reason}"
        return Unreachable(reason, where=self._request.place, next="run the same command again; only what is missing is asked")

    def _not_read(self, fault: Unreadable) -> Paused | Unreachable:
        """What came twice is no answer; where others were answered meanwhile, that is this call's trouble alone."""
        route, key = self._route, self._request.key[:12]
        beginning = " ".join(fault.body[: 4 * BEGINNING].split())
        beginning = beginning if len(beginning) <= BEGINNING else f"{beginning[:BEGINNING].rstrip()} …"
        said = f"{fault.reason}, twice" + ("" if beginning[:40] in fault.reason else f": “{beginning}”")
        kept = f"both bodies are kept and may have been billed: finetune-prep show {key}"
        if self._began <= route.last_answer:
            again = "run the same command again: it asks this once more"
            return Unreachable(f"{said}; {kept}", where=self._request.place, next=again)
        return Paused(
            f"the provider “{route.name}” sends what is no answer: {said}",
            where=self._request.place,
            details=(f"  {kept}",),
            next=f"put the server or its address in {FILE} right, then run the same command again: it asks this once more",
        )

    def _far_off(self, wait: float) -> Paused:
        return Paused(
            f"the provider asks for no further call for {wait / 60:.0f} minutes ({self.fault.reason})",
            where=self._request.place,
            next="run the same command again after that; nothing is lost",
        )
