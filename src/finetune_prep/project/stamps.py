"""Stamps: machine facts about a document – which text was written, and what each part of it was made from.

One TOML file per document, committed. Parts are compared item by item, so that staleness can say "CP3 changed".
"""

from __future__ import annotations

import tomllib
from pathlib import Path

import msgspec
import tomli_w

from finetune_prep.durable import write_unless_there
from finetune_prep.errors import UsageError
from finetune_prep.project.layout import read_plain

Items = dict[str, str]  # item id → hash of its normalised text


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of a document."""

    compiled: bool
    """Code makes it anew from its inputs; otherwise a model wrote it."""
    made_from: dict[str, Items]
    """Document kind → the items it was made from."""


class Stamp(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a document was made from."""

    document: str
    text: str
    """Hash of the normalised text as written by the program."""
    items: Items
    parts: dict[str, Part]
    """Its parts by name, each with what it was made from."""

    def hashes_of(self, kind: str) -> set[str]:
        """Hashes of items of one document that stand in it: those it was made from, and its own."""
        made_from = {hash for part in self.parts.values() for hash in part.made_from.get(kind, {}).values()}
        return made_from | (set(self.items.values()) if self.document == kind else set())


def read_stamp(path: Path) -> Stamp | None:
    """The stamp at this path, None if there is none. Raises UsageError if it cannot be read."""
    if not path.exists():
        return None
    try:
        return msgspec.convert(tomllib.loads(read_plain(path).decode()), Stamp)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise UsageError(
            f"this stamp cannot be read: {error}",
            where=str(path),
            next="delete the file; the document counts as hand-written then",
        ) from error


def renamed(stamp: Stamp, names: dict[str, str]) -> Stamp:
    """The stamp with other hashes in the place of these (old → new)."""
    if not names:
        return stamp

    def new(items: Items) -> Items:
        return {item: names.get(hash, hash) for item, hash in items.items()}

    parts = {
        name: msgspec.structs.replace(part, made_from={kind: new(items) for kind, items in part.made_from.items()})
        for name, part in stamp.parts.items()
    }
    return msgspec.structs.replace(stamp, text=names.get(stamp.text, stamp.text), items=new(stamp.items), parts=parts)


def write_stamp(path: Path, stamp: Stamp) -> None:
    write_unless_there(path, tomli_w.dumps(msgspec.to_builtins(stamp)))
