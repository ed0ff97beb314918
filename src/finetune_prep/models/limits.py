"""How many calls may run at once: found by trying, one provider at a time.

Additive increase, multiplicative decrease (Chiu & Jain 1989), with a quick start: the limit doubles until the endpoint
first complains. A complaint cuts it once per episode: calls that were already under way when it was cut belong to the
same episode, so a burst of 429s is one cut and not thirty.
"""

from __future__ import annotations

import asyncio
from collections import deque

FIRST_LIMIT = 8
CUT = 0.8
PROBE_ROUNDS = 4  # rounds of calls without complaint for one more slot, where there have been complaints before
PATIENT_ROUNDS = 8  # rounds without complaint after which probing grows faster: the endpoint bears more than it did
LONG_WAIT = 2.0  # seconds; an endpoint that asks for more is closed for everybody, not only too full for one


class AdaptiveLimit:
    """Slots for calls. ceiling: the most there may ever be. Belongs to one event loop."""

    def __init__(self, ceiling: int) -> None:
        self.ceiling = max(1, ceiling)
        self.allowed = float(min(FIRST_LIMIT, self.ceiling))
        self.in_flight = 0
        self._too_many = float("inf")  # where the endpoint last complained
        self._answers_since_cut = 1
        self._last_cut = float("-inf")
        self._closed_until = float("-inf")
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._opening: asyncio.TimerHandle | None = None

    async def enter(self) -> float:
        """Wait for a slot, first come first served. Returns the time of entry, to be handed back to `leave`."""
        loop = asyncio.get_running_loop()
        if not self._waiting and self._open(loop):
            self.in_flight += 1
            return loop.time()
        turn: asyncio.Future[None] = loop.create_future()
        self._waiting.append(turn)
        self._admit()
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # the slot was given in the moment of cancellation: pass it on
                self.in_flight -= 1
                self._admit()
            raise  # a cancelled turn is passed over when it comes up
        return loop.time()

    def leave(self, entered: float, *, congested: bool = False, answered: bool = False, wait: float | None = None) -> None:
        """Give the slot back and say how the call went. wait: seconds for which the endpoint wants no further call."""
        now = asyncio.get_running_loop().time()
        if congested:
            self._complained(entered, now, wait or 0.0)
        elif answered:
            self._answers_since_cut += 1
            if self.in_flight >= int(self.allowed):
                self._grow()
        self.in_flight -= 1
        self._admit()

    def _complained(self, entered: float, now: float, wait: float) -> None:
        closed = entered >= self._last_cut and not self._answers_since_cut
        if wait > LONG_WAIT or closed:
            self._closed_until = max(self._closed_until, now + wait)
        if entered >= self._last_cut:
            self._too_many = self.allowed
            self.allowed = max(1.0, self.allowed * CUT)
            self._last_cut = now
            self._answers_since_cut = 0

    def _grow(self) -> None:
        if self._too_many == float("inf"):
            more = 1.0
        elif self.allowed < self._too_many - 1:
            more = 1.0 / self.allowed
        else:
            quiet_rounds = self._answers_since_cut / self.allowed
            more = (1.0 + (quiet_rounds / PATIENT_ROUNDS) ** 2) / (self.allowed * PROBE_ROUNDS)
        self.allowed = min(float(self.ceiling), self.allowed + more)

    def _open(self, loop: asyncio.AbstractEventLoop) -> bool:
        return self.in_flight < int(self.allowed) and loop.time() >= self._closed_until

    def _admit(self) -> None:
        if not self._waiting:
            return
        loop = self._waiting[0].get_loop()
        while self._waiting and self._open(loop):
            turn = self._waiting.popleft()
            if not turn.done():
                self.in_flight += 1
                turn.set_result(None)
        if self._waiting and self._opening is None and loop.time() < self._closed_until:
            self._opening = loop.call_at(self._closed_until, self._reopen)

    def _reopen(self) -> None:
        self._opening = None
        self._admit()
