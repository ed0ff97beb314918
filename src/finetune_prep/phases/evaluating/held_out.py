"""Scenarios for an evaluation: drawn from the space of the training rows, and none of them is one that a row was made from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator

import msgspec

from finetune_prep.core.conversation import Conversation
from finetune_prep.core.identity import digest
from finetune_prep.core.sample import Sample
from finetune_prep.core.scenarios.drawing import draw
from finetune_prep.core.scenarios.scenario import Scenario
from finetune_prep.core.scenarios.space import ScenarioSpace
from finetune_prep.exports.manifest import MANIFEST
from finetune_prep.phases.pilot.plan import planned
from finetune_prep.project.layout import Layout
from finetune_prep.project.runs import runs
from finetune_prep.words import split_words

MOST_TRIES = 50  # candidates of a cell that may be drawn for one scenario; a space so small has no other talks to hold out


class Trained(msgspec.Struct, frozen=True):
    """What training rows were, or may yet be, made from."""

    scenarios: frozenset[str] = frozenset()
    """What was drawn for each of them, hashed."""
    openings: frozenset[str] = frozenset()
    """Their first messages, as `opening` gives them."""


def trained(layout: Layout) -> Trained:
    """The talks of all runs that give rows, whatever became of them: rows are drawn from among them. And scenarios of pairs."""
    scenarios, openings = _of_pairs(layout), set()
    for sample in _samples(layout):
        if sample.conversation is not None:
            scenarios.add(content(sample.scenario))
            openings.add(opening(sample.conversation))
    return Trained(frozenset(scenarios), frozenset(openings))


def _of_pairs(layout: Layout) -> set[str]:
    """What was drawn for the scenarios of preference pairs: they were held out once, and are trained on now."""
    path = layout.pairs / MANIFEST
    try:
        found = msgspec.json.decode(path.read_bytes(), type=_Pairs) if path.is_file() else _Pairs()
    except (msgspec.DecodeError, UnicodeDecodeError):
        return set()
    return {*found.scenarios}


class _Pairs(msgspec.Struct, frozen=True):
    """What is read of a manifest of pairs."""

    scenarios: tuple[str, ...] = ()


def _samples(layout: Layout) -> Iterator[Sample]:
    for run in runs(layout):
        yield from run.each_sample()


def content(scenario: Scenario) -> str:
    """Hash of what the opening is drawn from, whatever the draw's number and however long the talk."""
    return digest(msgspec.structs.replace(first_exchange(scenario), index=0, seed=""))


def opening(conversation: Conversation) -> str:
    """The first message, letters and digits alone."""
    return " ".join(split_words(conversation.messages[0].content.casefold())) if conversation.messages else ""


def held_out(
    space: ScenarioSpace, n: int, seed: int | str, taken: Collection[str], *, single: bool = False
) -> tuple[Scenario, ...]:
    """n scenarios by quota from a stream of their own. taken: contents that may not come up. single: cut to one exchange.

    Raises DocumentError if the space gives none.
    """
    stream = f"{seed}/held-out"
    drawn = planned(space, n, stream)
    following = Counter(scenario.cell for scenario in drawn)
    seen = {*taken}
    found = []
    for scenario in drawn:
        for _ in range(MOST_TRIES):
            if content(scenario) not in seen:
                break
            following[scenario.cell] += 1
            scenario = draw(space, scenario.cell, following[scenario.cell] - 1, stream)
        seen.add(content(scenario))
        found.append(first_exchange(scenario) if single else scenario)
    return tuple(found)


def first_exchange(scenario: Scenario) -> Scenario:
    """The scenario as a talk of one exchange, with the situation that leads alone."""
    return msgspec.structs.replace(scenario, course=scenario.course[:1], situations=scenario.situations[:1])
