"""How fast calls may follow each other: requests and tokens per second, learned by trying. Pure: the caller has the clock.

Providers limit requests or tokens in a window, or refill a bucket. Calls that keep an even pace just below the limit are
refused by none of these. So after the first complaint the rate is what the endpoint was seen to sustain, and from there it
follows the curve of CUBIC (Ha, Rhee & Xu 2008): quickly back to where the last complaint came, slowly past it, then ever
faster, so that few calls are refused at a steady limit and a higher one is found soon.

What the endpoint says about itself in its headers comes on top: what remains is spread over the time until it is renewed.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import msgspec

Resource = Literal["requests", "tokens"]
RESOURCES: tuple[Resource, ...] = ("requests", "tokens")

CUT = 0.92  # of the rate at which the endpoint complained
KEPT = 0.85  # a rate seen below this share of the one that was allowed means that the limit itself has fallen
LOWEST = 0.3  # of the allowed rate: the least that one episode may leave of it
HASTY = 0.5  # the same if it came so soon after the one before that what went through tells little
RETURN_SECONDS = 4.0  # until the rate is again where the last complaint came
SEARCH = 1.5  # e-foldings of a rate in that time, while all that is known is that the limit is higher
COSTLY = 15.0  # times as long as an episode kept the endpoint closed, if that is longer: dear experiments are made seldom
LONGEST_RETURN = 120.0
LONGEST_SEARCH = 20.0  # the same while searching
EVIDENCE = 10  # calls that must have gone through before a rate is inferred from them
HORIZON = 60.0  # seconds of past calls that are remembered
SHORTEST = 1.0  # seconds over which a rate is measured at least
RECENT = 3.0  # seconds over which it is measured at most, or so many times the closure that followed
PRESSED = 0.5  # seconds of calls at full pace, before less than that pace is taken for all that the endpoint sustains
GRAIN = 0.02  # seconds of past calls that are remembered as one
CATCH_UP = 0.02  # seconds by which a late timer may be made good
SPARE = 1.25  # above what was seen, where it is not known that the rate was too high
FLOOR = 0.5  # of the average rate that headers promise: less is not believed
FIRST_TOKENS_PER_CHARACTER = 0.25
FIRST_ANSWER_TOKENS = 300.0
SMOOTHING = 0.1


class Allowance(msgspec.Struct, frozen=True, kw_only=True):
    """What headers say of one resource: `remaining` of `limit`, renewed (in full) in `reset` seconds."""

    resource: Resource
    limit: float
    remaining: float
    reset: float


Listener = Callable[[Allowance, float], None]  # told an allowance, and the loop time at which the call went that brought it


@dataclass(slots=True)
class _Reported:
    """The latest allowance."""

    allowance: Allowance
    at: float
    """When the call that brought it was sent."""
    used: float = 0.0
    """What was sent since."""


@dataclass(slots=True)
class _Meter:
    """The pace of one resource."""

    rate: float = math.inf
    """Units per second."""
    peak: float = math.inf
    """The rate at the last complaint."""
    return_seconds: float = RETURN_SECONDS
    """Until the rate is there again."""
    pressed: float = 0.0
    """Seconds since then in which calls waited for the pace."""
    searching: bool = False
    """The limit may be much higher than the peak."""
    due: float = -math.inf
    """When the next call may go."""
    reported: _Reported | None = None
    longest_reset: float = 0.0

    def take(self, amount: float, now: float) -> None:
        rate = self.current(now)
        self.due = max(self.due, now - CATCH_UP) + (amount / rate if rate > 0 else 0.0)
        if self.reported is not None:
            self.reported.used += amount

    def current(self, now: float) -> float:
        return self.rate if self.reported is None else min(self.rate, self._promised(self.reported, now))

    def _promised(self, reported: _Reported, now: float) -> float:
        """The rate that headers leave: what remains, spread over the time until it is renewed."""
        average = reported.allowance.limit / self.longest_reset
        left = reported.at + reported.allowance.reset - now
        if left <= 0:
            return average  # renewed meanwhile
        # where a bucket is filled steadily, `reset` is far off although something comes in all the time: hence the floor
        return max((reported.allowance.remaining - reported.used) / left, FLOOR * average)

    def hear(self, allowance: Allowance, sent: float, used_since: float) -> None:
        if self.reported is not None and sent < self.reported.at:
            return
        self.longest_reset = max(self.longest_reset, allowance.reset, 1e-3)
        self.reported = _Reported(allowance, sent, used_since)

    def cut(self, least: float, most: float, return_seconds: float, lowest: float) -> None:
        """The endpoint complained about this rate. What it sustains is between `least` and `most`."""
        if self.rate == math.inf:
            self.peak = least
            self._begin(return_seconds, searching=True)
            return
        if most < KEPT * self.rate or self.searching:
            self.peak = max(math.sqrt(least * most), lowest * self.rate)
        else:
            self.peak = min(self.rate, most)
        self._begin(return_seconds, searching=False)

    def cap(self, seen: float, return_seconds: float) -> None:
        """The endpoint complained, perhaps about something else: stay near what it did sustain."""
        if SPARE * seen < self.rate:
            self.peak = SPARE * seen / CUT
            self._begin(return_seconds, searching=True)

    def _begin(self, return_seconds: float, *, searching: bool) -> None:
        self.return_seconds = min(return_seconds, LONGEST_SEARCH) if searching else return_seconds
        self.searching = searching
        self.pressed = 0.0
        self.rate = CUT * self.peak

    def press(self, seconds: float) -> None:
        """Calls have waited for this pace: without complaint, it may become faster."""
        if self.rate < math.inf:
            self.pressed += seconds
            passed = self.pressed / self.return_seconds
            if self.searching:
                self.rate = CUT * self.peak * math.exp(SEARCH * passed)
                return
            self.rate = self.peak * (1 + (1 - CUT) * (passed - 1) ** 3)


@dataclass(slots=True)
class Pace:
    """The pace of all resources of one endpoint."""

    requests: _Meter = field(default_factory=_Meter)
    tokens: _Meter = field(default_factory=_Meter)
    _log: deque[list[float]] = field(default_factory=deque)  # [start of a grain, requests, tokens]
    _pressed_at: float = -math.inf
    _per_character: float = FIRST_TOKENS_PER_CHARACTER
    _answer: float = FIRST_ANSWER_TOKENS

    def enter(self, characters: int, now: float, *, waited: bool) -> float:
        """A call goes; the tokens for which a prompt of this length will count, as calls so far went.

        waited: it could have gone earlier, had the pace allowed.
        """
        tokens = characters * self._per_character + self._answer
        if waited:
            self._press(now)
        self.requests.take(1.0, now)
        self.tokens.take(tokens, now)
        self._note(now, 1.0, tokens)
        return tokens

    def refused(self, entered: float, tokens: float) -> None:
        """A call that went has counted for nothing."""
        self._note(entered, -1.0, -tokens)

    def answered(self, characters: int, estimated: float, used_input: int, used_output: int, now: float) -> None:
        """What a call really counted for: corrects the debt and later estimates."""
        if characters:
            self._per_character += SMOOTHING * (used_input / characters - self._per_character)
        self._answer += SMOOTHING * (used_output - self._answer)
        more = used_input + used_output - estimated
        if self.tokens.rate < math.inf:
            self.tokens.due = max(self.tokens.due, now - CATCH_UP) + more / self.tokens.rate
        self._note(now, 0.0, more)

    def hear(self, allowance: Allowance, sent: float) -> None:
        """What the headers of an answer say; sent: when its call went."""
        meter = self.requests if allowance.resource == "requests" else self.tokens
        column = 1 if allowance.resource == "requests" else 2
        meter.hear(allowance, sent, sum(grain[column] for grain in self._log if grain[0] > sent))

    def complained(
        self, since: float, began: float, now: float, *, about_rate: bool, resource: Resource | None, let_through: float
    ) -> None:
        """An episode of complaints, begun at `began`, is over: calls go through again. since: the end of the one before.

        about_rate: the rate was too high for sure. resource: which one, if reported. let_through: share of calls that go through
        at any pace.
        """
        # the latest calls tell most about the limit as it is now, but a long closure must be seen with all that led to it
        recent = began - max(RECENT, RECENT * (now - began))
        start = max(min(max(since, recent), began - SHORTEST), self._log[0][0] if self._log else now)
        return_seconds = min(max(RETURN_SECONDS, COSTLY * (now - began)), LONGEST_RETURN)
        enough = sum(grain[1] for grain in self._log if grain[0] >= start) >= EVIDENCE
        for column, name in enumerate(RESOURCES, start=1):
            meter: _Meter = getattr(self, name)
            seen = sum(grain[column] for grain in self._log if grain[0] >= start) / let_through
            least, most = seen / max(now - start, GRAIN), seen / max(began - start, GRAIN)
            if resource not in (None, name) or (meter.rate == math.inf and not enough):
                continue
            if about_rate:
                meter.cut(least, most, return_seconds, LOWEST if began - since > PRESSED else HASTY)
            elif began - start >= SHORTEST / 2:
                meter.cap(most, return_seconds)
            meter.due = now

    def _press(self, now: float) -> None:
        seconds = min(now - self._pressed_at, 0.25)
        self._pressed_at = now
        self.requests.press(seconds)
        self.tokens.press(seconds)

    def _note(self, at: float, requests: float, tokens: float) -> None:
        if not self._log or at >= self._log[-1][0] + GRAIN:
            self._log.append([at, requests, tokens])
            while self._log[0][0] < at - HORIZON:
                self._log.popleft()
            return
        for grain in reversed(self._log):
            if grain[0] <= at:
                grain[1] += requests
                grain[2] += tokens
                return
