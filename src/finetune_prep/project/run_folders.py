"""What the folders of all kinds of run share: the next name, a plan written first, and a way out before anything was asked."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from finetune_prep.durable import write_atomically


def next_name(kind: str, known: Iterable[str]) -> str:
    """The name of the next run of a kind: "pilot-002" where "pilot-001" is known."""
    return f"{kind}-{1 + max((int(name.rpartition('-')[2]) for name in known), default=0):03}"


def write_plan(folder: Path, name: str, plan: Any) -> None:
    """Write the plan of a run: from here on its folder is the run of this plan."""
    write_atomically(folder / name, pretty(plan))


def forget_unbegun(folder: Path, name: str) -> None:
    """Take away the folder of a run that was refused before anything was asked; one with anything but its plan stays."""
    if [path.name for path in folder.iterdir()] == [name]:
        (folder / name).unlink()
        folder.rmdir()


def pretty(value: Any) -> bytes:
    """JSON for people to read."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"
