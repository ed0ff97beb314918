"""What a judged gate asks: requests as data, and how findings are read from the answers. Nothing is asked here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

import msgspec

from finetune_prep.core.finding import Finding
from finetune_prep.core.request import Request
from finetune_prep.documents.document import Document
from finetune_prep.documents.kinds import Documents, Kind
from finetune_prep.gates.premises import Unchecked, need
from finetune_prep.method.gates import GATES, Gate

T = TypeVar("T")
LONGEST = 300  # characters of a judge's words within a finding
BY_ID: dict[str, Gate] = {gate.id: gate for gate in GATES if gate.kind == "judged"}


class Asked(msgspec.Struct, frozen=True):
    """One request."""

    request: Request
    read: Callable[[str], tuple[Finding, ...]]
    """Gives the findings that an answer amounts to, none if all is well; raises ValueError for an unusable answer."""


class GateRequests(msgspec.Struct, frozen=True, kw_only=True):
    """All requests of one gate."""

    gate: Gate
    asked: tuple[Asked, ...] = ()
    impossible: str = ""
    """Why it cannot be put to a judge, "" if it can."""
    lacks: str = ""
    """The kind of document that does not exist yet, if that is why."""


class Sound(NamedTuple, Generic[T]):
    """A document without problems of form, and its value."""

    document: Document[T]
    value: T


def sound(documents: Documents, kind: Kind[T]) -> Sound[T]:
    """A document that a judge may be asked about. Raises Unchecked unless it reads well: half a text is not judged."""
    document, value = need(documents, kind)
    if document.findings:
        raise Unchecked(f"{kind.path} cannot be read in full; fix what `finetune-prep check {kind.name}` says about it first")
    return Sound(document, value)


def quoted(text: str) -> str:
    """A judge's words within a sentence: on one line, and not endless."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1].rstrip()}…"
