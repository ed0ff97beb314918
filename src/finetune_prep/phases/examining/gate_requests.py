"""What a judged gate asks: requests as data, and how findings are read from the answers. Nothing is asked here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from finetune_prep.core.finding import Finding
from finetune_prep.core.request import Request
from finetune_prep.documents.document import Document
from finetune_prep.documents.dossier import Dossier
from finetune_prep.method.documents import DOCUMENTS
from finetune_prep.method.gates import GATES, Gate

LONGEST = 300  # characters of a judge's words within a finding
BY_ID: dict[str, Gate] = {gate.id: gate for gate in GATES if gate.kind == "judged"}


class Impossible(Exception):
    """A gate cannot be put to a judge as the documents are; the message says why."""


class Asked(msgspec.Struct, frozen=True):
    """One request. read: the findings that an answer amounts to, none if all is well; ValueError for an unusable answer."""

    request: Request
    read: Callable[[str], tuple[Finding, ...]]


class GateRequests(msgspec.Struct, frozen=True, kw_only=True):
    """All requests of one gate. impossible: why it cannot be put to a judge, "" if it can."""

    gate: Gate
    asked: tuple[Asked, ...] = ()
    impossible: str = ""


class Sound(NamedTuple):
    """A document without problems of form, and its value."""

    document: Document[Any]
    value: Any


def sound_documents(gate: Gate, dossier: Dossier) -> dict[str, Sound]:
    """The brief and the documents that the gate looks at, by kind.

    Raises Impossible unless all are there and read well: half a text is not judged.
    """
    fields = (getattr(dossier, name) for name in dossier.__struct_fields__)
    there: dict[str, Document[Any]] = {field.kind: field for field in fields if isinstance(field, Document)}
    sound: dict[str, Sound] = {}
    for kind in ("brief", *gate.documents):
        path = DOCUMENTS[kind].path
        if kind not in there:
            raise Impossible(f"{path} does not exist yet")
        if there[kind].value is None or there[kind].findings:
            raise Impossible(f"{path} cannot be read in full; mend what `finetune-prep check {kind}` says about it first")
        sound[kind] = Sound(there[kind], there[kind].value)
    return sound


def quoted(text: str) -> str:
    """A judge's words within a sentence: on one line, and not endless."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1].rstrip()}…"
