"""The phases of a preparation, in order: what each reads, what must be accepted before it, and what it writes."""

from __future__ import annotations

from typing import NamedTuple

from finetune_prep.method import limits
from finetune_prep.method.limits import words


class Phase(NamedTuple):
    """A phase of the preparation."""

    name: str
    title: str
    inputs: tuple[str, ...]
    """Documents that must exist."""
    accepted: tuple[str, ...]
    """Documents that a person must have accepted before this phase starts."""
    outputs: tuple[str, ...]
    """Documents it writes."""
    does: str
    """What it does, in words for whoever starts it."""


PHASES: tuple[Phase, ...] = (
    Phase(
        "research",
        "Domain knowledge",
        ("brief",),
        (),
        ("domain-frameworks", "scenario-space"),
        f"reads the sources and checks every quotation, asks {words(limits.EXPERTS)} experts independently until they start "
        "repeating themselves, writes the reference and the scenario space, and has the experts and "
        f"{words(limits.DIFFICULT_USERS)} difficult users challenge both",
    ),
    Phase(
        "anchors",
        "Behavioral anchors",
        ("domain-frameworks",),
        (),
        ("domain-frameworks",),
        "turns the reference into what every reply does and no reply does, in sentences one can see kept or broken",
    ),
    Phase(
        "rubric",
        "Binary rubric",
        ("domain-frameworks",),
        ("domain-frameworks", "scenario-space"),
        ("evaluation-rubric",),
        f"writes {limits.QUESTIONS} yes-or-no questions behind a safety gate, examples that show them at work, and conversations "
        "that tell apart questions of the same category",
    ),
    Phase(
        "evaluation-prompt",
        "Evaluation prompt",
        ("evaluation-rubric",),
        ("evaluation-rubric",),
        ("evaluation-prompt",),
        "puts the questions into the judge's prompt word for word, and tries it blind on examples with known answers",
    ),
    Phase(
        "generation-prompt",
        "Generation prompt",
        ("domain-frameworks", "scenario-space", "evaluation-rubric", "evaluation-prompt"),
        ("evaluation-rubric", "evaluation-prompt"),
        ("generation-prompt", "user-prompt", "system-prompt"),
        "writes the prompts of the assistant and of the simulated user; its few-shots have to pass the judge",
    ),
)
