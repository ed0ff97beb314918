"""A ledger as a text file that can be committed, compared and replayed: recording.jsonl.

UTF-8, one JSON object a line, three kinds of line, in this order, each kind sorted:

    {"recording": 1}                                   the format
    {"text": HASH, "body": "…"}                        a text of more than 200 characters, written once
    {"key": KEY, "request": {…}, "reply": {…}}         an entry; long texts in it are {"text": HASH}

The same entries give the same bytes. API keys and HTTP headers are no part of an entry, so none can be in the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from finetune_prep.durable import write_atomically
from finetune_prep.errors import DocumentError
from finetune_prep.ledger.ledger import Entry, Ledger
from finetune_prep.ledger.packing import Packer, text_name, unpack_reply, unpack_request

VERSION = 1
MOST_PROBLEMS_SHOWN = 20


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """added: entries new to the ledger. known: entries it held already; its own answers stay."""

    added: int
    known: int


def export_recording(ledger: Ledger, path: Path) -> int:
    """Write every entry of the ledger to `path`, atomically. Returns the number of entries."""
    return write_recording(ledger.entries(), path)


def write_recording(entries: Iterable[Entry], path: Path) -> int:
    """Write entries to `path`, atomically, whatever their order. Returns their number."""
    packer = Packer()
    lines = {
        entry.key: _line({"key": entry.key, "request": packer.request(entry.request), "reply": packer.reply(entry.reply)})
        for entry in entries
    }
    write_atomically(path, _recording_lines(packer.texts, lines))
    return len(lines)


def _recording_lines(texts: dict[str, str], entries: dict[str, bytes]) -> Iterator[bytes]:
    yield _line({"recording": VERSION})
    for name in sorted(texts):
        yield _line({"text": name, "body": texts[name]})
    for key in sorted(entries):
        yield entries[key]


def _line(value: dict[str, Any]) -> bytes:
    return msgspec.json.encode(value) + b"\n"


async def import_recording(ledger: Ledger, path: Path) -> Imported:
    """Add a recording's entries to the ledger, all or none. Raises DocumentError with every unreadable line."""
    entries = read_recording(path)
    new = [entry for entry in entries if ledger.get(entry.key) is None]
    await ledger.put_all(new)
    return Imported(added=len(new), known=len(entries) - len(new))


def read_recording(path: Path) -> tuple[Entry, ...]:
    """Entries of a recording in the file's order. Raises DocumentError with `file:line` of everything that is wrong."""
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise DocumentError(f"the recording cannot be read: {error.strerror}", where=str(path)) from error
    reader = _Reader()
    problems = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            reader.read(line)
        except (ValueError, RecursionError) as error:
            problems.append(f"{path.name}:{number}: {error}")
    if problems:
        more = len(problems) - MOST_PROBLEMS_SHOWN
        raise DocumentError(
            f"the recording has {len(problems)} unreadable line{'s' if len(problems) > 1 else ''}; nothing was taken from it",
            where=str(path),
            details=(*problems[:MOST_PROBLEMS_SHOWN], *([f"… and {more} more"] if more > 0 else ())),
            next="export it again: finetune-prep ledger export FILE",
        )
    return tuple(reader.entries.values())


class _Reader:
    """Takes the lines of a recording one by one; each raises ValueError if it is not what it should be."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}
        self._texts: dict[str, str] = {}

    def read(self, line: bytes) -> None:
        try:
            value = msgspec.json.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ValueError(f"not JSON ({error})") from error
        if not isinstance(value, dict):
            raise ValueError("not a JSON object")
        match value:
            case {"recording": version}:
                if version != VERSION:
                    raise ValueError(f"format {version!r} is not known; this version reads {VERSION}: upgrade finetune-prep")
            case {"text": str(name), "body": str(body)}:
                self._read_text(name, body)
            case {"key": str(key), "request": dict(request), "reply": dict(reply)}:
                self._read_entry(key, request, reply)
            case _:
                raise ValueError("neither a text (text, body) nor an entry (key, request, reply)")

    def _read_text(self, name: str, body: str) -> None:
        if text_name(body) != name:
            raise ValueError(f"the body is not the text {name}: its hash is {text_name(body)}")
        self._texts[name] = body

    def _read_entry(self, key: str, request: dict[str, Any], reply: dict[str, Any]) -> None:
        entry = Entry(unpack_request(request, self._text), unpack_reply(reply, self._text))
        if entry.key != key:
            raise ValueError(f"the key {key} is not the key of this request, which is {entry.key}")
        if key in self.entries and self.entries[key] != entry:
            raise ValueError(f"a second, different entry for the key {key}")
        self.entries[key] = entry

    def _text(self, name: str) -> str:
        if name not in self._texts:
            raise ValueError(f"refers to the text {name}, which no line above holds")
        return self._texts[name]
