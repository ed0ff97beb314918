"""The waves of a scaled run, and how many conversations of each passed."""

from __future__ import annotations

from finetune_prep.core.sample import Sample
from finetune_prep.project.scaling.result import WaveLine


class Waves:
    """Counts of every wave so far, the present one last."""

    def __init__(self) -> None:
        self._waves: list[_Counts] = []

    def begin(self, *, fair: bool) -> None:
        self._waves.append(_Counts(fair=fair))

    def count(self, *, passed: bool) -> None:
        """A conversation that was made and judged."""
        self._waves[-1].counted += 1
        self._waves[-1].passed += passed

    def compare(self, baseline: float, *, passed: bool) -> None:
        """One that is held against how often such ones passed before."""
        wave = self._waves[-1]
        wave.tested += 1
        wave.tested_passed += passed
        wave.expected += baseline

    def take(self, sample: Sample) -> None:
        """A conversation that has come to an end, whichever."""
        self._waves[-1].candidates += 1
        self._waves[-1].accepted += sample.state == "accepted"

    def lines(self) -> tuple[WaveLine, ...]:
        return tuple(
            WaveLine(
                fair=wave.fair,
                candidates=wave.candidates,
                counted=wave.counted,
                passed=wave.passed,
                accepted=wave.accepted,
                tested=wave.tested,
                tested_passed=wave.tested_passed,
                expected_passed=round(wave.expected, 6),
            )
            for wave in self._waves
        )


class _Counts:
    def __init__(self, *, fair: bool) -> None:
        self.fair = fair
        self.candidates = self.counted = self.passed = self.accepted = self.tested = self.tested_passed = 0
        self.expected = 0.0
