"""What gates said of texts, kept beside the ledger: it holds for the same texts whatever else of the project changes.

It is one file and may be deleted at any time. Where nothing can be written, nothing is kept.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import msgspec

from finetune_prep.core.identity import digest
from finetune_prep.durable import write_atomically
from finetune_prep.gates.memory import Memory, Said
from finetune_prep.project.project import Project
from finetune_prep.workflow.remembered.state import REMEMBERED, program

FILE = "said.json"


class _Kept(msgspec.Struct, frozen=True):
    program: str
    """Hash of the program that asked the gates: another one may ask them otherwise."""
    said: dict[str, Said]


@contextlib.contextmanager
def said_before(project: Project) -> Iterator[Memory]:
    """What gates said of the texts that they looked at, by gate. What is put in is kept on leaving without an error."""
    path = project.layout.private / REMEMBERED / FILE
    by = digest(program())
    before = _read(path, by)
    memory = dict(before)
    yield memory
    if memory != before and project.layout.private.is_dir():
        with contextlib.suppress(OSError):
            path.parent.mkdir(exist_ok=True)
            write_atomically(path, msgspec.json.encode(_Kept(by, memory)))


def _read(path: Path, by: str) -> dict[str, Said]:
    try:
        kept = msgspec.json.decode(path.read_bytes(), type=_Kept)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return {}
    return kept.said if kept.program == by else {}
