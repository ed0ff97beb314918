"""What tells one state of a project from the next: all its files, its settings, and the program that looks at them.

Files are told apart as `make` and git do it, without reading them: by inode, size and times. The time of the last change of an
inode is set by the kernel alone, so a file that was put back, copied over or given an old date is another one here.
"""

from __future__ import annotations

import hashlib
import os
import stat
import sys
import tempfile
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path

import msgspec

import finetune_prep
from finetune_prep.project.layout import OWN_FILES, OWN_FOLDERS
from finetune_prep.project.project import Project

REMEMBERED = "remembered"  # the folder of what is kept, beside the ledger
# in the folder beside the ledger, and nothing that is told of a project rests on them
NO_MATTER = {REMEMBERED, "lock", "told.json", "ledger.sqlite-shm"}
EMPTY_NO_MATTER = {"ledger.sqlite-wal"}  # whoever looks into a ledger makes one


class State(msgspec.Struct, frozen=True):
    """A state of a project."""

    name: str
    """A hash that no other state has."""
    newest: int
    """When a file was changed last, in nanoseconds of the file system's clock."""


def state_of(project: Project) -> State | None:
    """The project as it is now; None where files alone do not tell, since folders of it are links or are closed to us."""
    mark = hashlib.sha256(program().encode() + msgspec.json.encode(project.config, order="sorted"))
    newest = 0
    try:
        for path, found in sorted(_files(project)):
            newest = max(newest, found.st_ctime_ns)
            mark.update(f"{path}\0{_told_apart(found)}\n".encode(errors="surrogateescape"))
    except (_Unknown, OSError):
        return None
    return State(mark.hexdigest(), newest)


def of_files(*paths: Path) -> tuple[str, int]:
    """What tells these files from what they were before, and when the latest change was; those that are missing say so."""
    found = [status for path in paths for _, status in _one(path)]
    return "\n".join([str(len(paths)), *map(_told_apart, found)]), max((status.st_ctime_ns for status in found), default=0)


def now(folder: Path) -> int:
    """The present by the clock of this folder's file system, which is not ours. Raises OSError where nothing can be written."""
    with tempfile.TemporaryFile(dir=folder) as file:
        return os.fstat(file.fileno()).st_ctime_ns


class _Unknown(Exception):
    """A folder that is a link: what lies behind it is not followed."""


def _files(project: Project) -> Iterator[tuple[str, os.stat_result]]:
    """Every file that something about the project may rest on."""
    own = project.folder
    recordings = {own / settings.path for settings in project.config.providers.values()}
    for path in {own / name for name in OWN_FILES} | recordings:
        yield from _one(path)
    for name in OWN_FOLDERS:
        yield from _within(own / name, NO_MATTER if own / name == project.layout.private else set())


def _one(path: Path) -> Iterator[tuple[str, os.stat_result]]:
    try:
        yield str(path), path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return


def _within(folder: Path, besides: set[str]) -> Iterator[tuple[str, os.stat_result]]:
    if folder.is_symlink():
        raise _Unknown
    try:
        entries = [*os.scandir(folder)]
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in entries:
        if entry.name in besides:
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _within(Path(entry.path), set())
            continue
        for path, found in _one(Path(entry.path)):
            if stat.S_ISDIR(found.st_mode):
                raise _Unknown
            if found.st_size or entry.name not in EMPTY_NO_MATTER:
                yield path, found


@lru_cache(maxsize=1)
def program() -> str:
    """The program: its own files, Python, and the folder in which its libraries are, which every installation changes."""
    own = Path(finetune_prep.__file__).parent
    libraries = Path(msgspec.__file__).parents[1]
    files = sorted(f"{path} {_told_apart(found)}" for path, found in _sources(_within(own, {"__pycache__"})))
    return "\n".join([sys.version, _told_apart(libraries.stat()), *files])


def _sources(files: Iterable[tuple[str, os.stat_result]]) -> Iterator[tuple[str, os.stat_result]]:
    return (found for found in files if not found[0].endswith(".pyc"))


def _told_apart(found: os.stat_result) -> str:
    return f"{found.st_dev} {found.st_ino} {found.st_size} {found.st_mtime_ns} {found.st_ctime_ns}"
