"""Whether the conversations of a long run pass less often than they should, looked at after every one of them.

For each conversation a baseline says how often such ones passed before: the pilot's rate, or the rate of its cell. What is
tested is "no more than ten points below". The evidence is a likelihood ratio for Bernoulli draws, averaged over several sizes
of a drop and over the places at which it may have begun, so a model that is exchanged in the middle of a run is seen, too.
Averages of such ratios are an e-process (Ramdas et al. 2023, Stat. Sci. 38:576): by Ville's inequality at most one sound run in
twenty ever reaches 20.
"""

from __future__ import annotations

from math import exp, log, log1p

from finetune_prep.statistics.sequential import STOP

TOLERATED = 0.10  # below the baseline
DROPS = (0.03, 0.08, 0.15, 0.30)  # beyond what is tolerated; which it is nobody knows beforehand
BLOCK = 200  # conversations after which a drop may begin anew
_LEAST, _MOST = 0.02, 0.98
_LARGEST = 700.0  # exponent


class Drift:
    """The evidence so far. longest: how many conversations a run may have at most."""

    def __init__(self, longest: int) -> None:
        self._places = max(1, -(-longest // BLOCK))
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
        """That the rate lies more than ten points below the baseline; 20 is enough."""
        begun = sum(exp(min(ratio, _LARGEST)) for ratios in self._begun for ratio in ratios) / len(DROPS)
        return (begun + self._places - len(self._begun)) / self._places

    @property
    def found(self) -> bool:
        return self.evidence >= STOP


def _step(bound: float, lower: float, *, passed: bool) -> float:
    return log(lower / bound) if passed else log1p(-lower) - log1p(-bound)
