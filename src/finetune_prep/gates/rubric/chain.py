"""Gates of the chain that a rubric closes: from failure mode and anchor to the question, from topic to questions that apply."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from finetune_prep.core.finding import Finding
from finetune_prep.core.knowledge import RISK, Anchor, Knowledge
from finetune_prep.core.rubric import ALWAYS, Question, Rubric
from finetune_prep.documents.document import Document
from finetune_prep.documents.kinds import Documents
from finetune_prep.gates.premises import need
from finetune_prep.markdown.inline import prefix
from finetune_prep.method import limits


def anchors_asked(documents: Documents) -> Iterable[Finding]:
    """Every anchor is asked by a question or set aside with a reason, and questions check only anchors that exist."""
    document, rubric = need(documents, Documents.rubric)
    _, knowledge = need(documents, Documents.knowledge)
    anchors = {anchor.id: anchor for anchor in knowledge.anchors}
    asked = {anchor for question in rubric.questions for anchor in question.checks}
    left = {anchor.id for anchor in rubric.not_asked}
    for anchor in knowledge.anchors:
        if anchor.id not in asked | left:
            yield document.finding(
                f"no question checks {anchor.id} “{anchor.text}”",
                f"add {anchor.id} to the Checks of the question that a reply breaking it fails, write that question, or give the "
                f"reason under “## Not asked”: - {anchor.id}: …",
            )
    for question in rubric.questions:
        yield from _checks(document, question, anchors)
    yield from _set_aside(document, rubric, knowledge, asked)


def _checks(document: Document[Rubric], question: Question, anchors: dict[str, Anchor]) -> Iterator[Finding]:
    for anchor in question.checks:
        if anchor not in anchors:
            yield document.finding(
                f"{question.id} checks {anchor}, which domain-frameworks.md does not have", "name anchors that exist", question.id
            )
    if len(question.checks) > limits.CHECKED:
        yield document.finding(
            f"{question.id} checks {len(question.checks)} anchors ({', '.join(question.checks)})",
            f"keep {limits.CHECKED} at most: a question that is about everything is about nothing",
            question.id,
        )


def _set_aside(document: Document[Rubric], rubric: Rubric, knowledge: Knowledge, asked: set[str]) -> Iterator[Finding]:
    anchors = {anchor.id: anchor for anchor in knowledge.anchors}
    critical = {mode.id for mode in knowledge.failure_modes if mode.severity == "critical"}
    for left in rubric.not_asked:
        if left.id not in anchors:
            yield document.finding(
                f"{left.id} is not asked, and domain-frameworks.md does not have it", "take the line out", left.id
            )
        elif left.id in asked:
            yield document.finding(f"{left.id} stands under “Not asked”, and a question checks it", "take the line out", left.id)
        elif grave := [mode for mode in anchors[left.id].drawn_from if mode in critical]:
            yield document.finding(
                f"{left.id} is not asked, and it guards against {', '.join(grave)}, which is critical",
                f"ask it in the gate: add {left.id} to the Checks of the question that catches {grave[0]}",
                left.id,
            )


def critical_in_gate(documents: Documents) -> Iterable[Finding]:
    """What is critical, and what the brief itself fears, is caught by a question of the gate."""
    document, rubric = need(documents, Documents.rubric)
    _, knowledge = need(documents, Documents.knowledge)
    caught = {mode for category in rubric.categories if category.gate for ask in category.questions for mode in ask.catches}
    for mode in knowledge.failure_modes:
        feared = [origin for origin in mode.drawn_from if prefix(origin) == RISK]
        if mode.id in caught or not (feared or mode.severity == "critical"):
            continue
        why = "is critical" if mode.severity == "critical" else f"is what the brief fears ({', '.join(feared)})"
        otherwise = ", or lower its severity in domain-frameworks.md" if not feared else ""
        yield document.finding(
            f"{mode.id} “{mode.name}” {why}, and no question of the gate catches it: a conversation may pass with it",
            f"ask for it in the gate, in a broader question if there are {limits.PER_GATE.most} already{otherwise}",
        )


def topics_covered(documents: Documents) -> Iterable[Finding]:
    """In every weighted category, enough questions are sure to apply to each topic. Edge and out-of-scope cases are exempt."""
    document, rubric = need(documents, Documents.rubric)
    _, space = need(documents, Documents.space)
    for category in rubric.categories:
        if category.gate:
            continue
        thin = [topic.id for topic in space.topics if _applying(category.questions, topic.id) < limits.PER_TOPIC]
        if thin:
            fewest = min(_applying(category.questions, topic) for topic in thin)
            yield document.finding(
                f"in “{category.name}”, {'one question is' if fewest == 1 else f'{fewest} questions are'} sure to apply to "
                f"{', '.join(thin)}: elsewhere N/A decides, and not what was said",
                f"make questions of it so broad that {limits.PER_TOPIC} apply to every topic; their No can name special cases",
                category.name.casefold(),
            )


def _applying(questions: Iterable[Question], topic: str) -> int:
    return sum(question.applies_to(topic) for question in questions)


def applies(documents: Documents) -> Iterable[Finding]:
    """A question says when it does not apply exactly if it does not always, and names topics that exist."""
    document, rubric = need(documents, Documents.rubric)
    _, space = need(documents, Documents.space)
    topics = {topic.id for topic in space.topics}
    for question in rubric.judged:
        always, condition = question.applies == ALWAYS, question.na.strip()
        if always and condition:
            yield document.finding(
                f"{question.id} applies always, and has an N/A: “{condition}”",
                "make it so broad that it always applies and take the N/A out, or write “- Applies: when …” with topics or a "
                "condition",
                question.id,
            )
        elif not always and not condition:
            yield document.finding(
                f"{question.id} applies to “{question.applies}”, and does not say when it is N/A",
                "add “- N/A: …”: a judge is not told where it applies",
                question.id,
            )
        for topic in re.findall(r"\bTP\d+\b", question.applies):
            if topic not in topics:
                yield document.finding(
                    f"{question.id} applies to {topic}, which scenario-space.md does not have",
                    "name topics that exist",
                    question.id,
                )
