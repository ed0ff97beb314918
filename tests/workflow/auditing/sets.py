"""Sets of rows of the pottery shop, in plain English that repeats nothing, on disk as a scaled run leaves them."""

from __future__ import annotations

import random
from collections.abc import Callable

import msgspec

from finetune_prep.core.conversation import Conversation, Message
from finetune_prep.core.rubric import Rubric
from finetune_prep.core.sample import Sample
from finetune_prep.core.scenarios.drawing import draw, fair_order, quotas
from finetune_prep.core.scenarios.scenario import Scenario
from finetune_prep.documents.kinds import Documents
from finetune_prep.phases.scaling.scale import Size, scale_plan
from finetune_prep.project.project import Project
from finetune_prep.project.runs import Results, Run, VerdictRow
from finetune_prep.project.scaling.result import RESULT, Scaled, scaled_run_of

OPEN = ["Well", "First", "Honestly", "Sure", "Then", "Today", "Perhaps", "Often", "Usually", "Indeed", "Still", "Here"]
WHO = ["the kiln", "our potter", "your parcel", "the courier", "a glaze", "the blue bowl", "the workshop", "this vase", "her teacup",
       "the handle", "a cracked rim", "the shipping desk", "my neighbour", "the old wheel", "an oven", "some clay", "that plate"]  # fmt: skip
DOES = ["arrives before", "cools behind", "was fired with", "needs more than", "breaks under", "looks better near", "waits for",
        "dries slowly beside", "costs less than", "travels with", "leaves after", "was painted like", "holds", "weighs less than"]  # fmt: skip
WHAT = ["Monday", "the second firing", "a wooden box", "strong sunlight", "the label inside", "warm water", "the holiday sale", "glass",
        "her receipt", "the green lid", "ordinary soap", "a month", "the market stall", "winter", "white paper", "the front door"]  # fmt: skip
Change = Callable[[list[Sample]], list[Sample]]


def sentences(dice: random.Random, count: int) -> str:
    return " ".join(
        f"{dice.choice(OPEN)} {dice.choice(WHO)} {dice.choice(DOES)} {dice.choice(WHAT)}, and {dice.choice(WHO)} {dice.choice(DOES)} {dice.choice(WHAT)}."
        for _ in range(count)
    )


def talk(scenario: Scenario, seed: int) -> Conversation:
    dice = random.Random(f"{seed} {scenario.id}")
    messages = []
    for _ in range(scenario.exchanges):
        messages += [Message("user", sentences(dice, 2)), Message("assistant", sentences(dice, dice.choice([2, 3])))]
    return Conversation(tuple(messages))


def scaled(project: Project, rows: int, seed: int = 1, change: Change = lambda found: found) -> Run:
    """A scaled run of so many accepted rows, as `change` makes them."""
    space, rubric = project.value(Documents.space), project.value(Documents.rubric)
    samples = [
        Sample(scenario=scenario, state="accepted", conversation=talk(scenario, seed), score=1.0)
        for scenario in (draw(space, *candidate, project.config.seed) for candidate in fair_order(quotas(space, rows), seed))
    ]
    run = scaled_run_of(project.layout, scale_plan(project, Size(rows=rows)))
    with Results(run) as results:
        for sample in change(samples):
            results.add(sample, verdict(sample, rubric) if sample.conversation else None)
        results.commit(**{RESULT: whole(rows)})
    return run


def whole(rows: int) -> Scaled:
    return Scaled(
        wanted=rows, accepted=rows, candidates=rows, most=4 * rows, end="reached", why="", cells=(), baseline=0.9, tested=rows,
        tested_passed=rows, expected_passed=0.9 * rows, evidence=0.1,
    )  # fmt: skip


def verdict(sample: Sample, rubric: Rubric) -> VerdictRow:
    assert sample.conversation is not None
    return VerdictRow(
        conversation_id=sample.conversation.id,
        scenario=sample.scenario.id,
        judge="larch-1",
        rubric=rubric.version,
        answers={question.id: "yes" for question in rubric.questions},
        evidence={},
    )


def saying(sample: Sample, reply: str, place: int = -1) -> Sample:
    """The sample with another last message, or another message at a place."""
    assert sample.conversation is not None
    messages = [*sample.conversation.messages]
    messages[place] = msgspec.structs.replace(messages[place], content=reply)
    return msgspec.structs.replace(sample, conversation=Conversation(tuple(messages)))


def said(sample: Sample, place: int = -1) -> str:
    assert sample.conversation is not None
    return sample.conversation.messages[place].content
