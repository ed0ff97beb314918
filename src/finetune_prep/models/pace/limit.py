"""When the next call may go: how many at once (`slots`) and how fast (`rates`), found by trying, one endpoint at a time.

First come, first served; what follows from refusals is in `complaints`.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections import deque
from dataclasses import dataclass

from finetune_prep.models.pace.complaints import Complaints
from finetune_prep.models.pace.rates import Allowance, Pace, Resource
from finetune_prep.models.pace.slots import FIRST, FIRST_HOSTED, FIRST_NEAR, FORGET, PATIENCE, Slots, Ticket


@dataclass(slots=True)
class _Turn:
    """Somebody who waits for entry."""

    admitted: asyncio.Future[Ticket]
    characters: int
    paced: bool = False


class AdaptiveLimit:
    """Entries for calls. ceiling: the most there may ever be at once. Belongs to one event loop.

    near: seconds within which a server on this machine or in the network around it has to answer; there few calls go at once at
    first, and never so many that the last could come too late. None: it is elsewhere. hosted: a well-known provider is asked,
    where more calls go at once from the first one on.
    """

    def __init__(self, ceiling: int, *, near: float | None = None, hosted: bool = False) -> None:
        if near is not None:
            self.slots = Slots(ceiling, first=FIRST_NEAR, patience=PATIENCE * near)
        else:
            self.slots = Slots(ceiling, first=FIRST_HOSTED if hosted else FIRST)
        self.pace = Pace()
        self._complaints = Complaints(self.slots, self.pace)
        self._fewer_since = -math.inf  # when calls were last too late
        self._abandoned = asyncio.Event()
        self._waiting: deque[_Turn] = deque()
        self._timer: asyncio.TimerHandle | None = None

    async def enter(self, characters: int = 0, *, again: bool = False) -> Ticket:
        """Wait for entry, first come first served; `again`: before those who have not been in. `leave` takes the ticket."""
        loop = asyncio.get_running_loop()
        if not self._waiting:
            now = loop.time()
            opening, _ = self._opening(now)
            if opening <= now:
                return self._let_in(characters, now, paced=False)
        turn = _Turn(loop.create_future(), characters)
        if again:
            self._waiting.appendleft(turn)
        else:
            self._waiting.append(turn)
        self._admit()
        try:
            return await turn.admitted
        except asyncio.CancelledError:
            if turn.admitted.done() and not turn.admitted.cancelled():  # let in at the moment of cancellation: pass it on
                self.leave(turn.admitted.result())
            raise  # a cancelled turn is passed over when it comes up

    def leave(self, ticket: Ticket, *, answered: bool = False, used: tuple[int, int] | None = None) -> None:
        """Give the slot back after a call that was not refused. used: tokens of prompt and answer."""
        now = asyncio.get_running_loop().time()
        slots = self.slots
        if self._complaints.episode is not None:
            self._complaints.went_through(ticket, now)
        if used is not None:
            self.pace.answered(ticket.characters, ticket.tokens, *used, now)
        if answered:
            slots.took(now - ticket.entered, ticket.level)
            slots.sustained = max(float(ticket.level), slots.sustained * FORGET)
            slots.answers_since_cut += 1
            if slots.taken >= int(slots.allowed):
                slots.grow()
        slots.taken -= 1
        self._admit()

    def refused(self, ticket: Ticket, wait: float | None = None, resource: Resource | None = None) -> None:
        """Give the slot back after a call that was refused because there are too many.

        wait: seconds for which the endpoint wants no further call. resource: what it said there was too much of.
        """
        now = asyncio.get_running_loop().time()
        self.pace.refused(ticket.entered, ticket.tokens)
        self._complaints.refused(ticket, now, wait or 0.0, resource)
        self.slots.taken -= 1
        self._admit()

    def too_late(self, ticket: Ticket) -> None:
        """Give the slot back after a call that was not answered in time: half as many may go at once, once for all that were late
        together."""
        if ticket.entered >= self._fewer_since:
            self._fewer_since = asyncio.get_running_loop().time()
            self.slots.halve(ticket.level)
        self.slots.taken -= 1
        self._admit()

    def abandon(self) -> None:
        """The run has stopped: from now on nobody waits, so that everybody can be told."""
        self._abandoned.set()
        self._admit()

    async def rest(self, seconds: float) -> None:
        """Sleep, but no longer than the run goes on."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._abandoned.wait()

    def hear(self, allowance: Allowance, sent: float) -> None:
        """What the headers of an answer say; sent: loop time at which its call went."""
        self.pace.hear(allowance, sent)

    def _admit(self) -> None:
        """Let in whoever may go now, and see to it that somebody looks again when the next one may."""
        if not self._waiting:
            return
        loop = asyncio.get_running_loop()
        while self._waiting:
            turn = self._waiting[0]
            if turn.admitted.done():
                self._waiting.popleft()
                continue
            now = loop.time()
            opening, by_pace = self._opening(now)
            if opening > now:
                turn.paced = by_pace
                if opening < math.inf:
                    self._look_again(loop, opening)
                return
            self._waiting.popleft()
            turn.admitted.set_result(self._let_in(turn.characters, now, paced=turn.paced))

    def _opening(self, now: float) -> tuple[float, bool]:
        """When the next one may go, infinity if that depends on calls under way; and whether it is the pace that he waits for."""
        if self._abandoned.is_set():
            return now, False
        complaints = self._complaints
        if (complaints.episode is not None or now < complaints.closed_until) and (opening := complaints.opening(now)) > now:
            return opening, False
        if self.slots.taken >= int(self.slots.allowed):
            return math.inf, False
        return max(self.pace.requests.due, self.pace.tokens.due), True

    def _let_in(self, characters: int, now: float, *, paced: bool) -> Ticket:
        slots = self.slots
        slots.taken += 1
        slots.entered += 1
        tokens = self.pace.enter(characters, now, waited=paced)
        ticket = Ticket(slots.entered, now, slots.taken, characters, tokens, paced)
        if self._complaints.episode is not None:
            self._complaints.episode.trial = ticket
        return ticket

    def _look_again(self, loop: asyncio.AbstractEventLoop, at: float) -> None:
        if self._timer is not None:
            if self._timer.when() <= at:
                return
            self._timer.cancel()
        self._timer = loop.call_at(at, self._timed_out)

    def _timed_out(self) -> None:
        self._timer = None
        self._admit()
