"""A project: its folder, its configuration, its documents as they are now, and what people decided about them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import msgspec

from finetune_prep import documents
from finetune_prep.core.finding import Finding
from finetune_prep.core.identity import digest_bytes
from finetune_prep.core.request import RoleName
from finetune_prep.core.sample import Way
from finetune_prep.documents.document import Document
from finetune_prep.documents.kinds import KINDS, Documents, Kind
from finetune_prep.documents.readings.readings import decoded, former_hashes, items_of, parsed, text_hash
from finetune_prep.durable import append_durably, write_atomically, write_unless_there
from finetune_prep.errors import ActNeeded, DocumentError, FinetunePrepError, NotAProject, UsageError
from finetune_prep.markdown.normal import normal
from finetune_prep.project import config as configuration
from finetune_prep.project.beginning.skill import keep_up
from finetune_prep.project.config import EVALUATED, RoleSettings
from finetune_prep.project.decisions import Decision, read_decisions, record
from finetune_prep.project.layout import Layout, read_plain
from finetune_prep.project.staleness import Change, Stale, compare, stale_parts
from finetune_prep.project.stamps import Items, Part, Stamp, read_stamp, renamed, write_stamp

T = TypeVar("T")


def missing_document(kind: str, needed_by: str = "") -> FinetunePrepError:
    """The error for a document that does not exist: a phase makes it, or, for the brief, a person writes it."""
    path, maker = KINDS[kind].path, KINDS[kind].made_by
    what = f"{needed_by} needs {path}, which does not exist yet" if needed_by else f"{path} does not exist yet"
    if maker:
        return ActNeeded(what, next=f"finetune-prep {maker}")
    return DocumentError("the file does not exist", where=path, next=f"finetune-prep template {kind} > {path}, and fill it in")


DATED = "domain-frameworks"  # earlier versions took the day on which a source was read into the hashes of this one


class Project(msgspec.Struct, frozen=True):
    """An opened project. Reads are from disk each time, so a person may edit while the program runs."""

    layout: Layout
    config: configuration.Config

    @property
    def folder(self) -> Path:
        return self.layout.folder

    def conversing(self, way: Way) -> Project:
        """The same project, with conversations made another way than its settings say."""
        pilot = msgspec.structs.replace(self.config.pilot, way=way)
        return msgspec.structs.replace(self, config=msgspec.structs.replace(self.config, pilot=pilot))

    def repeating(self, share: float) -> Project:
        """The same project, with this share of a pilot's conversations judged twice."""
        pilot = msgspec.structs.replace(self.config.pilot, repeat=share)
        return msgspec.structs.replace(self, config=msgspec.structs.replace(self.config, pilot=pilot))

    def evaluating(self, models: Mapping[RoleName, RoleSettings]) -> Project:
        """The same project, with these models evaluated instead of those that its settings name, if they name any."""
        roles = {name: role for name, role in self.config.roles.items() if name not in EVALUATED} | dict(models)
        return msgspec.structs.replace(self, config=msgspec.structs.replace(self.config, roles=roles))

    # documents

    def document(self, kind: Kind[T]) -> Document[T] | None:
        """A document as it is now, with its findings; None if the file does not exist. Raises DocumentError if it is not text."""
        path = self.layout.document(kind.name)
        if not path.is_file():
            return None
        text, findings = decoded(path.read_bytes(), kind.path)
        if findings:
            raise _unreadable(kind, findings)
        return parsed(kind.name, text)

    def sound(self, kind: Kind[T]) -> Document[T]:
        """A document that exists and reads well. Raises ActNeeded if it is missing, DocumentError with every problem of form."""
        document, _ = self._read(kind)
        return document

    def value(self, kind: Kind[T]) -> T:
        """The value of a sound document."""
        _, value = self._read(kind)
        return value

    def _read(self, kind: Kind[T]) -> tuple[Document[T], T]:
        document = self.document(kind)
        if document is None:
            raise missing_document(kind.name)
        if document.value is None or document.findings:
            raise _unreadable(kind, document.findings)
        return document, document.value

    def documents(self, drafts: Mapping[str, str] = MappingProxyType({})) -> Documents:
        """All documents that exist, and the snapshots of their sources. Raises DocumentError for a file that is not text.

        drafts: texts by kind that stand in place of those on disk.
        """
        read = (parsed(name, drafts[name]) if name in drafts else self.document(kind) for name, kind in KINDS.items())
        return Documents((document for document in read if document is not None), self.snapshots())

    def snapshots(self) -> dict[str, str]:
        """Text of each cited source by id."""
        return {path.stem: _snapshot(path) for path in sorted(self.layout.snapshots.glob("S*.md"))}

    def items(self, kind: str) -> Items:
        """Hash of each item of a document as it is now; empty if there is no readable document.

        A rubric also has the items "Terms" and "Scoring" (threshold, weights), which bear no id but shape prompts and scores.
        """
        document = self.document(KINDS[kind])
        return items_of(kind, document.text) if document is not None else {}

    # writing

    def write(self, kind: str, text: str, parts: dict[str, Part]) -> None:
        """Write a document and its stamp, keeping the text that it replaces in the history.

        A new document's stamp goes first: a crash in between leaves a missing document, which is made again, and never a
        document without a stamp. For a document that exists it goes last: a crash leaves a stamp of the old inputs, so the
        document counts as stale and is written again, and never an old text that counts as fresh.
        """
        path = self.layout.document(kind)
        stamp = Stamp(kind, text_hash(text), items_of(kind, text), parts)
        if not path.exists():
            write_stamp(self.layout.stamp(kind), stamp)
            write_atomically(path, text)
            return
        self.keep(kind)
        write_atomically(path, text)
        write_stamp(self.layout.stamp(kind), stamp)

    def drifted(self, kind: str, part: str, made_from: dict[str, Items]) -> bool:
        """Whether a compiled part was made from other items than these."""
        stamp = self.stamp(kind)
        return stamp is None or stamp.parts.get(part) != Part(compiled=True, made_from=made_from)

    def recompile(self, kind: str, sections: tuple[str, ...], value: Any, part: str, made_from: dict[str, Items]) -> None:
        """Put sections of `value` into a document, leaving every other line of the file as it is.

        Raises ActNeeded if a section holds words of a person that would be lost.
        """
        document = self.sound(KINDS[kind])
        as_written, text = documents.render(kind, document.value), document.text
        rendered = documents.render(kind, value)
        for section in sections:
            if normal(documents.section(text, section)) != normal(documents.section(as_written, section)):
                raise ActNeeded(
                    f"“{section}” holds words of your own, which putting in its present items would drop",
                    where=f"{document.path}:{document.lines.get(section.lower(), 0)}",
                    next=f"move them to another section, or: finetune-prep {KINDS[kind].made_by} --overwrite",
                )
            new = documents.section(rendered, section)
            text = documents.replace_section(text, section, new, before=documents.following_section(rendered, section))
        stamp = self.stamp(kind)
        fresh = {part: Part(compiled=True, made_from=made_from)}
        self.write(kind, text, (stamp.parts if stamp else {}) | fresh)

    def stamp(self, kind: str) -> Stamp | None:
        stamp = read_stamp(self.layout.stamp(kind))
        if stamp is None or stamp.hashes_of(DATED) <= set(self.items(DATED).values()):
            return stamp
        return renamed(stamp, self._former_hashes(DATED))

    def _former_hashes(self, kind: str) -> dict[str, str]:
        document = self.document(KINDS[kind])
        return former_hashes(kind, document.text) if document is not None and document.value is not None else {}

    def stale(self) -> tuple[Stale, ...]:
        """Parts of documents that their inputs have left behind, in the order in which documents are made."""
        current = {kind: self.items(kind) for kind in KINDS}
        stamps = [stamp for kind in KINDS if current[kind] and (stamp := self.stamp(kind))]
        return tuple(part for stamp in stamps for part in stale_parts(stamp, current))

    def edited(self, kind: str) -> Change | None:
        """What a person changed in a document since the program wrote it; None if nothing, or if the program never did."""
        stamp = self.stamp(kind)
        return compare(kind, stamp.items, self.items(kind)) if stamp else None

    def keep(self, kind: str) -> str:
        """Keep the document as it is on disk, byte for byte, in the history, with its stamp if the program wrote that text.

        Returns its name there, "" if there is no document. Bytes that are no text are kept, too.
        """
        path = self.layout.document(kind)
        if not path.is_file():
            return ""
        data = path.read_bytes()
        text, unreadable = decoded(data, KINDS[kind].path)
        name = digest_bytes(data) if unreadable else text_hash(text)
        kept = self.layout.history(kind, name)
        if not kept.exists():  # first: after a crash in between, the text is kept again, and the later of both lines counts
            append_durably(self.layout.history_order(kind), name)
        write_unless_there(kept, data)
        stamp = self.stamp(kind)
        if stamp is not None and stamp.text == name:
            write_stamp(self.layout.history_stamp(kind, name), stamp)
        return name

    # decisions

    def decisions(self) -> tuple[Decision, ...]:
        return read_decisions(self.layout.decisions)

    def decide(self, decision: Decision) -> None:
        record(self.layout.decisions, decision)

    def acceptance(self, kind: str) -> Decision | None:
        """The decision that accepted the document's present text; None if nobody did."""
        path = self.layout.document(kind)
        if not path.is_file():
            return None
        text, _ = decoded(path.read_bytes(), KINDS[kind].path)
        accepted = {d.text: d for d in self.decisions() if d.decision == "accept" and d.document == kind}
        if (latest := accepted.get(text_hash(text))) is not None:
            return latest
        return next((accepted[former] for former in self._former_hashes(kind) if former in accepted), None)

    def overrides(self) -> tuple[Decision, ...]:
        """Gates that a person overrode, with the hash of what was overridden."""
        return tuple(decision for decision in self.decisions() if decision.decision == "override")

    def opened(self) -> Counter[str]:
        """How many further attempts people have opened (`retry`), by the key of a request's first attempt."""
        return Counter(key for decision in self.decisions() if decision.decision == "retry" for key in decision.keys)

    def dropped(self) -> dict[str, Decision]:
        """Conversations that a person keeps out of every export, by id; of two decisions about one, the later."""
        return {decision.text: decision for decision in self.decisions() if decision.decision == "drop"}

    def change_since_accepted(self, kind: str) -> Change | None:
        """Which items differ from the text that was accepted last; None if that text is not known or no item differs."""
        before = self.last_accepted_text(kind)
        if before is None:
            return None
        return compare(kind, items_of(kind, before), self.items(kind))

    def last_accepted_text(self, kind: str) -> str | None:
        """The text that was accepted last, if it is still in the history."""
        for decision in reversed(self.decisions()):
            if decision.decision == "accept" and decision.document == kind:
                path = self.layout.history(kind, decision.text)
                return decoded(path.read_bytes(), KINDS[kind].path)[0] if path.exists() else None
        return None

    def publish(self, kind: str) -> None:
        """Keep an accepted text: in the history, and, for the kinds that coding agents read, as the published copy."""
        text = self.layout.document(kind).read_text("utf-8")
        self.keep(kind)
        if KINDS[kind].published:
            write_unless_there(self.layout.published(kind), text)
        keep_up(self.layout)


