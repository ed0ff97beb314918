"""Replays exported ledgers. What they do not hold is an error that names the nearest request they do hold."""

from __future__ import annotations

from pathlib import Path

from finetune_prep.core.request import Reply, Request
from finetune_prep.errors import NotInRecording
from finetune_prep.ledger.protocols import Entry
from finetune_prep.ledger.recording import read_recording
from finetune_prep.models.providers.closest_request import describe_difference, nearest


class RecordingProvider:
    """Answers from one recording or several; the first that holds a request answers it."""

    def __init__(self, *paths: Path) -> None:
        """Reads the files. Raises errors.DocumentError if one cannot be read."""
        self._paths = paths
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
        files = ", ".join(path.name for path in self._paths)
        near = nearest(request, [entry.request for entry in self._entries.values()])
        details = (
            (f"the recording ({files}) is empty",)
            if near is None
            else (f"the nearest request in {files} is {near.place}; it differs:", *describe_difference(near, request))
        )
        return NotInRecording(
            f"the recording does not hold this request (key {request.key})",
            where=request.place,
            details=details,
            next="finetune-prep ledger missing",
        )

    async def close(self) -> None:
        self._entries.clear()
