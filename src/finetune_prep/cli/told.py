"""What was told about a project before: only what is new is told again, and what is as before is counted.

Nothing depends on it but what a person reads, so it is kept beside the ledger, may be deleted, and is left alone where nothing
can be written.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from pathlib import Path

import msgspec

from finetune_prep.core.identity import digest
from finetune_prep.durable import write_atomically
from finetune_prep.project.project import Project

FILE = "told.json"
MOST = 5_000  # lines of one subject that are remembered, the latest


class Told:
    """What was told on one subject ("prepare", "check").

    anew: forget what was told; everything is told again. as_before: how many lines of each group were not told again.
    """

    def __init__(self, project: Project, subject: str, *, anew: bool = False) -> None:
        self._path = project.layout.private / FILE
        self._subject = subject
        self._before = set() if anew else set(_read(self._path).get(subject, ()))
        self._now: dict[str, None] = {}
        self.as_before: Counter[str] = Counter()

    def is_new(self, line: str, group: str = "") -> bool:
        """Whether a line has to be told; of one that was told before it is kept in mind that it still stands."""
        key = digest(line)[:16]
        again = key in self._before
        self.as_before[group] += again
        self._now[key] = None
        return not again

    def keep(self, *, whole: bool) -> None:
        """Remember it for the next time. whole: what was not told now does not stand any more, and is new when it comes back."""
        if not self._path.parent.is_dir():
            return
        kept = [*self._now] if whole else [*(self._before - set(self._now)), *self._now]
        with contextlib.suppress(OSError):
            every = _read(self._path) | {self._subject: kept[-MOST:]}
            write_atomically(self._path, [msgspec.json.encode(every)])


def _read(path: Path) -> dict[str, list[str]]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, list[str]])
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return {}
