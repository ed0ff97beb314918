"""Writing files so that a reader, or the next run after a crash, sees the old text or the new one, never half of either."""

from __future__ import annotations

import json
import os
import stat
import tempfile
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import IO, Self

UNFINISHED = ".unfinished"  # ending of files that are being written; a killed process leaves one behind
JOURNAL = ".together.json"  # while it is there, new files of its folder are on their way into their places


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


def write_unless_there(path: Path, data: str | bytes) -> None:
    """As `write_atomically`, unless the file holds exactly that: its times stay what they were then."""
    content = data.encode() if isinstance(data, str) else data
    try:
        found = path.lstat()  # what is no file is not opened: reading might never end
        there = stat.S_ISREG(found.st_mode) and found.st_size == len(content) and path.read_bytes() == content
    except OSError:
        there = False
    if not there:
        write_atomically(path, content)


class Together:
    """New files of one folder that take the places of the old ones all together, or not at all.

    with Together(folder) as files:
        files.begin("rows.jsonl").write(…)
        files.finish("rows.jsonl")  # the path under which it can be read until then
        files.commit()

    A process that is killed before `commit` has changed nothing. From within `commit` on, the new files count: whoever holds
    the project's lock next puts those into their places that are not there yet (`settle`, which `sweep` calls).
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, tuple[Path, IO[bytes]]] = {}

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        settle(self._folder)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for temporary, file in self._files.values():
            file.close()
            if not (self._folder / JOURNAL).exists():
                temporary.unlink(missing_ok=True)

    def begin(self, name: str) -> IO[bytes]:
        """A new file to write to."""
        handle, temporary = tempfile.mkstemp(dir=self._folder, prefix=f".{name}.", suffix=UNFINISHED)
        file = os.fdopen(handle, "wb")
        self._files[name] = (Path(temporary), file)
        return file

    def finish(self, name: str) -> Path:
        """Bring a file to the disk, and say where it can be read."""
        temporary, file = self._files[name]
        if not file.closed:
            file.flush()
            os.fsync(file.fileno())
            file.close()
            temporary.chmod(_mode(self._folder / name))
        return temporary

    def put(self, name: str, data: bytes) -> None:
        """A new file, whole."""
        self.begin(name).write(data)
        self.finish(name)

    def commit(self, gone: Iterable[str] = ()) -> None:
        """Replace the old files, and remove those named in `gone`."""
        places = {self.finish(name).name: name for name in self._files}
        write_atomically(self._folder / JOURNAL, json.dumps({"places": places, "gone": sorted(gone)}))
        settle(self._folder)


def settle(folder: Path) -> None:
    """Finish what a `Together` of this folder has begun, if it got as far as counting. Nobody else may be writing here."""
    journal = folder / JOURNAL
    try:
        begun = json.loads(journal.read_bytes())
        places, gone = dict(begun["places"]), list(begun["gone"])
        if any(Path(name).name != name for name in (*places, *places.values(), *gone)):
            raise ValueError("a file of another folder")
    except FileNotFoundError:
        return
    except (ValueError, TypeError, KeyError):  # no journal of ours: that is renamed into its place whole
        journal.unlink()
        return
    for temporary, name in places.items():
        if (folder / temporary).exists():
            (folder / temporary).replace(folder / name)
    for name in gone:
        (folder / name).unlink(missing_ok=True)
    _sync_folder(folder)
    journal.unlink()
    _sync_folder(folder)


def sweep(folder: Path) -> None:
    """Finish what counts and remove what killed processes left half written, here and below. Nobody else may be writing here."""
    for journal in [*folder.rglob(JOURNAL)]:
        settle(journal.parent)
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
