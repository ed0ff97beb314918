"""Writing files so that a reader, or the next run after a crash, sees the old text or the new one, never half of either."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterable
from pathlib import Path

UNFINISHED = ".unfinished"  # ending of files that are being written; a killed process leaves one behind


def write_atomically(path: Path, data: str | bytes | Iterable[bytes]) -> None:
    """Write to a temporary file beside the target, sync, rename over it, sync the folder. Parent folders are created.

    data: the content, or its parts. If anything fails, the old file stays and the temporary one is removed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    parts = [data.encode()] if isinstance(data, str) else [data] if isinstance(data, bytes) else data
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=UNFINISHED)
    try:
        with os.fdopen(handle, "wb") as file:
            for part in parts:
                file.write(part)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(_mode(path))
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def sweep(folder: Path) -> None:
    """Remove what killed processes left half written, here and below. Nobody else may be writing here."""
    for path in folder.rglob(f".*{UNFINISHED}"):
        path.unlink(missing_ok=True)


def append_durably(path: Path, line: str) -> None:
    """Append one line and sync it. A torn last line left by a crash is ended first, so that it harms no later one.

    If the disk is full, the file is left as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    content = line.encode() + b"\n"
    is_new = not path.exists()
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        size = os.fstat(descriptor).st_size
        if size and os.pread(descriptor, 1, size - 1) != b"\n":
            content = b"\n" + content
        try:
            while content:
                content = content[os.write(descriptor, content) :]
            os.fsync(descriptor)
        except OSError:
            os.ftruncate(descriptor, size)
            raise
    finally:
        os.close(descriptor)
    if is_new:
        _sync_folder(path.parent)


def _mode(path: Path) -> int:
    """The mode of the file that is replaced; readable for others if it is new, where mkstemp's 0600 would hide it."""
    return stat.S_IMODE(path.stat().st_mode) if path.exists() else 0o644


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
