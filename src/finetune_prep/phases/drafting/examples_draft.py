"""Conversations with expected answers: worked examples of the rubric, calibrations of the judge, few-shots of the assistant."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from finetune_prep.core.rubric import Claim, Example, Expected, Rubric, YesNo
from finetune_prep.method import limits
from finetune_prep.phases.drafting.draft import Strict, Text, Turn, counted, exactly, to_conversation

TURNS = Meta(min_length=2 * limits.EXCHANGES.fewest, max_length=2 * limits.EXCHANGES.most)
_SHOWN = limits.FEW_SHOT_EXCHANGES.taken
SHOWN_TURNS = Meta(min_length=2 * _SHOWN.fewest, max_length=2 * _SHOWN.most)


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
    conversation: Annotated[list[Turn], SHOWN_TURNS]
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
