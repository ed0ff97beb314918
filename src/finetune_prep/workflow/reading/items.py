"""What a code stands for: an item of a document by its id, with its text and who names it, or a gate by its name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import msgspec

from finetune_prep.core.finding import Outcome
from finetune_prep.documents.document import Document
from finetune_prep.documents.kinds import KINDS
from finetune_prep.documents.readings.items import item_texts
from finetune_prep.markdown.tree import Node, grow
from finetune_prep.method.gates import GATES
from finetune_prep.project.project import Project
from finetune_prep.workflow.checking import check_all
from finetune_prep.workflow.remembered.answers import checked

ID = re.compile(r"[A-Z]+[0-9]+(?:\.[0-9]+)*")
"""An item's id, and none of the headings without one that documents know by their words."""
_WEIGHT = re.compile(r"\s*\([^()]*\bweight\b[^()]*\)$")
_LIST_ITEM = re.compile(r"[-*+]\s")


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where an item stands."""

    path: str
    line: int
    under: str
    """The heading above it, "" if there is none."""


class FoundItem(msgspec.Struct, frozen=True, kw_only=True):
    """An item of a document, as it is written there."""

    id: str
    text: str
    """Markdown, of the first document that has it."""
    places: tuple[Place, ...]
    """Every document that has it, in the order in which they are made."""
    named_by: tuple[str, ...] = ()
    """Other items whose text names it."""


class FoundGate(msgspec.Struct, frozen=True, kw_only=True):
    """A gate, and how it stands."""

    gate: str
    sentence: str
    """What holds if it does."""
    kind: str
    """Who decides it: "computed", "judged" or "human"."""
    level: str
    """"must" or "advice"."""
    path: str
    """The document it decides about, "" if it is about none."""
    outcome: Outcome


def item_of(project: Project, id: str) -> FoundItem | None:
    """The item of this id, None if no document has it. An id may be written in small letters."""
    if not ID.fullmatch(wanted := id.upper()):
        return None
    having = [document for document in project.documents() if document.lines.get(wanted)]
    if not having:
        return None
    places, texts = zip(*(_read(document, wanted) for document in having), strict=True)
    return FoundItem(id=wanted, text=texts[0], places=places, named_by=tuple(_naming(list(project.documents()), wanted)))


def gate_of(project: Project, name: str) -> FoundGate | None:
    """The gate of this name, None if there is none."""
    gate = next((one for one in GATES if one.id == name), None)
    if gate is None:
        return None
    outcome = next(found for found in checked(project, check_all).outcomes if found.gate == name)
    path = KINDS[gate.documents[-1]].path if gate.documents else ""
    return FoundGate(gate=name, sentence=gate.sentence, kind=gate.kind, level=gate.level, path=path, outcome=outcome)


def names_of(project: Project) -> dict[str, str]:
    """What each id stands for, in its own first words, of every item of every document that can be read."""
    found: dict[str, str] = {}
    for document in project.documents():
        for id, text in item_texts(document).items():
            if ID.fullmatch(id):
                found.setdefault(id, _first_words(id, text))
    return found


def _first_words(id: str, text: str) -> str:
    """An item's name, or its first sentence, without its id, its marks and its weight."""
    first = text.splitlines()[0] if text else ""
    return _WEIGHT.sub("", re.sub(rf"^[#\s*+-]*{re.escape(id)}[.:]?[*_]*\s*", "", first)).strip("*_ ")


def _read(document: Document[object], id: str) -> tuple[Place, str]:
    lines, start = document.text.splitlines(), document.lines[id]
    sections = grow(document.text).sections
    own = next((node for node in sections if node.line == start), None)
    above = [node for node in sections if node.line < start and (own is None or node.level < own.level)]
    end = _end(document, sections, start, is_heading=own is not None)
    text = "\n".join(lines[start - 1 : end - 1]).strip()
    return Place(path=document.path, line=start, under=above[-1].text if above else ""), text


def _end(document: Document[object], sections: Sequence[Node], start: int, *, is_heading: bool) -> int:
    """The line after an item's last one: what stands below a heading belongs to it, a list item ends with the next one."""
    lines = document.text.splitlines()
    ends = [node.line for node in sections if node.line > start]
    if not is_heading:
        ends += [number for number, line in enumerate(lines, start=1) if number > start and _LIST_ITEM.match(line)]
    return min(ends, default=len(lines) + 1)


def _naming(documents: Sequence[Document[object]], id: str) -> Iterator[str]:
    word = re.compile(rf"(?<![\w.]){re.escape(id)}(?!\w|\.\d)")
    named = [other for document in documents for other, text in item_texts(document).items() if word.search(text)]
    yield from (other for other in dict.fromkeys(named) if other != id and ID.fullmatch(other))
