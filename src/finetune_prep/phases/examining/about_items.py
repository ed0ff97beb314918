"""Gates for which a judge reads items of a document and answers one question about each: evidence, YES or NO, what to fix.

The prompt of a gate is the Markdown file of the same name in this folder. A request holds the items and nothing else of the
document, so an answer stays good while other parts change. If some items change, only these are asked about again (`opinions`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from finetune_prep.core.finding import Finding
from finetune_prep.core.request import Origin, Request
from finetune_prep.core.rubric import Question, Rubric
from finetune_prep.documents.document import Document
from finetune_prep.documents.kinds import KINDS, Documents
from finetune_prep.gates.premises import Unchecked
from finetune_prep.method.gates import Gate
from finetune_prep.phases.examining.gate_requests import Asked, Sound, quoted, sound
from finetune_prep.phases.examining.opinions import Item, Opinion, Opinions, Reading, opinion_schema, read_opinions
from finetune_prep.phases.examining.reference import REFERENCE
from finetune_prep.phases.examining.talks import TALKS
from finetune_prep.phases.requests import Requests

OF_DOCUMENTS = {**TALKS, **REFERENCE}  # what is read of one document or several, by gate


def ask_about(requests: Requests, documents: Documents, gate: Gate, opinions: Opinions) -> tuple[Asked, ...]:
    """The requests of a gate. opinions: what is known already, which is not asked again.

    Raises Unchecked if there is nothing to ask about.
    """
    read: Sound[Any] = sound(documents, KINDS[gate.documents[-1]])
    domain = sound(documents, Documents.brief).value.title
    asking = _Asking(requests, domain, gate, read.document, opinions)
    readings = OF_DOCUMENTS[gate.id](documents) if gate.id in OF_DOCUMENTS else READERS[gate.id](read)
    asked = tuple(asking.about(reading) for reading in readings if reading.items)
    if not asked:
        raise Unchecked(f"{read.document.path} holds nothing that this question could be asked about")
    return asked


class _Asking(NamedTuple):
    """Everything by which the items of one gate are asked about."""

    requests: Requests
    domain: str
    gate: Gate
    document: Document[Any]
    opinions: Opinions

    def about(self, reading: Reading) -> Asked:
        """The request about those items that nobody has an opinion on, all of them if that is none or everything changed."""
        whole = self.request(reading, reading.items)
        known = self.opinions.about(whole)
        items = tuple(item for item in reading.items if item.id not in known)
        kept = {id: given.opinion for id, given in known.items()}

        def conclude(opinions: Mapping[str, Opinion]) -> tuple[Finding, ...]:
            return _every_yes(self.document, reading.items, {**kept, **opinions})

        if not items:  # the last that was asked stands for all
            return Asked(known[reading.items[-1].id].request, lambda text: conclude({}))
        ids = [item.id for item in items]
        request = self.request(reading, items) if kept else whole
        return Asked(request, lambda text: conclude(read_opinions(text, ids)))

    def request(self, reading: Reading, items: Sequence[Item]) -> Request:
        slots = {
            "domain": self.domain,
            "items": [{"id": item.id, "text": item.text} for item in items],
            "boundary": self.requests.boundary("\n".join([*reading.more.values(), *(item.text for item in items)])),
            **reading.more,
        }
        return self.requests.request(
            self.gate.id,
            slots,
            phase=self.gate.phase,
            origin=Origin(self.gate.id, reading.about),
            schema=opinion_schema(self.gate.id, [item.id for item in items]),
        )


def _every_yes(document: Document[Any], items: Sequence[Item], opinions: Mapping[str, Opinion]) -> tuple[Finding, ...]:
    return tuple(
        document.finding(
            f"a judge answers no about {item.id}: {quoted(opinions[item.id].evidence)}", quoted(opinions[item.id].fix), item.at
        )
        for item in items
        if opinions[item.id].answer == "NO"
    )


# ---- what is read for which gate


def _questions(about: Sound[Rubric]) -> Iterator[Reading]:
    """One request for all, with the terms that they may use."""
    rubric = about.value
    items = tuple(Item(question.id, question_text(question), question.id) for question in rubric.judged)
    yield Reading("", items, {"terms": terms_text(rubric)})


def question_text(question: Question) -> str:
    """A question with what counts as each answer, without its rulings."""
    lines = [f"{question.id}. {question.text}", f"Yes: {question.yes}", f"No: {question.no}"]
    return "\n".join([*lines, f"N/A: {question.na}"] if question.na else lines)


def terms_text(rubric: Rubric) -> str:
    return "\n".join(f"- {term.name}: {term.meaning}" for term in rubric.terms) or "(none are defined)"


READERS: dict[str, Callable[[Sound[Any]], Iterator[Reading]]] = {
    "rubric.one-thing": _questions,
}
