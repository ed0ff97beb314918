"""Gates for which a judge reads items of a document and answers one question about each: evidence, YES or NO, what to fix.

The prompt of a gate is the Markdown file of the same name in this folder. A request holds the items and nothing else of the
document, so an answer stays good while other parts change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from typing import Any, NamedTuple

import msgspec

from finetune_prep.core.finding import Finding
from finetune_prep.core.knowledge import Knowledge
from finetune_prep.core.prompts import EvaluationPrompt, GenerationPrompt
from finetune_prep.core.request import Origin, Schema
from finetune_prep.core.rubric import Category, Example, Question, Rubric
from finetune_prep.documents import body
from finetune_prep.documents.document import Document
from finetune_prep.documents.kinds import KINDS, Documents
from finetune_prep.gates.premises import Unchecked
from finetune_prep.method.gates import Gate
from finetune_prep.phases.drafting import schemas
from finetune_prep.phases.examining.gate_requests import Asked, Sound, quoted, sound
from finetune_prep.phases.session import Requests

ANSWERS = ("YES", "NO")


class Item(NamedTuple):
    """What one answer is about."""

    id: str
    """The id by which the judge answers."""
    text: str
    at: str
    """The document's own id for it, where its line is."""


class Reading(NamedTuple):
    """One request's worth of items."""

    about: str
    """Which part of the document it is about."""
    items: tuple[Item, ...]
    more: dict[str, str] = {}  # noqa: RUF012 - never changed
    """Values for further slots of the prompt."""


class Opinion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a judge says about one item."""

    evidence: str
    answer: str
    fix: str = msgspec.field(name="mend")  # as prompts and recorded answers call it
    """What to write instead, "" with a YES."""


def ask_about(requests: Requests, documents: Documents, gate: Gate) -> tuple[Asked, ...]:
    """The requests of a gate. Raises Unchecked if there is nothing to ask about."""
    read: Sound[Any] = sound(documents, KINDS[gate.documents[-1]])
    domain = sound(documents, Documents.brief).value.title
    asked = tuple(_asked(requests, domain, gate, read.document, reading) for reading in READERS[gate.id](read) if reading.items)
    if not asked:
        raise Unchecked(f"{read.document.path} holds nothing that this question could be asked about")
    return asked


def _asked(requests: Requests, domain: str, gate: Gate, document: Document[Any], reading: Reading) -> Asked:
    slots = {
        "domain": domain,
        "items": [{"id": item.id, "text": item.text} for item in reading.items],
        "boundary": requests.boundary("\n".join([*reading.more.values(), *(item.text for item in reading.items)])),
        **reading.more,
    }
    request = requests.request(
        gate.id,
        slots,
        phase=gate.phase,
        origin=Origin(gate.id, reading.about),
        schema=_schema(gate, reading.items),
    )
    conclude = _any_yes if gate.id in ONE_IS_ENOUGH else _every_yes
    return Asked(request, lambda text: conclude(document, reading.items, read_opinions(text, reading.items)))


def _schema(gate: Gate, items: Sequence[Item]) -> Schema:
    """JSON Schema: an object with an opinion for every item, in order; the evidence stands before the answer."""
    text = {"type": "string"}
    opinion = {
        "type": "object",
        "properties": {"evidence": text, "answer": {"type": "string", "enum": [*ANSWERS]}, "mend": text},
        "required": ["evidence", "answer", "mend"],
        "additionalProperties": False,
    }
    ids = [item.id for item in items]
    schema = {"type": "object", "properties": dict.fromkeys(ids, opinion), "required": ids, "additionalProperties": False}
    return Schema(name=gate.id.replace(".", "-"), schema=schema)


def read_opinions(text: str, items: Sequence[Item]) -> dict[str, Opinion]:
    """A judge's opinions by item, in upper case. Raises ValueError naming every item that is not answered as asked."""
    given = schemas.read(text, dict[str, Opinion])
    wanted = [item.id for item in items]
    problems = [f"{id} is missing" for id in wanted if id not in given]
    problems += [f"{id} was not asked about" for id in given if id not in wanted]
    opinions: dict[str, Opinion] = {}
    for id in (id for id in wanted if id in given):
        answer = given[id].answer.strip().upper()
        if answer not in ANSWERS:
            problems.append(f"{id} is answered “{quoted(given[id].answer)}”, not YES or NO")
        if not given[id].evidence.strip():
            problems.append(f"{id} has no evidence")
        if answer == "NO" and not given[id].fix.strip():
            problems.append(f"{id} is answered NO and does not say what to fix")
        opinions[id] = msgspec.structs.replace(given[id], answer=answer)
    if problems:
        raise ValueError(f"{'; '.join(problems)}.")
    return opinions


