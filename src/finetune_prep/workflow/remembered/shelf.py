"""What was read from the texts of documents, kept beside the ledger: one file a text, named by the text and by who read it.

The files may be deleted at any time. Where nothing can be written, nothing is kept.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from finetune_prep.core.identity import digest
from finetune_prep.documents.kinds import KINDS
from finetune_prep.documents.readings.readings import Reading, reading, with_known
from finetune_prep.durable import write_atomically
from finetune_prep.project.project import Project
from finetune_prep.workflow.remembered.state import REMEMBERED, program

FOLDER = "texts"
MOST_KEPT = 40  # texts: those of all documents, and some that they replaced


@contextlib.contextmanager
def shelf(project: Project) -> Iterator[None]:
    """In here, documents whose texts were read before are taken from the shelf; the others are put there on leaving."""
    found = _Shelf(project.layout.private / REMEMBERED / FOLDER)
    with with_known(found.take):
        yield
    if project.layout.private.is_dir():
        with contextlib.suppress(OSError):
            found.keep()


class _Shelf:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._program = program()  # another one may read the same text otherwise
        self._taken: dict[str, Reading[Any] | None] = {}
        self._new: dict[str, tuple[str, str]] = {}

    def take(self, kind: str, text: str) -> Reading[Any] | None:
        """What was read from a text, None if nobody has read it yet."""
        try:
            name = digest([self._program, kind, text])
        except UnicodeEncodeError:  # it could stand in no file
            return None
        if name not in self._taken:
            self._taken[name] = found = self._read(name, kind)
            if found is None:
                self._new[name] = (kind, text)
        return self._taken[name]

    def _read(self, name: str, kind: str) -> Reading[Any] | None:
        form: Any = Reading[KINDS[kind].form.value]  # type: ignore[misc]
        try:
            found: Reading[Any] = msgspec.json.decode(self._path(name).read_bytes(), type=form)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            return None
        return found

    def keep(self) -> None:
        """Raises OSError."""
        for name, (kind, text) in self._new.items():
            write_atomically(self._path(name), msgspec.json.encode(reading(kind, text)))
        if self._new:
            self._forget()

    def _forget(self) -> None:
        """Those that nobody has looked at now, but for the latest."""
        others = [path for path in self._folder.iterdir() if path.stem not in self._taken]
        others.sort(key=lambda path: path.stat().st_mtime_ns, reverse=True)
        for path in others[max(0, MOST_KEPT - len(self._taken)) :]:
            path.unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.json"
