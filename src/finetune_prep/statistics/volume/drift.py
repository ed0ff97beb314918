"""Whether the conversations of a long run pass less often than they should, looked at after every one of them.

For each conversation a baseline says how often such ones passed before: the pilot's rate, or the rate of its cell. What is
tested is "no more than 6.5 points below". The evidence is a likelihood ratio for Bernoulli draws, averaged over several sizes of
a drop and over the places at which it may have begun, half of it for the beginning of the run, so a model that is exchanged in
the middle is seen, too. Averages of such ratios are an e-process (Ramdas et al. 2023, Stat. Sci. 38:576): by Ville's inequality
at most one run in twenty that is tolerated ever reaches 20.

The baseline is itself an estimate. A pilot of a hundred is off by 4.3 points (one standard error at .75), so what is tolerated
lies between none and the fifteen points that have to be found, with room on either side for that error and for the evidence
that a run of some thousands can give (docs/decisions/0032 has the figures).
"""

from __future__ import annotations

from math import exp, log, log1p

from finetune_prep.statistics.sequential import STOP

TOLERATED = 0.065  # below the baseline
DROPS = (0.02, 0.05, 0.10, 0.20, 0.35)  # beyond what is tolerated; which it is nobody knows beforehand
BLOCK = 200  # conversations after which a drop may begin anew
AT_THE_START = 0.5  # weight of a drop that is there from the beginning: another model, or other settings, than the pilot's
_LEAST, _MOST = 0.02, 0.98
_LARGEST = 700.0  # exponent


class Drift:
    """The evidence so far. longest: how many conversations a run may have at most."""

    def __init__(self, longest: int) -> None:
        self._places = max(1, -(-longest // BLOCK))
        self._first = AT_THE_START if self._places > 1 else 1.0
        self._later = (1 - self._first) / max(1, self._places - 1)
        """Weight of each later place."""
        self._begun: list[list[float]] = []
        self.seen = 0
        self.passed = 0
        self.expected = 0.0
        """Sum of the baselines."""

    def take(self, baseline: float, *, passed: bool) -> None:
        """Count a conversation. baseline: how often such ones passed before, 0 to 1."""
        if self.seen % BLOCK == 0 and len(self._begun) < self._places:
            self._begun.append([0.0] * len(DROPS))
        self.seen += 1
        self.passed += passed
        self.expected += baseline
        bound = min(max(baseline - TOLERATED, _LEAST), _MOST)
        steps = [_step(bound, max(bound - drop, _LEAST / 2), passed=passed) for drop in DROPS]
        for ratios in self._begun:
            for place, step in enumerate(steps):
                ratios[place] += step

    @property
    def evidence(self) -> float:
        """That the rate lies further below the baseline than is tolerated; 20 is enough."""
        if not self._begun:
            return 1.0
        first, *later = (sum(exp(min(ratio, _LARGEST)) for ratio in ratios) / len(DROPS) for ratios in self._begun)
        to_come = self._places - len(self._begun)
        return self._first * first + self._later * (sum(later) + to_come)

    @property
    def found(self) -> bool:
        return self.evidence >= STOP


def _step(bound: float, lower: float, *, passed: bool) -> float:
    return log(lower / bound) if passed else log1p(-lower) - log1p(-bound)
