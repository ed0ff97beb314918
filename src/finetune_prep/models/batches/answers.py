"""Reading the answers of batch files into the ledger: by id, in any order, from any number of files."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from finetune_prep.core.request import Reply
from finetune_prep.errors import Paused, UsageError
from finetune_prep.ledger.protocols import Entry, Ledger
from finetune_prep.models.providers import openai_wire
from finetune_prep.models.providers.http_status import DETAIL_LIMIT, interpret
from finetune_prep.models.providers.provider import Fault

ROWS_PER_COMMIT = 1000
# error codes of a row that is refused for good; every other error without a status is a passing one (expired, cancelled)
FINAL_CODES = {"invalid_request", "invalid_request_error", "bad_request"}


class BatchImport(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the rows.

    answered: answers kept, of these `refused` are final refusals. known: rows the ledger held an answer to already.
    released: requests that failed in passing; the next run asks them again. strangers: ids that were never asked here.
    unreadable: `file:line: why`. outstanding: requests that still wait in some round.
    """

    answered: int
    refused: int
    known: int
    released: int
    strangers: tuple[str, ...]
    unreadable: tuple[str, ...]
    outstanding: int
    failures: tuple[str, ...] = ()


class _Response(msgspec.Struct):
    status_code: int
    body: msgspec.Raw = msgspec.Raw(b"null")
    request_id: str | None = None


class _Row(msgspec.Struct):
    custom_id: str
    response: _Response | None = None
    error: Any = None
    method: str | None = None  # only requests have one


async def import_answers(ledger: Ledger, paths: Sequence[Path]) -> BatchImport:
    """Keep every answer to a request of a batch file. Costs stay unknown: batch prices are not guessed.

    A row that cannot be read does not stop the others. Raises UsageError if a file cannot be opened.
    """
    reading = _Reading(ledger)
    for path in paths:
        for place, line in _lines(path):
            reading.read(place, line)
            if len(reading.fresh) >= ROWS_PER_COMMIT:
                await reading.commit()
    await reading.commit()
    released = [key for key in reading.failed if ledger.get(key) is None and ledger.outstanding(key) is not None]
    await ledger.release(released)
    return reading.summary(released=len(released))


def _lines(path: Path) -> Iterator[tuple[str, bytes]]:
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield f"{path.name}:{number}", line.removeprefix(b"\xef\xbb\xbf")
    except OSError as error:
        raise UsageError(
            f"the file cannot be read: {error.strerror}", where=str(path), next="give the path of an answer file"
        ) from error


class _Reading:
    """The rows read so far. fresh: answers not yet committed. failed: why rows failed in passing, by id."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.fresh: dict[str, Entry] = {}
        self.failed: dict[str, str] = {}
        self._answered = self._refused = self._known = 0
        self._strangers: dict[str, None] = {}
        self._unreadable: list[str] = []

    def read(self, place: str, line: bytes) -> None:
        try:
            found = _row(line)
            if found.method is not None:
                raise ValueError("it is a request; import the file of answers")
        except (ValueError, RecursionError) as error:
            self._unreadable.append(f"{place}: not a row of a batch answer: {error}")
            return
        key = self._ledger.renamed(found.custom_id)
        request = self._ledger.asked(key)
        if request is None:
            self._strangers[key] = None
        elif key in self.fresh or self._ledger.get(key) is not None:
            self._known += 1
        else:
            try:
                entry = Entry(request, _reply(found))
            except (Fault, Paused) as fault:
                self.failed[key] = f"{place}: {fault.args[0]}"
            else:
                self.fresh[key] = entry
                self._refused += entry.reply.problem in ("rejected", "filtered") and not entry.reply.text

    async def commit(self) -> None:
        await self._ledger.put_all(list(self.fresh.values()))
        self._answered += len(self.fresh)
        self.fresh.clear()

    def summary(self, *, released: int) -> BatchImport:
        return BatchImport(
            answered=self._answered,
            refused=self._refused,
            known=self._known,
            released=released,
            strangers=tuple(self._strangers),
            unreadable=tuple(self._unreadable),
            outstanding=sum(found.outstanding for found in self._ledger.rounds()),
            failures=tuple(self.failed.values()),
        )


def _row(line: bytes) -> _Row:
    """Raises ValueError if the line is not a row."""
    try:
        return msgspec.json.decode(line, type=_Row)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        # half a surrogate pair in a text stops the strict parser; the answer around it is paid for
        value = json.loads(line)
        if isinstance(value, dict) and isinstance(response := value.get("response"), dict):
            response["body"] = msgspec.Raw(json.dumps(response.get("body")).encode())
        return msgspec.convert(value, _Row)


def read_row(line: bytes) -> tuple[str, Callable[[], Reply]]:
    """The id of a row, and what gives its answer or raises Fault or Paused. Raises ValueError if the line is not a row."""
    found = _row(line)
    return found.custom_id, lambda: _reply(found)


def _reply(found: _Row) -> Reply:
    """The answer in a row. Raises Fault, or Paused, for what may be asked again."""
    if found.response is not None:
        reply = interpret(found.response.status_code, bytes(found.response.body))
        request_id = reply.request_id or found.response.request_id or ""
        return msgspec.structs.replace(reply, request_id=request_id, at=reply.at or openai_wire.now())
    error = found.error if isinstance(found.error, dict) else {"message": found.error}
    code, message = str(error.get("code") or ""), str(error.get("message") or "")
    said = ": ".join(part for part in (code, message) if part) or "neither a response nor an error"
    if code.casefold() in FINAL_CODES:
        return Reply(text="", finish="error", problem="rejected", detail=said[:DETAIL_LIMIT])
    raise Fault(said[:DETAIL_LIMIT])
