"""How many calls may be under way at once. Pure: the caller has the clock.

Additive increase, multiplicative decrease (Chiu & Jain 1989), with a quick start: the number doubles until the endpoint first
complains.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

FIRST = 8
FIRST_HOSTED = 16  # at a provider that serves thousands: what an endpoint of somebody's own bears is not known
FIRST_NEAR = 2  # at a server nearby: it may well answer one call after the other
PATIENCE = 0.5  # of the time-out: how long an answer of a server nearby may take, so that more calls at once are let in
QUICK = 0.1  # of that patience: where LEAP times as many are answered in it even one after the other, so many more are let in
LEAP = 4  # times as many calls in every round, instead of twice as many
EASING = 0.9  # what an answer that came more quickly leaves of the seconds that are expected
EAGER = 64  # calls at once up to which the number doubles in every round at first
CAREFUL = 0.5  # beyond that: slots for each answer
CUT = 0.8
PROBE_ROUNDS = 4  # rounds of calls without complaint for one more slot, where there have been complaints before
PATIENT_ROUNDS = 8  # rounds without complaint after which probing grows faster: the endpoint sustains more than it did
FORGET = 0.995  # what an answer at a lower level leaves of the level that was sustained


@dataclass(slots=True, eq=False)
class Ticket:
    """A call under way."""

    number: int
    """Counted from 1."""
    entered: float
    """Loop time, seconds."""
    level: int
    """Calls under way when it went in, itself included."""
    characters: int
    """Length of its prompt."""
    tokens: float
    """What it is expected to count for."""
    paced: bool
    """It waited for its time, and not for a slot."""


@dataclass(slots=True)
class Slots:
    """The slots for calls to one endpoint."""

    ceiling: int
    """The most there may ever be."""
    allowed: float = 0.0
    """The most at once just now; a fraction is on its way to the next slot."""
    taken: int = 0
    entered: int = 0
    """Calls that ever went in."""
    too_many: float = math.inf
    """Calls at once about which the endpoint last complained."""
    sustained: float = 1.0
    """Calls at once that were answered."""
    answers_since_cut: int = 1
    first: int = FIRST
    """The most at once at first."""
    patience: float = math.inf
    """Seconds that an answer may take. A server that answers one call after the other takes longer with each that waits there."""
    seconds_each: float = 0.0
    """Seconds that an answer takes for each call that is under way, as the slowest of late."""

    def __post_init__(self) -> None:
        self.ceiling = max(1, self.ceiling)
        self.allowed = float(min(self.first, self.ceiling))

    def took(self, seconds: float, level: int) -> None:
        """A call was answered after so long. Never more are let in than can be expected to be answered in time."""
        if self.patience < math.inf:
            self.seconds_each = max(seconds / level, EASING * self.seconds_each)
            self.allowed = max(1.0, min(self.allowed, self.patience / max(self.seconds_each, 1e-9)))

    def grow(self) -> None:
        """A call was answered while all slots were taken."""
        if self.seconds_each * (self.allowed + 1) > self.patience:
            return
        if self.too_many == math.inf:
            more = 1.0 if self.allowed < EAGER else CAREFUL
            if self.allowed < EAGER and self.seconds_each * LEAP * self.allowed <= QUICK * self.patience < math.inf:
                more = LEAP - 1
        elif self.allowed < self.too_many - 1:
            more = 1.0 / self.allowed
        else:
            quiet_rounds = self.answers_since_cut / self.allowed
            more = (1.0 + (quiet_rounds / PATIENT_ROUNDS) ** 2) / (self.allowed * PROBE_ROUNDS)
        self.allowed = min(float(self.ceiling), self.allowed + more)

    def cut(self, level: float) -> None:
        """The endpoint complained about so many at once."""
        self.limited_at(level)
        self.lower_to(self.too_many)

    def halve(self, level: float) -> None:
        """So many at once were too slow: that cost a whole time-out, so the next try is well below."""
        self.limited_at(level)
        self.allowed = max(1.0, self.too_many / 2)

    def limited_at(self, level: float) -> None:
        """Now it is known that there is such a limit, if not yet exactly where."""
        self.too_many = min(self.allowed, level)
        self.answers_since_cut = 0

    def lower_to(self, level: float) -> None:
        self.allowed = max(1.0, min(self.allowed, level) * CUT)
