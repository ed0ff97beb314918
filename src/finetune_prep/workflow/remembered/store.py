"""Keeping what was worked out about a state of a project, and having it again while the project is in that state.

It is kept beside the ledger, one file a subject, and may be deleted at any time. Where nothing can be written, nothing is kept.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import msgspec

from finetune_prep.durable import write_atomically
from finetune_prep.project.project import Project
from finetune_prep.workflow.remembered.state import REMEMBERED, State, now, state_of

T = TypeVar("T")


class _Kept(msgspec.Struct, frozen=True):
    state: str
    value: msgspec.Raw


def recalled(project: Project, subject: str, kind: type[T], make: Callable[[], T]) -> T:
    """What `make` gives of the project as it is now, worked out only if the project has changed since it was worked out last.

    make: looks at nothing but the project. Raises as `make`, and then nothing is kept.
    """
    folder = project.layout.private / REMEMBERED
    state = state_of(project) if project.layout.private.is_dir() else None
    if state is None:
        return make()
    path = folder / f"{subject}.json"
    try:
        return msgspec.json.decode(_read(path, state), type=kind)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        began = _began(folder)
        state = state_of(project)
        value = make()
        if state is not None and _is_certain(project, state, began):
            with contextlib.suppress(OSError):
                kept = _Kept(state.name, msgspec.Raw(msgspec.json.encode(value)))
                write_atomically(path, msgspec.json.encode(kept))
        return value


def _read(path: Path, state: State) -> msgspec.Raw:
    """What was kept. Raises FileNotFoundError if it speaks of another state."""
    kept = msgspec.json.decode(path.read_bytes(), type=_Kept)
    if kept.state != state.name:
        raise FileNotFoundError
    return kept.value


def _began(folder: Path) -> int:
    """When working it out began; 0 if nothing can be kept."""
    try:
        folder.mkdir(exist_ok=True)
        return now(folder)
    except OSError:
        return 0


def _is_certain(project: Project, state: State, began: int) -> bool:
    """Whether the value is of this state and of no other.

    Nothing has changed while it was worked out. And every file had its time before that began: whatever is changed from then on
    bears a later time. One that was changed in the same tick of the clock could change once more without a trace.
    """
    return state.newest < began and state_of(project) == state
