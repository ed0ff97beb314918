"""Gates of what is planned from scenario-space.md: they draw scenarios as a pilot does, and look at them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache

from finetune_prep.core.finding import Finding
from finetune_prep.core.scenarios.drawing import plan
from finetune_prep.core.scenarios.fitting import unplayable
from finetune_prep.core.scenarios.scenario import Scenario
from finetune_prep.core.scenarios.space import ScenarioSpace
from finetune_prep.documents.document import Document
from finetune_prep.documents.kinds import Documents
from finetune_prep.gates.premises import Unchecked, need
from finetune_prep.gates.scenarios.scenario_space import Choice
from finetune_prep.method import limits

DRAWN = 1000  # scenarios that are looked at
SEED = "gates"
SHOWN = 5  # findings about cards; one reason usually makes many


@lru_cache(maxsize=4)
def _drawn(space: ScenarioSpace) -> tuple[Scenario, ...]:
    """Raises ValueError if nothing can be planned."""
    return plan(space, DRAWN, SEED)


def _planned(documents: Documents) -> tuple[Document[ScenarioSpace], ScenarioSpace, tuple[Scenario, ...]]:
    document, space = need(documents, Documents.space)
    try:
        return document, space, _drawn(space)
    except ValueError as error:
        raise Unchecked(f"nothing can be planned yet: {error}") from error


def playable(documents: Documents) -> Iterable[Finding]:
    """Every card that is drawn can be played: its style has the words for its situations, its flaw shows where it can."""
    document, _, scenarios = _planned(documents)
    reasons = [(scenario.situation.id, reason) for scenario in scenarios for reason in unplayable(scenario)]
    first = dict(reversed(reasons))
    for situation, count in Counter(situation for situation, _ in reasons).most_common(SHOWN):
        yield document.finding(
            f"{count} of {DRAWN:,} cards cannot be played: {first[situation]}",
            "shorten the situation, widen the style's range of words, or add longer conversations",
            situation,
        )


def shares_kept(documents: Documents) -> Iterable[Finding]:
    """Flaws come up, and show, as often as is declared; difficulties and lengths nearly so."""
    document, space, scenarios = _planned(documents)
    flawless = space.no_flaw_share if space.flaws else 1.0
    flaws = {id: share * (1 - flawless) for id, share in _declared(space.flaws).items()} | {"": flawless}
    ids: dict[int, str] = {}
    lengths: dict[str, float] = {}
    for length in space.lengths:  # those of the same number of exchanges are one
        lengths.setdefault(ids.setdefault(length.exchanges, length.id), 0.0)
        lengths[ids[length.exchanges]] += _declared(space.lengths)[length.id]
    drawn = (
        (flaws, [scenario.flaw.id if scenario.flaw else "" for scenario in scenarios], limits.OFF_PLAN),
        (_declared(space.difficulties), [scenario.difficulty.id for scenario in scenarios], limits.FAR_OFF_PLAN),
        (lengths, [ids[scenario.exchanges] for scenario in scenarios], limits.FAR_OFF_PLAN),
    )
    for declared, found, allowed in drawn:
        counts = Counter(found)
        for id, share in declared.items():
            planned = counts[id] / len(scenarios)
            if abs(planned - share) > allowed:
                what = f"{id or 'no flaw'} is declared for {share:.0%} of the conversations"
                fix = "what flaws exclude leaves too little: shorten “Not with”, lower “From exchange”, or change weights"
                yield document.finding(f"{what}, and {planned:.0%} of those planned have it", fix, id or "user flaws")


def _declared(choices: Sequence[Choice]) -> dict[str, float]:
    total = sum(choice.weight for choice in choices)
    return {choice.id: choice.weight / total if total > 0 else 0.0 for choice in choices}


def single_exchanges(documents: Documents) -> Iterable[Finding]:
    """Most conversations have several exchanges."""
    document, space = need(documents, Documents.space)
    total = sum(length.weight for length in space.lengths)
    single = sum(length.weight for length in space.lengths if length.exchanges == 1)
    if total > 0 and single / total > limits.MOST_SINGLE + limits.OFF_PLAN:
        yield document.finding(
            f"{single / total:.0%} of the conversations have a single exchange",
            "give longer ones more weight: at most a third is usual, since how a talk goes on is learnt from longer ones alone",
            "lengths",
        )
