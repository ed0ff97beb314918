"""Whether refusals mean that calls go too fast, or are what the endpoint does to one call in so many anyway. Pure.

Routers and busy endpoints refuse calls at random, whatever the caller does: who slows down at each of those ends at a standstill.
So a refusal is a piece of evidence, weighed by how usual it is. Evidence is added up with Page's cumulative sum (Biometrika
1954): log likelihood ratio of "refused more often than usual" to "as usual", never below zero. One sum looks for a burst, in
which most calls are refused (an exhausted window; where refusals are rare, one will do), one for a drift, a few percent above
the usual (a bucket that is emptied a little faster than it is filled).

Calls are counted in the order in which they went, and one that has not been refused counts as let through: refusals are quick,
answers may take minutes, and who waited for them would see refusals alone. So nothing is to be done for a call that is answered.
"""

from __future__ import annotations

import math

EXPECTED = 0.003  # share of refused calls before anything is known
BELIEF = 25  # calls that this is worth
MEMORY = 150  # calls that are remembered
FADING = 1 / 128  # weight of one call in the share at any pace
RAREST = 0.002
COMMONEST = 0.5
BURST = 0.6  # share of refused calls in a burst
DRIFT = 0.05  # above the usual share
PROOF = 8.0  # of either sum: e to this is the likelihood ratio that is believed
RARE = 0.004  # where less than this is usually refused, one refusal is proof


class RefusalEvidence:
    """Evidence against the present pace of one endpoint.

    usual: share of calls that it refuses at any pace. burst: evidence for a burst.
    """

    def __init__(self) -> None:
        self.usual = EXPECTED
        self.burst = 0.0
        self._drift = 0.0
        self._seen = BELIEF
        self._proved = EXPECTED  # the usual share as `learn` left it
        self._weigh()

    @property
    def unruly(self) -> bool:
        """Whether it refuses calls at any pace so often that one refusal means nothing."""
        return self.usual > RARE

    def refused(self, let_through: int) -> bool:
        """A call was refused, the first after so many that were not; whether that is too much. Then the sums begin anew."""
        self.burst = max(0.0, self.burst + let_through * self._burst_down) + self._burst_up
        self._drift = max(0.0, self._drift + let_through * self._drift_down) + self._drift_up
        if self.unruly:
            # the share at any pace is no less than the usual one
            self.usual = min(self.usual * (1 - FADING) ** let_through + FADING, self._proved)
            self._weigh()
            if max(self.burst, self._drift) < PROOF:
                return False
        self.burst = self._drift = 0.0
        return True

    def learn(self, calls: int, refused: int, most: float = COMMONEST) -> None:
        """So many of these calls were refused, although they cannot have been too fast. most: what is believed without more."""
        self._seen = min(self._seen + calls, MEMORY)
        learned = self.usual + min(1.0, calls / self._seen) * (refused / calls - self.usual)
        self.usual = min(learned, max(self.usual, most))
        self._weigh()
        self._proved = self.usual

    def _weigh(self) -> None:
        self.usual = min(max(self.usual, RAREST), COMMONEST)
        usual = self.usual + math.sqrt(self.usual / self._seen)  # it may be so much more
        burst, drift = max(BURST, (1 + usual) / 2), usual + DRIFT
        self._burst_up, self._burst_down = math.log(burst / usual), math.log((1 - burst) / (1 - usual))
        self._drift_up, self._drift_down = math.log(drift / usual), math.log((1 - drift) / (1 - usual))
