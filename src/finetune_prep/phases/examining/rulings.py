"""Whether a judge who is not shown a rubric's rulings decides the same cases in the same way.

A request holds the questions of one category without their rulings, and the snippets of these rulings in an order that tells
nothing. Where the judge answers otherwise than a ruling, the question's own words do not decide the case, or the ruling is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from finetune_prep.core.finding import Finding
from finetune_prep.core.identity import digest
from finetune_prep.core.request import Origin, Schema
from finetune_prep.core.rubric import Category, Question, Rubric, Ruling, YesNo
from finetune_prep.documents.document import Document
from finetune_prep.documents.kinds import Documents
from finetune_prep.gates.premises import Unchecked
from finetune_prep.method.gates import Gate
from finetune_prep.phases.drafting import schemas
from finetune_prep.phases.examining.about_items import question_text, terms_text
from finetune_prep.phases.examining.gate_requests import Asked, Sound, quoted, sound
from finetune_prep.phases.requests import Requests

ANSWERS: dict[str, YesNo] = {"YES": "yes", "NO": "no", "N/A": "na"}
SPOKEN: dict[YesNo, str] = {answer: spoken for spoken, answer in ANSWERS.items()}
OTHER_WAY: dict[YesNo, YesNo] = {"yes": "no", "no": "yes"}


class Case(NamedTuple):
    """One question about one snippet."""

    key: str
    snippet: str
    ruling: Ruling
    of: Question
    """The question below which the ruling stands."""
    asked: Question
    expected: YesNo


class Said(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    evidence: str
    answer: str


def ask_rulings(requests: Requests, documents: Documents, gate: Gate) -> tuple[Asked, ...]:
    """A request for each category that has rulings. Raises Unchecked if none has."""
    about = sound(documents, Documents.rubric)
    domain = sound(documents, Documents.brief).value.title
    by_category = [(category, cases_of(about.value, category)) for category in about.value.categories]
    asked = tuple(_asked(requests, domain, gate, about, category, cases) for category, cases in by_category if cases)
    if not asked:
        raise Unchecked(f"{about.document.path} has no ruling below any question")
    return asked


def cases_of(rubric: Rubric, category: Category) -> tuple[Case, ...]:
    """What is to be answered about the rulings of a category: their own question, and those that they are unlike."""
    questions = {question.id: question for question in rubric.judged}
    ruled = [(question, ruling) for question in category.questions if question.id in questions for ruling in question.rulings]
    ordered = sorted(ruled, key=lambda pair: digest([pair[1].user, pair[1].assistant]))
    return tuple(
        case
        for number, (question, ruling) in enumerate(ordered, start=1)
        for case in _cases(f"R{number}", question, ruling, questions)
    )


def _cases(snippet: str, question: Question, ruling: Ruling, questions: dict[str, Question]) -> Iterator[Case]:
    yield Case(f"{snippet}-{question.id}", snippet, ruling, question, question, ruling.answer)
    if ruling.answer in OTHER_WAY:
        for other in ruling.unlike:
            if other in questions and other != question.id:
                expected = OTHER_WAY[ruling.answer]
                yield Case(f"{snippet}-{other}", snippet, ruling, question, questions[other], expected)


def _asked(
    requests: Requests, domain: str, gate: Gate, about: Sound[Rubric], category: Category, cases: tuple[Case, ...]
) -> Asked:
    asked = {case.asked.id: case.asked for case in cases}
    questions = [question_text(question) for question in about.value.judged if question.id in asked]
    snippets = {
        case.snippet: {"id": case.snippet, "user": case.ruling.user, "assistant": case.ruling.assistant} for case in cases
    }
    terms = terms_text(about.value)
    enclosed = [terms, *questions, *(text for snippet in snippets.values() for text in snippet.values())]
    slots = {
        "domain": domain,
        "terms": terms,
        "questions": questions,
        "snippets": [*snippets.values()],
        "keys": ", ".join(case.key for case in cases),
        "boundary": requests.boundary("\n".join(enclosed)),
    }
    origin = Origin(gate.id, category.name)
    request = requests.request(gate.id, slots, phase=gate.phase, origin=origin, schema=_schema(gate, cases))
    return Asked(request, lambda text: disagreements(about.document, cases, read_answers(text, cases)))


def _schema(gate: Gate, cases: Sequence[Case]) -> Schema:
    """JSON Schema: an object with evidence and answer for every case, in order; the evidence stands before the answer."""
    properties = {
        case.key: {
            "type": "object",
            "properties": {"evidence": {"type": "string"}, "answer": {"type": "string", "enum": _allowed(case.asked)}},
            "required": ["evidence", "answer"],
            "additionalProperties": False,
        }
        for case in cases
    }
    schema = {"type": "object", "properties": properties, "required": [*properties], "additionalProperties": False}
    return Schema(name=gate.id.replace(".", "-"), schema=schema)


def _allowed(question: Question) -> list[str]:
    return ["YES", "NO", "N/A"] if question.na.strip() else ["YES", "NO"]


def read_answers(text: str, cases: Sequence[Case]) -> dict[str, tuple[YesNo, str]]:
    """Answer and evidence by key. Raises ValueError naming everything that is not answered as asked."""
    given = schemas.read(text, dict[str, Said])
    wanted = {case.key: case for case in cases}
    problems = [f"{key} is missing" for key in wanted if key not in given]
    problems += [f"{key} was not asked about" for key in given if key not in wanted]
    answers: dict[str, tuple[YesNo, str]] = {}
    for key, case in wanted.items():
        if key not in given:
            continue
        spoken = given[key].answer.strip().upper()
        if spoken not in _allowed(case.asked):
            problems.append(f"{key} is answered “{quoted(given[key].answer)}”, not {' or '.join(_allowed(case.asked))}")
        else:
            answers[key] = ANSWERS[spoken], given[key].evidence
    if problems:
        raise ValueError(f"{'; '.join(problems)}.")
    return answers


def disagreements(
    document: Document[Rubric], cases: Sequence[Case], answers: dict[str, tuple[YesNo, str]]
) -> tuple[Finding, ...]:
    """Where the judge answers otherwise than the rulings say."""
    return tuple(
        document.finding(_what(case, *answers[case.key]), _fix(case), case.of.id)
        for case in cases
        if answers[case.key][0] != case.expected
    )


def _what(case: Case, answer: YesNo, evidence: str) -> str:
    reply = f"“{quoted(case.ruling.assistant)}”"
    rules = (
        f"a ruling of {case.of.id} says {SPOKEN[case.expected]} to {reply}"
        if case.asked is case.of
        else f"a ruling of {case.of.id} on {reply} expects {SPOKEN[case.expected]} from {case.asked.id}"
    )
    return f"{rules}; a judge who is not shown that answers {SPOKEN[answer]}, from “{quoted(evidence)}”"


def _fix(case: Case) -> str:
    if case.asked is case.of:
        return f"let Yes and No of {case.of.id} decide this case, or correct the ruling"
    return f"choose a reply that only one of the two questions fails, or take {case.asked.id} out of its Unlike"
