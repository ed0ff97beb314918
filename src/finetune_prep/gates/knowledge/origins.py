"""Gates of the chain from brief, common failures and panel to the items of domain-frameworks.md: nothing given is lost."""

from __future__ import annotations

from collections.abc import Iterable

from finetune_prep.core.finding import Finding
from finetune_prep.core.knowledge import FailureMode, Framework, Knowledge, Principle, Technique
from finetune_prep.documents.document import Document
from finetune_prep.documents.kinds import Documents
from finetune_prep.gates.premises import need
from finetune_prep.method.assistant_failures import ASSISTANT_FAILURES


def _knowledge(documents: Documents) -> tuple[Document[Knowledge], Knowledge]:
    return need(documents, Documents.knowledge)


def jobs(documents: Documents) -> Iterable[Finding]:
    """The list of what is asked for says what the assistant is there for."""
    document, knowledge = _knowledge(documents)
    if not knowledge.jobs:
        yield document.finding(
            "nothing says what the assistant is for",
            'add “## Asked for” with “- JOB1: … Source: S0 "the words of the brief"”, and its limits and risks',
            "asked for",
        )


def fears_taken_up(documents: Documents) -> Iterable[Finding]:
    """Every limit and risk of the brief becomes a failure mode, or is set aside with a reason."""
    document, knowledge = _knowledge(documents)
    by_modes = {id for mode in knowledge.failure_modes for id in mode.drawn_from}
    set_aside = {item.id for item in knowledge.set_aside}
    for fear in knowledge.fears:
        if fear.id not in by_modes | set_aside:
            yield document.finding(
                f"no failure mode makes {fear.id} concrete: “{fear.text}”",
                f"add {fear.id} to the “From:” of the failure mode that breaks it, write that one, or set it aside with a reason",
                fear.id,
            )


def common_failures(documents: Documents) -> Iterable[Finding]:
    """Every failure common to assistants is taken up in a failure mode, or set aside with a reason."""
    document, knowledge = _knowledge(documents)
    by_modes = {id for mode in knowledge.failure_modes for id in mode.drawn_from}
    set_aside = {item.id for item in knowledge.set_aside}
    for failure in ASSISTANT_FAILURES:
        if failure.id not in by_modes | set_aside:
            yield document.finding(
                f"{failure.id} ({failure.name}) is neither taken up nor set aside: {failure.says}",
                f"add {failure.id} to the “From:” of a failure mode, or write under “Set aside”: - {failure.id}: why not here",
                "set aside",
            )


def panel_answered(documents: Documents) -> Iterable[Finding]:
    """Every proposal of the panel is taken up by an item, or set aside with a reason."""
    document, knowledge = _knowledge(documents)
    answered = knowledge.taken_up | {item.id for item in knowledge.set_aside}
    if lost := [id for id in knowledge.panel if id not in answered]:
        count = f"{len(knowledge.panel) - len(lost)} of {len(knowledge.panel)}"
        yield document.finding(
            f"{count} proposals of the panel are taken up or set aside; not so: {', '.join(lost)}",
            "name each in the “From:” of what it has become, or write under “Set aside” why it is left out",
            "set aside",
        )


def exist(documents: Documents) -> Iterable[Finding]:
    """Whatever is taken up or set aside exists, and nothing is both."""
    document, knowledge = _knowledge(documents)
    known = {failure.id for failure in ASSISTANT_FAILURES} | {wish.id for wish in knowledge.asked_for} | {*knowledge.panel}
    named = [(item.id, id) for item in _drawing(knowledge) for id in item.drawn_from]
    named += [("“Set aside”", item.id) for item in knowledge.set_aside]
    for place, id in named:
        if id not in known:
            yield document.finding(
                f"{place} names {id}, which is no wish of the brief, no common failure and no proposal of the panel",
                "name one that stands here, or take it out",
                place if place in document.lines else id,
            )
    for item in knowledge.set_aside:
        if item.id in knowledge.taken_up:
            yield document.finding(f"{item.id} is taken up and set aside as well", "take it out of one of both places", item.id)


def _drawing(knowledge: Knowledge) -> tuple[Framework | Technique | Principle | FailureMode, ...]:
    return (*knowledge.frameworks, *knowledge.techniques, *knowledge.principles, *knowledge.failure_modes)
