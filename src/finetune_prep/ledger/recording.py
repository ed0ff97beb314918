"""A ledger as a text file that can be committed, compared and replayed: recording.jsonl.

UTF-8, one JSON object a line, four kinds of line, in this order, each kind sorted:

    {"recording": 3}                                   the format
    {"text": HASH, "body": "…"}                        a text of more than 200 characters, written once
    {"key": KEY, "request": {…}, "reply": {…}}         an entry; long texts in it are {"text": HASH}
    {"fetched": KEY, "about": {…}, "body": "…"}        an answer of a search, or a page; "base64" instead of "body" if no UTF-8

In formats 1 and 2, where a request came from was a label, and a prompt could hold the day on which a source was read: such a
request is read as the one that is asked in its place today, under its key (see `former`).

The same entries give the same bytes. API keys and HTTP headers are no part of an entry, so none can be in the file.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from finetune_prep.durable import write_atomically
from finetune_prep.errors import DocumentError
from finetune_prep.ledger.fetched import Fetched, about
from finetune_prep.ledger.former import is_former, unpack_former
from finetune_prep.ledger.packing import Packer, text_name, unpack_reply, unpack_request
from finetune_prep.ledger.protocols import Entry, Ledger

VERSION = 3  # the newest that can be read, and the one that is written
MOST_PROBLEMS_SHOWN = 20


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """What came of an import."""

    added: int
    """Entries new to the ledger."""
    known: int
    """Entries it held already; its own answers stay."""
    fetched: int = 0
    """Pages from the web that are new to the archive."""


async def export_recording(ledger: Ledger, path: Path) -> tuple[int, int]:
    """Write all that the ledger holds to `path`, atomically. Returns the numbers of entries and of answers from the web."""
    entries = [entry async for entry in ledger.answers.all()]
    pages = [found async for found in ledger.fetched.all()]
    await asyncio.to_thread(write_recording, entries, path, pages)
    return len(entries), len(pages)


def write_recording(entries: Iterable[Entry], path: Path, fetched: Iterable[Fetched] = ()) -> int:
    """Write entries and answers from the web to `path`, atomically, whatever their order. Returns the number of entries."""
    packer = Packer()
    lines = {
        entry.key: _line({"key": entry.key, "request": packer.request(entry.request), "reply": packer.reply(entry.reply)})
        for entry in entries
    }
    pages = {found.key: _fetched_line(found) for found in fetched}
    write_atomically(path, _recording_lines(packer.texts, lines, pages))
    return len(lines)


def _recording_lines(texts: dict[str, str], entries: dict[str, bytes], pages: dict[str, bytes]) -> Iterator[bytes]:
    yield _line({"recording": VERSION})
    for name in sorted(texts):
        yield _line({"text": name, "body": texts[name]})
    for key in sorted(entries):
        yield entries[key]
    for key in sorted(pages):
        yield pages[key]


def _fetched_line(found: Fetched) -> bytes:
    line: dict[str, Any] = {"fetched": found.key, "about": msgspec.Raw(about(found).encode())}
    try:
        return _line(line | {"body": found.body.decode()})
    except UnicodeDecodeError:
        return _line(line | {"base64": base64.b64encode(found.body).decode()})


def _line(value: dict[str, Any]) -> bytes:
    return msgspec.json.encode(value) + b"\n"


async def import_recording(ledger: Ledger, path: Path) -> Imported:
    """Add a recording's entries to the ledger, all or none. Raises DocumentError with every unreadable line."""
    reader = await asyncio.to_thread(_read, path)
    known = await ledger.answers.known(reader.entries)
    new = [entry for key, entry in reader.entries.items() if key not in known]
    pages = [found for key, found in reader.fetched.items() if await ledger.fetched.get(key) is None]
    await ledger.answers.put_all(new)
    await ledger.fetched.keep(pages)
    return Imported(added=len(new), known=len(reader.entries) - len(new), fetched=len(pages))


def read_recording(path: Path) -> tuple[Entry, ...]:
    """Entries of a recording in the file's order. Raises DocumentError with `file:line` of everything that is wrong."""
    return tuple(_read(path).entries.values())


def read_fetched(path: Path) -> tuple[Fetched, ...]:
    """What a recording holds of the web, in the file's order. Raises DocumentError as `read_recording`."""
    return tuple(_read(path).fetched.values())


def _read(path: Path) -> _Reader:
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
    return reader


class _Reader:
    """Takes the lines of a recording one by one; each raises ValueError if it is not what it should be."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}
        self.fetched: dict[str, Fetched] = {}
        self._lines: dict[str, Entry] = {}
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
                if version not in range(1, VERSION + 1):
                    raise ValueError(f"format {version!r} is not known; this version reads 1 to {VERSION}: upgrade finetune-prep")
            case {"fetched": str(key), "about": dict(about), **content}:
                self._read_fetched(key, about, content)
            case {"text": str(name), "body": str(body)}:
                self._read_text(name, body)
            case {"key": str(key), "request": dict(request), "reply": dict(reply)}:
                self._read_entry(key, request, reply)
            case _:
                raise ValueError(
                    "neither a text (text, body) nor an entry (key, request, reply) nor from the web (fetched, about)"
                )

    def _read_text(self, name: str, body: str) -> None:
        if text_name(body) != name:
            raise ValueError(f"the body is not the text {name}: its hash is {text_name(body)}")
        self._texts[name] = body

    def _read_entry(self, key: str, request: dict[str, Any], reply: dict[str, Any]) -> None:
        if is_former(request):
            asked, today = unpack_former(request, self._text)
        else:
            asked = today = unpack_request(request, self._text)
        entry = Entry(asked, unpack_reply(reply, self._text))
        if entry.key != key:
            raise ValueError(f"the key {key} is not the key of this request, which is {entry.key}")
        if self._lines.setdefault(key, entry) != entry:
            raise ValueError(f"a second, different entry for the key {key}")
        renamed = Entry(today, entry.reply)
        known = self.entries.setdefault(renamed.key, renamed)
        if renamed.reply.at < known.reply.at:  # asked on two days, which made two requests of it then: the first answer counts
            self.entries[renamed.key] = renamed

    def _read_fetched(self, key: str, about: dict[str, Any], content: dict[str, Any]) -> None:
        found = msgspec.convert(about, Fetched)
        match content:
            case {"body": str(body)}:
                data = body.encode()
            case {"base64": str(encoded)}:
                data = base64.b64decode(encoded, validate=True)
            case _:
                raise ValueError("neither `body` nor `base64` holds what was fetched")
        found = msgspec.structs.replace(found, body=data)
        if found.key != key:
            raise ValueError(f"the key {key} is not the key of what was asked, which is {found.key}")
        if key in self.fetched and self.fetched[key] != found:
            raise ValueError(f"a second, different answer for the key {key}")
        self.fetched[key] = found

    def _text(self, name: str) -> str:
        if name not in self._texts:
            raise ValueError(f"refers to the text {name}, which no line above holds")
        return self._texts[name]
