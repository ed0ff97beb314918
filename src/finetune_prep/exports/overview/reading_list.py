"""What to read first: conversations that tell the most, each with the reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from finetune_prep.core.sample import PASSED, Sample
from finetune_prep.exports.talks.row import Row

MOST = 8


class ToRead(NamedTuple):
    scenario: str
    state: str
    situation: str
    why: str


class ReadingList:
    """Chosen while the rows of a run come, one by one.

    shown_by: ids of conversations, or of their scenarios, that show what the run says of the project. threshold: of the rubric,
    0 to 1. differ: scenario → in what judges differ.
    """

    def __init__(self, shown_by: Sequence[str], threshold: float, differ: Mapping[str, str] = MappingProxyType({})) -> None:
        self._wanted = {*shown_by}
        self._threshold = threshold
        self._differ = differ
        self._most_steered = 2 * MOST + len(shown_by)
        self._shown: list[Sample] = []
        self._apart: list[Sample] = []
        self._steered: list[Sample] = []
        self._odd: list[Sample] = []
        self._above: Sample | None = None
        self._below: Sample | None = None
        self._best: Sample | None = None

    def take(self, row: Row) -> None:
        sample = row.sample
        if self._wanted and (found := self._wanted & _ids(sample)):
            self._wanted -= found
            self._shown.append(sample)
        if sample.scenario.id in self._differ and len(self._apart) < MOST:
            self._apart.append(sample)
        if sample.steered and len(self._steered) < self._most_steered:
            self._steered.append(sample)
        if sample.odd and len(self._odd) < MOST:
            self._odd.append(sample)
        if sample.score is not None:
            self._take_score(sample, sample.score)

    def _take_score(self, sample: Sample, score: float) -> None:
        if sample.state in PASSED and (self._above is None or score < (self._above.score or 0)):
            self._above = sample
        failed = sample.state == "rejected" and score < self._threshold
        if failed and (self._below is None or score > (self._below.score or 0)):
            self._below = sample
        if sample.state == "accepted" and (self._best is None or score > (self._best.score or 0)):
            self._best = sample

    @property
    def found(self) -> list[ToRead]:
        """At most MOST, and as many again on which judges differ."""
        wanted = [
            *((sample, "shows what is said above") for sample in self._shown),
            *((sample, "somebody in it seems to speak to the judge") for sample in self._steered),
            *((sample, self._differ[sample.scenario.id]) for sample in self._apart),
            *((sample, f"states {', '.join(sample.odd)}, which stands in no fact") for sample in self._odd[:2]),
            *((sample, why) for sample, why in ((self._above, "just passed"), (self._below, "just failed")) if sample),
            *((sample, "the best score: is it as good as that?") for sample in (self._best,) if sample),
        ]
        found: dict[str, ToRead] = {}
        for sample, why in wanted:
            scenario = sample.scenario
            found.setdefault(scenario.id, ToRead(scenario.id, sample.state, scenario.situation.text, why))
        return [*found.values()][: MOST + len(self._apart)]


def _ids(sample: Sample) -> set[str]:
    return {sample.scenario.id, sample.conversation.id if sample.conversation else ""}
