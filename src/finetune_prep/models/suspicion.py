"""Whether refusals mean that calls go too fast, or are what the endpoint does to one call in so many anyway. Pure.

Routers and busy endpoints refuse calls at random, whatever the caller does: who slows down at each of those ends at a standstill.
So a refusal is a piece of evidence, weighed by how usual it is. Evidence is added up with Page's cumulative sum (Biometrika
1954): log likelihood ratio of "refused more often than usual" to "as usual", never below zero. One sum looks for a burst, in
which most calls are refused (an exhausted window; where refusals are rare, one will do), one for a drift, a few percent above
the usual (a bucket that is emptied a little faster than it is filled).

What is usual is learned from experiments alone: calls that went at half of what the endpoint had just borne. Refusals that come
even then are not about the pace. A cut is no experiment: it may have been too small.
"""

from __future__ import annotations

import math

EXPECTED = 0.004  # share of refused calls before anything is known
BELIEF = 25.0  # calls of experiments that this is worth
MEMORY = 100.0  # calls of experiments that are remembered
FADING = 1 / 128  # of the usual share, by a call that went through when the endpoint was spared
COMMONEST = 0.5
RAREST = 0.003
BURST = 0.6  # share of refused calls in a burst
DRIFT = 0.05  # above the usual share
PROOF = 8.0  # of either sum: e to this is the likelihood ratio that is believed
RARE = 0.0055  # where less than this is usually refused, one refusal is proof


class Suspicion:
    """Evidence against the present pace of one endpoint. usual: share of calls that it refuses at any pace."""

    def __init__(self) -> None:
        self.usual = EXPECTED
        self._seen = BELIEF
        self._proved = self.usual  # as experiments left it
        self.burst = 0.0
        self._drift = 0.0
        self._weigh()

    def _weigh(self) -> None:
        self.usual = min(max(self.usual, RAREST), COMMONEST)
        usual = self.usual + math.sqrt(self.usual / self._seen)  # it may be so much more
        burst, drift = max(BURST, (1 + usual) / 2), usual + DRIFT
        self._burst_up, self._burst_down = math.log(burst / usual), math.log((1 - burst) / (1 - usual))
        self._drift_up, self._drift_down = math.log(drift / usual), math.log((1 - drift) / (1 - usual))

    def refused(self, *, spared: bool) -> bool:
        """A call was refused; whether that is too much now. Then the sums begin anew."""
        if spared:
            self.usual = min(self.usual + FADING, self._proved)
            self._weigh()
        self.burst += self._burst_up
        self._drift += self._drift_up
        if self.unruly and max(self.burst, self._drift) < PROOF:
            return False
        self.burst = self._drift = 0.0
        return True

    @property
    def unruly(self) -> bool:
        """Whether it refuses calls at any pace so often that one refusal means nothing."""
        return self.usual > RARE

    def let_through(self, *, spared: bool) -> None:
        """A call was not refused. spared: it went below what the endpoint last complained about."""
        if self._drift:
            self._drift = max(0.0, self._drift + self._drift_down)
            self.burst = max(0.0, self.burst + self._burst_down)
        if spared and self.usual > EXPECTED:
            self.usual -= FADING * self.usual
            self._weigh()

    def tried(self, *, refused: bool) -> None:
        """How a call of an experiment went."""
        self._seen = min(self._seen + 1, MEMORY)
        self.usual += (refused - self.usual) / self._seen
        self._proved = self.usual
        self._weigh()
