"""The user's own folder, in which a yes is kept: one record a line (XDG Base Directory Specification)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import msgspec

from finetune_prep.durable import append_durably

S = TypeVar("S", bound=msgspec.Struct)


def remember(name: str, record: msgspec.Struct) -> bool:
    """Keep a record in the file of this name; False where the user has no home folder. Raises OSError."""
    path = _file(name)
    if path is None:
        return False
    append_durably(path, msgspec.json.encode(record).decode())
    return True


def remembered(name: str, kind: type[S]) -> Iterator[S]:
    """The records of a file, the oldest first. What cannot be read says yes to nothing."""
    path = _file(name)
    try:
        lines = path.read_bytes().splitlines() if path is not None else []
    except OSError:
        lines = []
    for line in lines:
        try:
            yield msgspec.json.decode(line, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue


def _file(name: str) -> Path | None:
    folder = os.environ.get("XDG_CONFIG_HOME", "")
    try:
        base = Path(folder) if Path(folder).is_absolute() else Path.home() / ".config"
    except RuntimeError:
        return None
    return base / "finetune-prep" / name
