"""Conversations with expected answers: worked examples of the rubric, calibrations of the judge, few-shots of the assistant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

import msgspec
from msgspec import Meta

from finetune_prep.core.rubric import Category, Claim, Example, Expected, Rubric, YesNo
from finetune_prep.method import limits
from finetune_prep.phases.drafting.draft import Strict, Text, Turn, counted, exactly, to_conversation

TURNS = Meta(min_length=2 * limits.EXCHANGES.fewest, max_length=2 * limits.EXCHANGES.most)


class ExpectedDraft(Strict, frozen=True):
    question: Text
    answer: YesNo
    reason: Text


class ExampleDraft(Strict, frozen=True):
    title: Text
    conversation: Annotated[list[Turn], TURNS]
    answers: list[ExpectedDraft]


class ClaimedDraft(ExampleDraft, frozen=True):
    claim: Literal["strong", "mediocre", "violation"]


class ExamplesDraft(Strict, frozen=True):
    ITEMS: ClassVar = {"examples": "E{0}"}

    examples: Annotated[list[ClaimedDraft], exactly(limits.EXAMPLES)]


def to_example(draft: ExampleDraft, rubric: Rubric, id: str, claim: Claim) -> Example:
    """A conversation with its answers in the rubric's order; those to questions that no judge is asked stand last."""
    places = {question.id: place for place, question in enumerate(rubric.judged)}
    answers = sorted(draft.answers, key=lambda answer: places.get(answer.question, len(places)))
    return Example(
        id=id,
        claim=claim,
        title=draft.title,
        conversation=to_conversation(draft.conversation, f"“{draft.title}”"),
        answers=tuple(Expected(answer.question, answer.answer, answer.reason) for answer in answers),
    )


def to_examples(draft: ExamplesDraft, rubric: Rubric) -> tuple[Example, ...]:
    return tuple(to_example(example, rubric, f"E{n}", example.claim) for n, example in enumerate(draft.examples, start=1))


class WitnessDraft(ExampleDraft, frozen=True):
    """A conversation with an answer to each question of one category."""


class WitnessesDraft(Strict, frozen=True):
    ITEMS: ClassVar = {"witnesses": "W{0}"}

    witnesses: Annotated[list[WitnessDraft], Meta(max_length=limits.WITNESSES)]


def to_witnesses(draft: WitnessesDraft, category: Category, pairs: Sequence[tuple[str, str]]) -> tuple[Example, ...]:
    """pairs: of questions that nothing tells apart yet. Each witness is titled after the first of them that it tells apart.

    Raises ValueError for one that tells none apart: it would have no title.
    """
    alone = Rubric(title="", threshold=0.7, categories=(category,))
    left = list(pairs)
    witnesses = []
    for number, found in enumerate(draft.witnesses, start=1):
        example = to_example(found, alone, f"W{number}", "witness")
        given = {expected.question: expected.answer for expected in example.answers}
        told = [pair for pair in left if {given.get(pair[0]), given.get(pair[1])} == {"yes", "no"}]
        if not told:
            raise ValueError(
                f"“{found.title}” tells no pair apart that is still open: {_pairs(left)}. Change it or leave it out."
            )
        left = [pair for pair in left if pair not in told]
        passed, failed = sorted(told[0], key=lambda question: given[question] == "no")
        witnesses.append(msgspec.structs.replace(example, title=f"{passed} without {failed}. {found.title}"))
    return tuple(witnesses)


def _pairs(pairs: Sequence[tuple[str, str]]) -> str:
    return ", ".join("/".join(pair) for pair in pairs) or "none is open"


class JudgeDraft(Strict, frozen=True):
    ITEMS: ClassVar = {"calibrations": "C{0}"}

    role: Text
    calibrations: Annotated[list[ExampleDraft], counted(limits.CALIBRATIONS)]


def to_calibrations(draft: JudgeDraft, rubric: Rubric) -> tuple[Example, ...]:
    return tuple(to_example(example, rubric, f"C{n}", "calibration") for n, example in enumerate(draft.calibrations, start=1))


class FewShotDraft(Strict, frozen=True):
    title: Text
    techniques: Annotated[list[str], Meta(min_length=1, max_length=4)]
    tone: Text
    conversation: Annotated[list[Turn], TURNS]
    why: Text


class FewShotsDraft(Strict, frozen=True):
    ITEMS: ClassVar = {"few_shots": "X{0}"}

    few_shots: Annotated[list[FewShotDraft], counted(limits.FEW_SHOTS)]


def to_few_shots(draft: FewShotsDraft) -> tuple[Example, ...]:
    return tuple(
        Example(
            id=f"X{number}",
            claim="few-shot",
            title=shot.title,
            conversation=to_conversation(shot.conversation, f"“{shot.title}”"),
            techniques=tuple(dict.fromkeys(shot.techniques)),
            tone=shot.tone,
            why=shot.why,
        )
        for number, shot in enumerate(draft.few_shots, start=1)
    )
