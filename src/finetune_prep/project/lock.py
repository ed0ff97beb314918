"""One writer per project. The kernel drops the lock with its holder, so a dead process never blocks a live one."""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from finetune_prep.durable import sweep
from finetune_prep.errors import ProjectLocked

WRITTEN = ("reference", "prompts", "skills", "runs", "dataset", "batches", ".finetune-prep")  # folders of the program's own files

_HOLDER = re.compile(r"finetune-prep (?P<command>.+) \(process (?P<process>\d+)\)")


@contextmanager
def locked(path: Path, command: str) -> Iterator[None]:
    """Hold the project's lock, and clear away what a killed holder left half written.

    Raises ProjectLocked, naming the holder, if another process has it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 200).decode(errors="replace").strip() or "another process"
            raise ProjectLocked(
                f"{holder} is working on this project", where=str(path.parent.parent), next="wait for it to end, or stop it"
            ) from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"finetune-prep {command} (process {os.getpid()})".encode())
        for folder in WRITTEN:
            sweep(path.parent.parent / folder)
        yield
    finally:
        os.close(descriptor)


def holder(path: Path) -> str:
    """The command that works on the project, as far as the lock's file and its process say; "" for none.

    The lock is not tried for: looking must not be in the way of a command that begins.
    """
    try:
        text = path.read_text("utf-8", "replace")
        found = _HOLDER.fullmatch(text)
        if found is None:
            return ""
        os.kill(int(found["process"]), 0)
    except PermissionError:  # it lives, and is another user's
        return found["command"] if found else ""
    except (OSError, OverflowError):
        return ""
    return found["command"]
