"""What judges said about single items, by the text that they were shown: an item that has not changed keeps its opinion.

A request holds many items. If some of them change, only these are asked about again; the opinions on the others are read from
the requests in which they were given. That works for prompts that show every item as `## ID`, a blank line and its text, between
lines with a boundary. An opinion rests on what stands before the first item as well, and on nothing behind the last one: that is
the place for a context which may change without undoing what was said.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple

import msgspec

from finetune_prep.core.identity import digest
from finetune_prep.core.request import Request, Schema
from finetune_prep.ledger.protocols import Answers, Entry
from finetune_prep.models.askings import first_asking
from finetune_prep.phases.drafting import schemas
from finetune_prep.phases.examining.gate_requests import BY_ID, quoted

ANSWERS = ("YES", "NO")
_BOUNDARY = re.compile(r"^=== [0-9a-f]{16} ===$", re.MULTILINE)
_FORMS = {gate.replace(".", "-") for gate in BY_ID}


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
    fix: str
    """What to write instead, "" with a YES."""


class Given(NamedTuple):
    """An opinion that is known."""

    opinion: Opinion
    request: Request
    """The first asking of the request in whose answer it stands."""


def form_of(gate: str) -> str:
    """The name of the schema in which a gate is answered."""
    return gate.replace(".", "-")


def opinion_schema(gate: str, ids: Sequence[str]) -> Schema:
    """JSON Schema: an object with an opinion for every item, in order; the evidence stands before the answer."""
    text = {"type": "string"}
    opinion = {
        "type": "object",
        "properties": {"evidence": text, "answer": {"type": "string", "enum": [*ANSWERS]}, "fix": text},
        "required": ["evidence", "answer", "fix"],
        "additionalProperties": False,
    }
    schema = {
        "type": "object",
        "properties": dict.fromkeys(ids, opinion),
        "required": [*ids],
        "additionalProperties": False,
    }
    return Schema(name=form_of(gate), schema=schema)


def read_opinions(text: str, ids: Sequence[str]) -> dict[str, Opinion]:
    """A judge's opinions by item, in upper case. Raises ValueError naming every item that is not answered as asked."""
    given = schemas.read(text, dict[str, Opinion])
    problems = [f"{id} is missing" for id in ids if id not in given]
    problems += [f"{id} was not asked about" for id in given if id not in ids]
    opinions: dict[str, Opinion] = {}
    for id in (id for id in ids if id in given):
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


class Opinions:
    """All that judges said about items. Of two opinions on the same text the first stands."""

    def __init__(self, known: dict[str, Given] | None = None) -> None:
        self._known = known or {}

    def about(self, request: Request) -> dict[str, Given]:
        """What is known about the items of a request, whether or not it was ever asked in this form."""
        return {id: self._known[mark] for id, mark in _marks(request).items() if mark in self._known}


async def known_opinions(answers: Answers) -> Opinions:
    """What the ledger holds of them. Nothing is asked."""
    known: dict[str, Given] = {}
    async for entry in _judged(answers):
        request = first_asking(entry.request)
        marks = _marks(request)
        try:
            opinions = read_opinions(entry.reply.read(str), [*marks])
        except ValueError:
            continue
        for id, mark in marks.items():
            known.setdefault(mark, Given(opinions[id], request))
    return Opinions(known)


async def _judged(answers: Answers) -> AsyncIterator[Entry]:
    for entry in await answers.outside_runs("judge"):
        if entry.request.schema is not None and entry.request.schema.name in _FORMS:
            yield entry


def _marks(request: Request) -> dict[str, str]:
    """By the id of each item a hash of all that an opinion on it rests on; none if the items cannot be told apart."""
    if request.schema is None or len(request.messages) < 2:
        return {}
    system, user = request.messages[0].content, request.messages[1].content
    ids = [*request.schema.schema.get("properties", {})]
    starts = [_only(user, f"\n## {id}\n\n") for id in ids]
    if not ids or -1 in starts or starts != sorted(starts):
        return {}
    end = _BOUNDARY.search(user, starts[-1])
    stops = [*starts[1:], end.start() if end else len(user)]
    frame = _BOUNDARY.sub("", user[: starts[0]])
    rests_on = [request.model, msgspec.to_builtins(request.parameters), request.schema.name, system, frame]
    return {
        id: digest({"rests on": rests_on, "id": id, "text": user[start:stop].strip()})
        for id, start, stop in zip(ids, starts, stops, strict=True)
    }


def _only(text: str, part: str) -> int:
    """Where a part stands; -1 unless it stands there once."""
    return text.find(part) if text.count(part) == 1 else -1
