"""Where things are in a project folder. No other module spells a path."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO

import msgspec

from finetune_prep.documents.kinds import KINDS
from finetune_prep.errors import UsageError

CONFIG = "finetune-prep.toml"
RECORDING = "recording.jsonl"
OWN_FILES = (CONFIG, RECORDING, "brief.md", "decisions.jsonl")
OWN_FOLDERS = ("sources", "reference", "prompts", "skills", "runs", "dataset", "batches", "phase-prompts", ".finetune-prep")


class Layout(msgspec.Struct, frozen=True):
    """Paths of one project."""

    folder: Path
    """Absolute."""

    @property
    def config(self) -> Path:
        return self.folder / CONFIG

    @property
    def decisions(self) -> Path:
        return self.folder / "decisions.jsonl"

    @property
    def sources(self) -> Path:
        """The user's own material."""
        return self.folder / "sources"

    @property
    def snapshots(self) -> Path:
        """Snapshots of cited sources, one file per source id."""
        return self.folder / "reference" / "sources"

    @property
    def digests(self) -> Path:
        """Pages that say what deserves a look."""
        return self.folder / "reference" / "digest"

    def digest(self, number: int, subject: str) -> Path:
        """The page about what was made. number: of the phase, from 1."""
        return self.digests / f"{number}-{subject}.md"

    @property
    def runs(self) -> Path:
        return self.folder / "runs"

    @property
    def dataset(self) -> Path:
        return self.folder / "dataset"

    @property
    def pairs(self) -> Path:
        """Preference pairs, apart from the rows: a hub loads one form of rows from a folder."""
        return self.dataset / "pairs"

    @property
    def phase_prompts(self) -> Path:
        """The user's own versions of the prompts of phases; a file here goes before the built-in one of the same name."""
        return self.folder / "phase-prompts"

    @property
    def private(self) -> Path:
        return self.folder / ".finetune-prep"

    @property
    def ledger(self) -> Path:
        return self.private / "ledger.sqlite"

    @property
    def lock(self) -> Path:
        return self.private / "lock"

    @property
    def stopped(self) -> Path:
        """With which unusable answers a phase of the preparation ended."""
        return self.private / "stopped.json"

    def document(self, kind: str) -> Path:
        return self.folder / KINDS[kind].path

    def published(self, kind: str) -> Path:
        """The accepted copy that a coding agent picks up."""
        return self.folder / "skills" / "finetune-prep" / "references" / f"{kind}.md"

    @property
    def skill(self) -> Path:
        """What a coding agent is told about working on this project."""
        return self.folder / "skills" / "finetune-prep" / "SKILL.md"

    def stamp(self, kind: str) -> Path:
        return self.private / "stamps" / f"{kind}.toml"

    def history(self, kind: str, text: str) -> Path:
        """Where a text of a document is kept. text: its hash."""
        return self.private / "history" / kind / f"{text}.md"

    def history_order(self, kind: str) -> Path:
        """The hashes of the kept texts, one a line, in the order in which they came: files of a copied folder have new times."""
        return self.private / "history" / kind / "order.txt"

    def history_stamp(self, kind: str, text: str) -> Path:
        """Where the stamp of a kept text is, if the program wrote that text."""
        return self.history(kind, text).with_suffix(".toml")

    def leading_outside(self) -> Path | None:
        """The first link among the project's own folders and files that leads out of it.

        A project may come from anywhere; through such a link it would have files read, or written, that are not its own.
        """
        folder = self.folder.resolve()
        seen = [self.folder / name for name in (*OWN_FILES, *OWN_FOLDERS)]
        for name in OWN_FOLDERS:
            seen += [Path(root, found) for root, folders, files in os.walk(self.folder / name) for found in (*folders, *files)]
        return next((path for path in seen if path.is_symlink() and not _leads_into(path, folder)), None)

    def relative(self, path: Path) -> str:
        """A path as people read it in messages: relative to the project where it lies inside."""
        return path.relative_to(self.folder).as_posix() if path.is_relative_to(self.folder) else str(path)


def _leads_into(link: Path, folder: Path) -> bool:
    try:
        return link.resolve().is_relative_to(folder)
    except (OSError, RuntimeError):  # it leads to itself
        return False


def read_plain(path: Path) -> bytes:
    """The content of a file of the project. Raises UsageError for what is none: reading a pipe would wait for ever."""
    with open_plain(path) as file:
        return file.read()


def open_plain(path: Path) -> IO[bytes]:
    """A file of the project, to read. Raises as `read_plain`."""
    if not path.is_file():
        raise UsageError("this is no plain file", where=str(path), next="remove it; a file of the project belongs there")
    return path.open("rb")
