"""labels.jsonl of a run: what people and models said of its conversations. Append-only, committed with the project.

Writing needs no lock of the project: a person may label while a run is under way, and several may at once.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import msgspec

from finetune_prep.durable import append_durably
from finetune_prep.labels.label import Label
from finetune_prep.project.layout import read_plain


class Damaged(msgspec.Struct, frozen=True):
    """A line of labels.jsonl that cannot be read."""

    line: int
    why: str


class Labels(msgspec.Struct, frozen=True, kw_only=True):
    """Everything in a labels.jsonl."""

    labels: tuple[Label, ...] = ()
    """In the order in which they were given."""
    damaged: tuple[Damaged, ...] = ()


def read_labels(path: Path) -> Labels:
    """All labels that can be read, and the lines that cannot: one torn line takes nobody's word away."""
    if not path.exists():
        return Labels()
    labels: list[Label] = []
    damaged: list[Damaged] = []
    for number, line in enumerate(read_plain(path).split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            labels.append(msgspec.json.decode(line, type=Label))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            damaged.append(Damaged(number, str(error)))
    return Labels(labels=tuple(labels), damaged=tuple(damaged))


def record_label(path: Path, label: Label) -> None:
    """Append a label; it is on disk when this returns.

    Raises OSError, and leaves the file as it was, if it cannot be written.
    """
    line = msgspec.json.encode(label).decode()
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)  # what one writer takes back after a full disk must not be another's line
        append_durably(path, line)
    finally:
        os.close(descriptor)
