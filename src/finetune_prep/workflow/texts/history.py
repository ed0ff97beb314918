"""Texts that a document had: what is kept of them, and putting one back."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from finetune_prep import documents
from finetune_prep.documents.kinds import KINDS
from finetune_prep.documents.readings.readings import text_hash
from finetune_prep.durable import write_atomically
from finetune_prep.errors import UsageError
from finetune_prep.project.project import Project
from finetune_prep.project.stamps import read_stamp, write_stamp

SHOWN = 12  # characters of a hash in lists


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A text in the history."""

    hash: str
    at: str
    """ISO time at which it was put there, UTC."""
    accepted: str = ""
    """Who accepted exactly this text and when."""
    written: bool = False
    """Whether the program wrote it (then its stamp is kept, too)."""
    present: bool = False
    """Whether the document has this text now."""


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """A text that was put back."""

    kind: str
    hash: str
    before: str
    """Hash of the text that was replaced, "" if there was none."""
    traced: bool
    """Whether it is known what the text was made from."""
    accepted: str
    """Who accepted this text before, "" for nobody."""
    problems: int
    """How many findings of form it has."""


def history(project: Project, kind: str) -> list[Kept]:
    """All kept texts of a document, the latest first."""
    folder = project.layout.history(kind, "").parent
    files = sorted(folder.glob("*.md"), key=lambda path: (-path.stat().st_mtime_ns, path.name))
    present = _present(project, kind)
    return [
        Kept(
            hash=path.stem,
            at=datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat(timespec="seconds"),
            accepted=_accepted(project, kind, path.stem),
            written=project.layout.history_stamp(kind, path.stem).exists(),
            present=path.stem == present,
        )
        for path in files
    ]


def lost(project: Project, kind: str) -> Kept | None:
    """The text that was accepted last, where the document has gone since and that text is still kept."""
    if project.layout.document(kind).is_file():
        return None
    accepted = [decision.text for decision in project.decisions() if decision.decision == "accept" and decision.document == kind]
    return next((kept for kept in history(project, kind) if accepted and kept.hash == accepted[-1]), None)


def how_to_restore(kept: Kept, kind: str) -> str:
    """The command that brings a lost text back."""
    return f"finetune-prep restore {kind} {kept.hash[:SHOWN]}"


def restore(project: Project, kind: str, beginning: str) -> Restored:
    """Put the kept text whose hash begins like this back; the present one goes to the history first.

    Its stamp comes back with it. A text without one counts as written by hand. Raises UsageError unless one text fits.
    """
    found = _one(project, kind, beginning)
    path = project.layout.document(kind)
    before = project.keep(kind)
    kept_stamp = read_stamp(project.layout.history_stamp(kind, found.hash))
    if kept_stamp is not None:
        write_stamp(project.layout.stamp(kind), kept_stamp)
    else:
        project.layout.stamp(kind).unlink(missing_ok=True)
    data = project.layout.history(kind, found.hash).read_bytes()
    write_atomically(path, data)
    if project.acceptance(kind) is not None:
        project.publish(kind)
    text, unread = documents.read_bytes(data, KINDS[kind].path)
    problems = len(unread) or len(documents.parse(kind, text, KINDS[kind].path).findings)
    return Restored(
        kind=kind,
        hash=found.hash,
        before=before if before != found.hash else "",
        traced=kept_stamp is not None,
        accepted=found.accepted,
        problems=problems,
    )


def _one(project: Project, kind: str, beginning: str) -> Kept:
    fitting = [kept for kept in history(project, kind) if kept.hash.startswith(beginning.lower())]
    if len(fitting) == 1:
        return fitting[0]
    what = "several kept texts begin" if fitting else "no kept text begins"
    raise UsageError(f"{what} with “{beginning}”", where=KINDS[kind].path, next=f"finetune-prep history {kind}")


def _present(project: Project, kind: str) -> str:
    path = project.layout.document(kind)
    if not path.is_file():
        return ""
    text, unread = documents.read_bytes(path.read_bytes(), KINDS[kind].path)
    return "" if unread else text_hash(text)


def _accepted(project: Project, kind: str, hash: str) -> str:
    accepted = [d for d in project.decisions() if d.decision == "accept" and d.document == kind and d.text == hash]
    return f"{accepted[-1].by} on {accepted[-1].at[:10]}" if accepted else ""
