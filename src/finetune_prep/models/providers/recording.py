"""Replays exported ledgers. What they do not hold is an error that says who could answer it instead."""

from __future__ import annotations

from pathlib import Path

from finetune_prep.core.request import Reply, Request
from finetune_prep.errors import NotInRecording
from finetune_prep.ledger.protocols import Entry
from finetune_prep.ledger.recording import read_recording
from finetune_prep.models.providers.closest_request import describe_difference, nearest

MISSING = "finetune-prep ledger missing"


class RecordingProvider:
    """Answers from one recording or several; the first that holds a request answers it."""

    def __init__(self, *paths: Path, instead: str = "", next: str = MISSING) -> None:
        """Reads the files. instead: who could answer what they do not hold, in a sentence or two, and the next step to that.

        Raises errors.DocumentError if one cannot be read.
        """
        self._paths = paths
        self._instead = instead
        self._next = next
        self._entries: dict[str, Entry] = {}
        for path in paths:
            for entry in read_recording(path):
                self._entries.setdefault(entry.key, entry)

    async def answer(self, request: Request) -> Reply:
        entry = self._entries.get(request.key)
        if entry is None:
            raise self._missing(request)
        return entry.reply

    def _missing(self, request: Request) -> NotInRecording:
        files = " and ".join(path.name for path in self._paths)
        return NotInRecording(
            f"answers come from a recording here, and {files} has no answer to this request (key {request.key})",
            where=request.place,
            details=(*self._difference(request), *((f"  {self._instead}",) if self._instead else ())),
            next=self._next,
        )

    def _difference(self, request: Request) -> tuple[str, ...]:
        """What the nearest request was, where the same was asked of it: then something has been changed since."""
        near = nearest(request, [entry.request for entry in self._entries.values()])
        if near is None:
            return ("  it is empty",)
        if (near.role, near.phase) != (request.role, request.phase):
            return (f"  nothing of the kind was ever asked: it holds no request of the {request.role} for {request.phase}",)
        return (
            f"  the nearest request in it is {near.place}; it differs:",
            *(f"  {line}" for line in describe_difference(near, request)),
            f"  what else is missing: {MISSING}",
        )

    async def close(self) -> None:
        self._entries.clear()