def open_project(folder: str | Path = ".") -> Project:
    """Open the project in this folder. Raises NotAProject, ConfigError, and UsageError for a link that leads out of it and for a
    path that is no UTF-8, at which no ledger can be opened."""
    root = Path(folder).resolve()
    where = "" if str(folder) == "." else str(folder)  # whoever names no folder is in it
    if not root.is_dir():
        raise NotAProject("there is no such folder", where=str(folder), next=f"finetune-prep new {folder}")
    try:
        str(root).encode()
    except UnicodeEncodeError:
        fix = "rename the folder, or the one that it lies in, and run the same command again"
        raise UsageError("the name of this folder is not UTF-8", where=where, next=fix) from None
    layout = Layout(root)
    if not layout.config.is_file():
        raise NotAProject(
            f"this folder is not a project (no {layout.config.name} found)",
            where=where,
            next="finetune-prep new my-domain, or give the project folder with --project DIR",
        )
    if (astray := layout.leading_outside()) is not None:
        raise UsageError(
            f"{layout.relative(astray)} is a link that leads out of the project: nothing is read or written through it",
            where=where,
            next=f"put a folder or file in its place: rm {layout.relative(astray)}, and copy there what belongs there",
        )
    return Project(layout, configuration.load(layout.config))


def _snapshot(path: Path) -> str:
    """Text of a stored copy of a source. Raises DocumentError if it is no text any more: quotations are looked up in it."""
    try:
        return read_plain(path).decode()
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise DocumentError(
            "this copy of a source is not UTF-8 text",
            where=f"reference/sources/{path.name}:{line}",
            next="restore it from version control; or delete it, and take it again: finetune-prep research",
        ) from error


def _unreadable(kind: Kind[Any], findings: Sequence[Finding]) -> DocumentError:
    count = f"{len(findings)} problem{'s' if len(findings) != 1 else ''}"
    return DocumentError(
        f"{count} to fix before this document can be used",
        where=kind.path,
        details=tuple(f"  {finding}" for finding in findings),
        next=f"fix the lines above, then: finetune-prep check {kind.name}",
    )
