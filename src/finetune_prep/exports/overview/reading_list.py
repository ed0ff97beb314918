"""What to read first: conversations that tell the most, each with the reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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


def reading_list(
    rows: Iterable[Row], shown_by: Sequence[str], threshold: float, differ: Mapping[str, str] = MappingProxyType({})
) -> list[ToRead]:
    """At most MOST, and as many again on which judges differ.

    shown_by: ids of conversations, or of their scenarios, that show what the run says of the project. threshold: of the rubric,
    0 to 1. differ: scenario → in what judges differ.
    """
    wanted_ids, shown, apart = {*shown_by}, list[Sample](), list[Sample]()
    steered: list[Sample] = []
    odd: list[Sample] = []
    above: Sample | None = None
    below: Sample | None = None
    best: Sample | None = None
    for row in rows:
        sample = row.sample
        if wanted_ids and (found_ids := wanted_ids & _ids(sample)):
            wanted_ids -= found_ids
            shown.append(sample)
        if sample.scenario.id in differ and len(apart) < MOST:
            apart.append(sample)
        if sample.steered and len(steered) < 2 * MOST + len(shown_by):
            steered.append(sample)
        if sample.odd and len(odd) < MOST:
            odd.append(sample)
        if sample.score is None:
            continue
        if sample.state in PASSED and (above is None or sample.score < (above.score or 0)):
            above = sample
        if sample.state == "rejected" and sample.score < threshold and (below is None or sample.score > (below.score or 0)):
            below = sample
        if sample.state == "accepted" and (best is None or sample.score > (best.score or 0)):
            best = sample
    wanted = [
        *((sample, "shows what is said above") for sample in shown),
        *((sample, "somebody in it seems to speak to the judge") for sample in steered),
        *((sample, differ[sample.scenario.id]) for sample in apart),
        *((sample, f"states {', '.join(sample.odd)}, which stands in no fact") for sample in odd[:2]),
        *((sample, why) for sample, why in ((above, "just passed"), (below, "just failed")) if sample),
        *((sample, "the best score: is it as good as that?") for sample in (best,) if sample),
    ]
    found: dict[str, ToRead] = {}
    for sample, why in wanted:
        scenario = sample.scenario
        found.setdefault(scenario.id, ToRead(scenario.id, sample.state, scenario.situation.text, why))
    return [*found.values()][: MOST + len(apart)]


def _ids(sample: Sample) -> set[str]:
    return {sample.scenario.id, sample.conversation.id if sample.conversation else ""}
