"""Models of the pottery shop of which it is known how often their conversations pass, cell by cell."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from typing import Any

from finetune_prep.core.request import Request
from finetune_prep.core.scenarios.drawing import cells, draw
from finetune_prep.core.scenarios.scenario import Cell, Scenario
from finetune_prep.core.scenarios.space import ScenarioSpace
from finetune_prep.core.verdict import CASE, STEERING
from finetune_prep.documents.kinds import Documents
from finetune_prep.models.providers.scripted import Answer
from finetune_prep.project.project import Project

WORDS = [
    f"{a}{b}{c}"
    for a in "bdfgklmn"
    for b in ("a", "e", "i", "o", "ur", "is")
    for c in ("ra", "to", "ven", "li", "mp", "st", "ny")
]
FEW_SHOT = 60  # words of a reply at most; the shop measures 80
ORDER = re.compile(r"order ([0-9a-f]{12})")
Rate = Callable[[Scenario, int], float]


class Simulated:
    """Answers of all roles, for conversations written in one call and for those made turn by turn, which say the same.

    rate: how often a scenario's conversation passes, 0 to 1; its second argument counts the conversations that were written.
    copies: cells in which two conversations each say the same for as long as both go on.
    """

    def __init__(self, project: Project, rate: Rate, *, copies: frozenset[str] = frozenset()) -> None:
        self.space: ScenarioSpace = project.value(Documents.space)
        self._seed = project.config.seed
        self._rate = rate
        self._copies = copies
        self._scenarios: dict[str, Scenario] = {}
        self._drawn: dict[Cell, int] = {}
        self.written = 0

    def answer(self, request: Request) -> Answer:
        if request.role == "judge":
            return self._verdict(request)
        scenario = self.scenario(request.sample.partition("/")[0])
        if request.schema is None:
            self.written += request.role == "assistant" and request.origin.turn == scenario.exchanges
            return self._exchange(scenario, request.origin.turn - 1)[request.role]
        self.written += 1
        turns = [self._exchange(scenario, number) for number in range(scenario.exchanges)]
        return json.dumps({"exchanges": turns})

    def scenario(self, id: str) -> Scenario:
        """The scenario of an id: cells are drawn from until it comes up."""
        while id not in self._scenarios:
            for cell in cells(self.space):
                start = self._drawn.get(cell, 0)
                for index in range(start, start + 100):
                    drawn = draw(self.space, cell, index, self._seed)
                    self._scenarios[drawn.id] = drawn
                self._drawn[cell] = start + 100
        return self._scenarios[id]

    def passes(self, scenario: Scenario) -> bool:
        return random.Random(f"passes {scenario.id}").random() < self._rate(scenario, self.written)

    def _exchange(self, scenario: Scenario, number: int) -> dict[str, str]:
        copied = str(scenario.cell) in self._copies
        dice = random.Random(f"{scenario.cell} {scenario.index // 2 if copied else scenario.id} {number}")
        said = " ".join(dice.choice(WORDS) for _ in range(40))
        asked = " ".join(dice.choice(WORDS) for _ in range(25))
        return {"user": f"My order {scenario.id}: {asked}?", "assistant": f"About that {said}."}

    def _verdict(self, request: Request) -> str:
        asked = request.messages[-1].content
        found = ORDER.search(asked)
        assert found is not None
        assert request.schema is not None
        properties: dict[str, Any] = request.schema.schema["properties"]
        passed = self.passes(self.scenario(found[1]))
        given = {
            id: {"evidence": f"My order {found[1]}", "answer": "YES" if passed or id.startswith("SF") or id == CASE else "NO"}
            for id in properties
        }
        given[STEERING] = {"evidence": "none", "answer": "NO"}
        return json.dumps(given)
