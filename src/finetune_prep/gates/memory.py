"""What computed gates said before. A gate is asked anew only when something that it looked at is another by now.

Nobody has to list what a gate looks at: it is given documents that note which of them it takes. A gate that finds each of these
as it was would go the same way again and say the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from typing import Any, TypeVar

import msgspec

from finetune_prep.core.finding import Finding
from finetune_prep.core.identity import digest, digest_bytes
from finetune_prep.documents.document import Document
from finetune_prep.documents.kinds import KINDS, Documents, Kind
from finetune_prep.gates.premises import Unchecked

T = TypeVar("T")
COPIES = "copies of sources"  # what may be looked at beside the kinds of documents


class Undecided(msgspec.Struct, frozen=True):
    """Why a gate could not be decided: what `Unchecked` says."""

    why: str
    about: str = ""
    lacks: str = ""
    reader: bool = False


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What a gate said, and of what."""

    looked_at: dict[str, str] = {}
    """Kind → hash of the text, "" for a document that did not exist; `COPIES` → hash of them all."""
    findings: tuple[Finding, ...] = ()
    undecided: Undecided | None = None


Memory = MutableMapping[str, Said]
"""What was said last, by gate."""


class Watched(Documents):
    """Documents that note which of them are looked at."""

    def __init__(self, documents: Documents) -> None:
        super().__init__(documents, documents.snapshots)
        self._hashes: dict[str, str] = {}
        self.looked_at: dict[str, str] = {}

    def get(self, kind: Kind[T]) -> Document[T] | None:
        self.looked_at[kind.name] = self._hash(kind.name)
        return super().get(kind)

    def __iter__(self) -> Iterator[Document[Any]]:
        self.looked_at |= {name: self._hash(name) for name in KINDS}
        return super().__iter__()

    @property
    def snapshots(self) -> Mapping[str, str]:
        self.looked_at[COPIES] = self._hash(COPIES)
        return self._snapshots

    def are_as(self, looked_at: Mapping[str, str]) -> bool:
        """Whether everything that was looked at is what it was."""
        return all(self._hash(name) == before for name, before in looked_at.items())

    def _hash(self, name: str) -> str:
        if name not in self._hashes:
            self._hashes[name] = digest(sorted(self._snapshots.items())) if name == COPIES else self._hash_of_text(name)
        return self._hashes[name]

    def _hash_of_text(self, kind: str) -> str:
        document = self._by_kind.get(kind)
        return digest_bytes(document.text.encode(errors="surrogatepass")) if document is not None else ""


def ask(gate: Callable[[Any], Iterable[Finding]], subject: Any) -> Said:
    """What a gate says of documents or facts; of documents that are watched, also what it looked at to say it."""
    if isinstance(subject, Watched):
        subject.looked_at = {}
    findings: list[Finding] = []
    undecided = None
    try:
        for finding in gate(subject):
            findings.append(finding)  # one by one: what was found before a gate gives up still counts
    except Unchecked as reason:
        undecided = Undecided(str(reason), reason.about, reason.lacks, reason.reader)
    looked_at = subject.looked_at if isinstance(subject, Watched) else {}
    return Said(looked_at=looked_at, findings=tuple(findings), undecided=undecided)


def ask_or_remember(id: str, gate: Callable[[Any], Iterable[Finding]], watched: Watched, memory: Memory) -> Said:
    """What the memory holds of a gate if it was said of the same texts, else what the gate says, which goes into the memory."""
    said = memory.get(id)
    if said is None or not watched.are_as(said.looked_at):
        said = memory[id] = ask(gate, watched)
    return said
