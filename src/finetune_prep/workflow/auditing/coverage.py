"""Which of what the documents declare no row shows: topics, situations, techniques, people, styles, failure modes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from finetune_prep.core.conversation import Conversation
from finetune_prep.core.knowledge import Knowledge
from finetune_prep.core.rubric import Rubric
from finetune_prep.core.sample import Sample
from finetune_prep.core.scenarios.drawing import cells
from finetune_prep.core.scenarios.space import ScenarioSpace
from finetune_prep.project.runs import VerdictRow
from finetune_prep.workflow.auditing.flags import Flag, flag, listed

OFF = 0.05  # by which a cell's share of the rows may differ from its planned one; convention, untested


class Coverage:
    """Counts of the rows by everything that the scenario space declares."""

    def __init__(self, space: ScenarioSpace) -> None:
        self._space = space
        self.rows = 0
        self.by: dict[str, Counter[str]] = {
            name: Counter() for name in ("topic", "situation", "technique", "person", "style", "difficulty", "flaw", "cell")
        }

    def take(self, sample: Sample, said: Conversation) -> None:
        scenario = sample.scenario
        self.rows += 1
        self.by["cell"][str(scenario.cell)] += 1
        self.by["topic"][scenario.cell.topic] += 1
        self.by["situation"].update(situation.id for situation in scenario.situations)
        self.by["technique"].update(scenario.techniques)
        self.by["style"][scenario.style.id] += 1
        self.by["difficulty"][scenario.difficulty.id] += 1
        self.by["person"].update([scenario.person.id] if scenario.person else [])
        self.by["flaw"].update([scenario.flaw.id] if scenario.flaw else [])

    def flags(self) -> Iterator[Flag]:
        space = self._space
        declared = {
            "topic": [topic.id for topic in space.topics if topic.weight > 0],
            "situation": [situation.id for topic in space.topics if topic.weight > 0 for situation in topic.situations],
            "technique": [*dict.fromkeys(id for topic in space.topics for id in topic.techniques)],
            "person": [person.id for person in space.people if person.weight > 0],
            "style": [style.id for style in space.styles if style.weight > 0],
            "difficulty": [difficulty.id for difficulty in space.difficulties if difficulty.weight > 0],
            "flaw": [flaw.id for flaw in space.flaws if flaw.weight > 0],
        }
        for name, ids in declared.items():
            if missing := [id for id in ids if not self.by[name][id]]:
                what = f"no row has {'this' if len(missing) == 1 else 'these'} {_several(name, len(missing))}: {listed(missing)}"
                yield flag("coverage", "yellow", what, details=missing)
        shares = {str(cell): share for cell, share in cells(space).items()}
        got = {cell: self.by["cell"][cell] / max(1, self.rows) for cell in shares}
        if off := [cell for cell, share in shares.items() if abs(got[cell] - share) > OFF]:
            details = [f"{cell} has {got[cell]:.0%} of the rows, and {shares[cell]:.0%} were planned" for cell in off]
            what = f"further than {100 * OFF:.0f} points from their planned share of the rows: {listed(off)}"
            yield flag("coverage", "yellow", what, details=details)


def _several(noun: str, count: int) -> str:
    if count == 1:
        return noun
    return f"{noun[:-1]}ies" if noun.endswith("y") else "people" if noun == "person" else f"{noun}s"


def failures_never_tried(rubric: Rubric, knowledge: Knowledge, verdicts: Iterable[VerdictRow], rows: set[str]) -> Iterator[Flag]:
    """Failure modes of which no row gave the occasion: every question that catches them was N/A. rows: ids of scenarios."""
    applied: Counter[str] = Counter()
    for verdict in verdicts:
        if verdict.scenario in rows:
            applied.update(id for id, answer in verdict.answers.items() if answer in ("yes", "no"))
    catching = {mode.id: [one.id for one in rubric.questions if mode.id in one.catches] for mode in knowledge.failure_modes}
    if never := [id for id, questions in catching.items() if questions and not any(applied[one] for one in questions)]:
        what = f"no row gives the occasion for {listed(never)}: the questions that catch them never applied"
        yield flag("coverage", "yellow", what, details=never)
