"""Texts that a document had: what is kept of them, and putting one back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from finetune_prep import documents
from finetune_prep.documents.kinds import KINDS
from finetune_prep.documents.readings.readings import items_of, text_hash
from finetune_prep.durable import write_atomically
from finetune_prep.errors import UsageError
from finetune_prep.project.project import Project
from finetune_prep.project.staleness import Change, compare, listed
from finetune_prep.project.stamps import Items, read_stamp, write_stamp

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
    compared: str = ""
    """How its items differ from those of the present text, in words; "" if there is none to compare, or nobody has asked."""


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
    compared: str
    """How its items differ from those of the text that it replaced, in words; "" if there was none to compare."""


def history(project: Project, kind: str) -> list[Kept]:
    """All kept texts of a document, the latest first."""
    folder = project.layout.history(kind, "").parent
    order = _order(project, kind)
    files = sorted(folder.glob("*.md"), key=lambda path: (-order.get(path.stem, -1), -path.stat().st_mtime_ns, path.name))
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


def compared(project: Project, kind: str, kept: Sequence[Kept]) -> list[Kept]:
    """The same, each compared with the present text."""
    now = _items(kind, project.layout.document(kind))
    texts = [(text, _items(kind, project.layout.history(kind, text.hash))) for text in kept]
    return [
        msgspec.structs.replace(text, compared=_difference(compare(kind, now, then)) if now and then else "")
        for text, then in texts
    ]


def _difference(change: Change | None) -> str:
    """A change in words: "without DO1, DO2 and 20 more, with other words in FA8"."""
    if change is None:
        return "the same items"
    parts = (("without", change.removed), ("with", change.added), ("with other words in", change.changed))
    return ", ".join(f"{word} {listed(items)}" for word, items in parts if items)


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
    before, found = project.keep(kind), compared(project, kind, [found])[0]
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
        compared=found.compared,
    )


def _order(project: Project, kind: str) -> dict[str, int]:
    """The place of each kept text, as far as it was written down; those of earlier versions come before all others."""
    path = project.layout.history_order(kind)
    lines = path.read_text("utf-8", "replace").splitlines() if path.is_file() else []
    return {hash: place for place, hash in enumerate(lines)}


def _items(kind: str, path: Path) -> Items:
    """The items of the text in this file, none if there is no file or no text in it."""
    text, unread = documents.read_bytes(path.read_bytes(), KINDS[kind].path) if path.is_file() else ("", ())
    return {} if unread or not text else items_of(kind, text)


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
