"""Whether one conversation after the other fails in the same way: then something is wrong that more of them do not mend."""

from __future__ import annotations

import re

from finetune_prep.core.sample import Sample, State

DIGITS = re.compile(r"\d+")
MOST = 12  # in a row; convention, untested
NO_VERDICT: tuple[State, ...] = ("faulty", "failed", "unjudged", "not run", "waiting")


class Alike:
    """The failures in a row, in the order of the plan."""

    def __init__(self) -> None:
        self._kind = ""
        self._times = 0
        self._last = ""

    def take(self, sample: Sample) -> None:
        failed = sample.state in NO_VERDICT and bool(sample.fault)
        kind = f"{sample.state}: {DIGITS.sub('#', sample.fault)}" if failed else ""
        self._times = self._times + 1 if kind and kind == self._kind else int(failed)
        self._kind, self._last = kind, f"{sample.state}: {sample.fault}"

    @property
    def reason(self) -> str:
        """Why to stop, "" if there is no reason."""
        return f"{MOST} conversations in a row ended alike – {self._last}" if self._times >= MOST else ""