def _every_yes(document: Document[Any], items: Sequence[Item], opinions: dict[str, Opinion]) -> tuple[Finding, ...]:
    return tuple(
        document.finding(
            f"a judge answers no about {item.id}: {quoted(opinions[item.id].evidence)}", quoted(opinions[item.id].fix), item.at
        )
        for item in items
        if opinions[item.id].answer == "NO"
    )


def _any_yes(document: Document[Any], items: Sequence[Item], opinions: dict[str, Opinion]) -> tuple[Finding, ...]:
    if any(opinion.answer == "YES" for opinion in opinions.values()):
        return ()
    names = ", ".join(item.id for item in items)
    first = opinions[items[0].id]
    what = f"a judge answers no about each of {names}: {quoted(first.evidence)}"
    return (document.finding(what, quoted(first.fix), items[0].at),)


# ---- what is read for which gate

ONE_IS_ENOUGH = {"evaluation-prompt.edge-cases"}  # the question is whether there is such an item at all


def _techniques(about: Sound[Knowledge]) -> Iterator[Reading]:
    """A request for each framework."""
    knowledge = about.value
    for framework in knowledge.frameworks:
        items = (
            Item(technique.id, f"{technique.name}\nDoes: {technique.does}\nUse when: {technique.use_when}", technique.id)
            for technique in framework.techniques
        )
        yield Reading(framework.id, tuple(items))


def _failures(about: Sound[Knowledge]) -> Iterator[Reading]:
    knowledge = about.value
    items = (Item(mode.id, f"{mode.name}\nInstance: {mode.instance}", mode.id) for mode in knowledge.failure_modes)
    yield Reading("", tuple(items))


def _anchors(about: Sound[Knowledge]) -> Iterator[Reading]:
    knowledge = about.value
    items = [Item(anchor.id, f"Always: {anchor.text}", anchor.id) for anchor in knowledge.always]
    items += [Item(anchor.id, f"Never: {anchor.text}", anchor.id) for anchor in knowledge.never]
    yield Reading("", tuple(items))


def _questions(about: Sound[Rubric]) -> Iterator[Reading]:
    """A request for each category, with the terms that its questions may use."""
    rubric = about.value
    for category in rubric.categories:
        items = (Item(question.id, _question_text(question), question.id) for question in _judged(category))
        yield Reading(category.name, tuple(items), {"terms": _terms(rubric)})


def _pairs(about: Sound[Rubric]) -> Iterator[Reading]:
    """A request for each category: every two questions of it."""
    rubric = about.value
    for category in rubric.categories:
        items = (
            Item(f"{one.id}-{other.id}", f"{_question_text(one)}\n\n{_question_text(other)}", other.id)
            for one, other in combinations(_judged(category), 2)
        )
        yield Reading(category.name, tuple(items), {"terms": _terms(rubric)})


def _calibrations(about: Sound[EvaluationPrompt]) -> Iterator[Reading]:
    prompt = about.value
    items = (Item(example.id, _example_text(example), example.id) for example in prompt.calibrations)
    questions = "\n\n".join(_question_text(question) for category in prompt.categories for question in category.questions)
    yield Reading("", tuple(items), {"questions": questions})


def _whole_prompt(about: Sound[GenerationPrompt]) -> Iterator[Reading]:
    yield Reading("", (Item("PROMPT", body(about.document.text).strip(), ""),))


def _judged(category: Category) -> list[Question]:
    return [question for question in category.questions if question.measured is None]


def _question_text(question: Question) -> str:
    lines = [f"{question.id}. {question.text}", f"Yes: {question.yes}", f"No: {question.no}"]
    return "\n".join([*lines, f"N/A: {question.na}"] if question.na else lines)


def _terms(rubric: Rubric) -> str:
    return "\n".join(f"- {term.name}: {term.meaning}" for term in rubric.terms) or "(none are defined)"


def _example_text(example: Example) -> str:
    turns = [f"{message.role}: {message.content}" for message in example.conversation.messages]
    expected = [f"{given.question}: {given.answer}. {given.reason}" for given in example.answers]
    return "\n".join([example.title, "", *turns, "", *expected])


READERS: dict[str, Callable[[Sound[Any]], Iterator[Reading]]] = {
    "research.practice-not-theory": _techniques,
    "research.instances-real": _failures,
    "anchors.visible-in-text": _anchors,
    "anchors.actionable": _anchors,
    "anchors.independent": _anchors,
    "anchors.every-reply": _anchors,
    "rubric.unambiguous": _questions,
    "rubric.orthogonal": _pairs,
    "evaluation-prompt.edge-cases": _calibrations,
    "generation-prompt.usable-by-outsider": _whole_prompt,
}
