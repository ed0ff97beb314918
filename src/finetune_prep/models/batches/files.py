"""Batch files: requests are written down instead of sent, and their answers are imported another day.

The format is OpenAI's Batch API, which other providers and vLLM's `run-batch` read as well. A file holds requests to one
model (OpenAI refuses mixtures) in one role (whoever judges should not read how a talk was made), and at most 50,000 of them.
Every request is recorded in the ledger before its file is written, so that nothing is ever asked twice; a crash in between is
put right by writing the same file again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import msgspec

from finetune_prep.core.request import Reply, Request
from finetune_prep.durable import write_atomically
from finetune_prep.errors import NotYet
from finetune_prep.ledger.protocols import Ledger
from finetune_prep.models.wire import openai_wire

FOLDER = "batches"
URL = "/v1" + openai_wire.PATH
MOST_REQUESTS = 50_000
MOST_BYTES = 190_000_000  # OpenAI takes 200 MB


class OpenRound(msgspec.Struct, frozen=True, kw_only=True):
    """A batch file with requests still unanswered."""

    number: int
    path: Path
    asked: int
    outstanding: int
    """How many of `asked`."""
    fresh: bool
    """Written by this flush."""

    @property
    def answers_path(self) -> Path:
        """Where the answers may be put (any name will do)."""
        return self.path.with_name(self.path.name.replace(".requests.", ".answers."))


class BatchFiles:
    """Records requests; `flush` writes those that stand in no open round. folder: the project's folder."""

    def __init__(self, ledger: Ledger, folder: Path) -> None:
        self._ledger = ledger
        self._folder = folder
        self._recorded: dict[str, Request] = {}
        self._awaited: set[str] = set()

    async def answer(self, request: Request) -> Reply:
        number = await self._ledger.rounds.outstanding(request.key)
        if number is None:
            self._recorded[request.key] = request
            raise NotYet("the request is recorded for the next batch file", where=request.place, next="finetune-prep batch")
        self._awaited.add(request.key)
        if number in {submission.number for submission in await self._ledger.rounds.submissions()}:
            raise NotYet(
                f"the answer is outstanding in round {number}, which is with a Batch API",
                where=request.place,
                next="finetune-prep batch status",
            )
        path = round_path(self._folder, number)
        raise NotYet(f"the answer is outstanding in {FOLDER}/{path.name}", where=request.place, next="finetune-prep batch")

    async def flush(self) -> tuple[OpenRound, ...]:
        """Write what was recorded since the last flush; returns every round that waits for answers, by number.

        What an earlier round asked in the same place, and is asked otherwise now because a document was edited, is waited for
        no longer. If its answer comes all the same, it is kept.
        """
        fresh = [interrupted.number for interrupted in await self._ledger.rounds.all() if not interrupted.written]
        recorded = sorted(self._recorded.values(), key=file_order)
        await self._ledger.rounds.release(await self._superseded(recorded))
        self._recorded.clear()
        for portion in portions(recorded, row, MOST_REQUESTS, MOST_BYTES):
            fresh.append(await self._ledger.rounds.open(portion))
        for number in fresh:
            requests = await self._ledger.rounds.requests_of(number)
            await asyncio.to_thread(write_atomically, round_path(self._folder, number), map(row, requests))
            await self._ledger.rounds.mark_written(number)
        elsewhere = {submission.number for submission in await self._ledger.rounds.submissions()}
        return tuple(
            OpenRound(
                number=found.number,
                path=round_path(self._folder, found.number),
                asked=found.asked,
                outstanding=found.outstanding,
                fresh=found.number in fresh,
            )
            for found in await self._ledger.rounds.all()
            if found.outstanding and found.number not in elsewhere
        )

    async def _superseded(self, recorded: list[Request]) -> list[str]:
        """Keys that wait in a file for what this run asks for in other words."""
        places = {_place(request) for request in recorded if request.origin.about or request.origin.scenario}
        waiting = [found for found in await self._ledger.rounds.all() if found.outstanding and found.written] if places else []
        elsewhere = {submission.number for submission in await self._ledger.rounds.submissions()} if waiting else set()
        keys: list[str] = []
        for found in waiting:
            if found.number in elsewhere:  # it was paid for, or will be
                continue
            for request in await self._ledger.rounds.requests_of(found.number):
                asked = request.key in self._awaited or await self._ledger.rounds.outstanding(request.key) is None
                if not asked and _place(request) in places:
                    keys.append(request.key)
        return keys

    async def close(self) -> None:
        """What was not flushed is recorded again by the next run."""


def _place(request: Request) -> tuple[Any, ...]:
    """Where a request is asked: the same for one that only asks in other words, because its inputs changed."""
    origin = msgspec.structs.replace(request.origin, run="", attempt=1)
    return (request.phase, request.role, *msgspec.structs.astuple(origin))


def round_path(folder: Path, number: int) -> Path:
    """The request file of a round."""
    return folder / FOLDER / f"round-{number:03d}.requests.jsonl"


def row(request: Request, *, structured: bool = True, limit_name: str = "max_completion_tokens") -> bytes:
    """One line of a batch file. structured, limit_name: as of `wire.body`."""
    body = openai_wire.body(request, structured=structured, limit_name=limit_name)
    return msgspec.json.encode({"custom_id": request.key, "method": "POST", "url": URL, "body": body}) + b"\n"


def file_order(request: Request) -> tuple[Any, ...]:
    """A model and role after the other; within it, requests that share a prompt stand together, for the sake of prefix caches."""
    return (request.model, request.role, request.phase, *msgspec.structs.astuple(request.origin), request.sample, request.key)


def portions(
    requests: Iterable[Request], line: Callable[[Request], bytes], most_requests: int, most_bytes: int
) -> Iterator[list[Request]]:
    """Requests in the order of files, cut where the model or the role changes and where a file would become too long."""
    for _, group in groupby(requests, key=lambda request: (request.model, request.role)):
        portion: list[Request] = []
        size = 0
        for request in group:
            length = len(line(request))
            if portion and (len(portion) == most_requests or size + length > most_bytes):
                yield portion
                portion, size = [], 0
            portion.append(request)
            size += length
        yield portion
