"""Whether an endpoint refuses calls at any pace: a few calls at half of what it has just borne. Pure: the caller has the clock.

A cut alone does not tell: it may have been too small. So when cuts do not help, or complaints go on and on, forty-eight calls go
at half the pace that was borne. If some are refused, that may still have been too much (a burst is borne from a full bucket), so
forty-eight more go at half of what went through then; what is refused even of these has nothing to do with the pace.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from finetune_prep.models.pace.refusal_evidence import Suspicion

CALLS = 48
RELIEF = 0.5
SLOWEST = 1.0  # calls a second that are believed to have been borne at least
DOUBTFUL = 2  # refused calls, where some are usual: half of what was borne may still have been too much
HOPELESS = 24  # refused calls: the endpoint is closed, and nothing can be learned
IN_VAIN = 3  # cuts one after the other that did not help
COMPLAINTS = 8  # about the rate; twice as many after each experiment without a surprise
RECHECK = 2000  # calls after which an unruly endpoint is measured again
FIRST_REST = 2.0  # seconds after an experiment without the next; twice as long after each without a surprise
LONGEST_REST = 15.0


@dataclass(slots=True)
class Experiment:
    """began: seconds. gap: seconds between calls. level: calls at once. due: when the next call may go. left: calls to go.

    repeated: some were refused the first time; what is refused now counts.
    """

    began: float
    gap: float
    level: int
    due: float
    left: int = CALLS
    refused: int = 0
    repeated: bool = False


class Experiments:
    """The experiments with one endpoint. current: the one under way. ended: when the last one was over."""

    def __init__(self, suspicion: Suspicion) -> None:
        self._suspicion = suspicion
        self.current: Experiment | None = None
        self.ended = self._rest_until = float("-inf")
        self._rest = FIRST_REST
        self._complaints = 0  # about the rate, since the last experiment
        self._patience = COMPLAINTS
        self._recheck = RECHECK  # number of the call after which it is made
        self._sure = False  # what is usual has been seen at a quarter of what is borne

    def complained(self, *, blamed: bool) -> None:
        """An episode of complaints has begun; blamed: on the rate."""
        self._complaints += blamed

    def worth_it(self, now: float, in_vain: int) -> bool:
        """Whether to make one after this episode of complaints. in_vain: cuts before it that did not help."""
        doubts = self._suspicion.unruly or in_vain >= IN_VAIN or self._complaints >= self._patience
        return doubts and now > self._rest_until

    def overdue(self, entries: int) -> bool:
        """Whether to make one without complaint, so many calls having gone: what was learned of refusals may be wrong by now."""
        return entries >= self._recheck and self._suspicion.unruly

    def begin(self, now: float, sustained: float, level: float) -> None:
        """borne: calls a second that went through. level: calls at once."""
        self._complaints = 0
        gap = 1 / (RELIEF * max(sustained, SLOWEST))
        self.current = Experiment(now, gap, math.ceil(RELIEF * level), now + gap)

    def refused(self, experiment: Experiment) -> bool:
        """One of its calls was refused; whether so many were that it is given up."""
        experiment.refused += 1
        if experiment is not self.current or experiment.refused < HOPELESS:
            return False
        self.current = None
        return True

    def entered(self, experiment: Experiment, now: float, entries: int) -> bool:
        """One of its calls goes. True if that was the last one and more are refused at any pace than was believed."""
        experiment.due = now + experiment.gap
        experiment.left -= 1
        if experiment.left:
            return False
        suspicion = self._suspicion
        surprising = experiment.refused > suspicion.likely(CALLS)
        doubtful = experiment.refused > (DOUBTFUL if suspicion.unruly else 0) and (surprising or not self._sure)
        if doubtful and not experiment.repeated:
            gap = (now - experiment.began) / (RELIEF * (CALLS - experiment.refused))
            self.current = Experiment(now, gap, math.ceil(RELIEF * experiment.level), now + gap, repeated=True)
            return False
        self.current = None
        suspicion.tried(CALLS, experiment.refused)
        self._sure = self._sure or experiment.repeated
        self._patience = COMPLAINTS if surprising else 2 * self._patience
        self._rest = FIRST_REST if surprising else min(2 * self._rest, LONGEST_REST)
        self.ended = now
        self._rest_until = now + self._rest
        self._recheck = entries + RECHECK
        return surprising
