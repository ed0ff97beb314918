"""What a phase of the preparation ended with: nothing else says so, since it leaves no document behind."""

from __future__ import annotations

from pathlib import Path

import msgspec

from finetune_prep.durable import write_atomically
from finetune_prep.models.askings import SHOWN
from finetune_prep.project.project import Project


class Stopped(msgspec.Struct, frozen=True, kw_only=True):
    """A phase whose answers cannot be used. It is over when the phase comes to its end."""

    phase: str
    keys: tuple[str, ...]
    """Of the requests, first attempts."""
    came: str = ""
    """Of the attempt that `why` speaks of."""
    why: str
    rejected: bool = False
    """Whether the provider refused the request itself."""


def write_stopped(path: Path, stopped: Stopped) -> None:
    write_atomically(path, msgspec.json.encode(stopped) + b"\n")


def read_stopped(path: Path) -> Stopped | None:
    """None where no phase ended so, or the file cannot be read: running the phase again writes it anew, and asks nothing."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Stopped)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None


def why_stopped(project: Project, phase: str) -> str:
    """Why this phase stopped, and how to see what came; "" if it did not stop by answers that cannot be used."""
    stopped = read_stopped(project.layout.stopped)
    if stopped is None or stopped.phase != phase:
        return ""
    key = stopped.came or next(iter(stopped.keys), "")
    return f"{stopped.why.rstrip('.')} (what came: finetune-prep show {key[:SHOWN]})"
