"""Anthropic's Message Batches API: all requests in one call, the results as one file of lines when all of them have ended.

A batch carries no name of ours, but its requests do: each `custom_id` is the key and the token of the submission. They can be
read when a batch has ended. So whether the provider has a submission is found out in the list, newest first: a batch that came
after the sending, has as many requests, and holds ours.

Source: platform.claude.com, guide "Batch processing" and API reference "Message Batches". custom_id: 1 to 64 letters, digits,
"_" and "-". What errs, is cancelled or expires is not billed.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec

from finetune_prep.core.request import Reply, Request
from finetune_prep.errors import Paused
from finetune_prep.http.exchange import Upload
from finetune_prep.http.secrets import Secret
from finetune_prep.http.upload import chunks
from finetune_prep.ledger.submissions import Submission
from finetune_prep.models.batches.api import NoBatch, Remote, Result, Undecided, Unsure
from finetune_prep.models.batches.http import BatchHttp, Body
from finetune_prep.models.providers.provider import Fault, Unreadable
from finetune_prep.models.wire import anthropic_wire
from finetune_prep.models.wire.envelopes import NotACompletion
from finetune_prep.models.wire.key_echo import read_without_key
from finetune_prep.project.config import ProviderSettings

PATH = "/messages/batches"
BETWEEN = "-"  # of key and token in a custom_id
PAGE = 100
MOST_PAGES = 100


class AnthropicBatches:
    """secret: the key."""

    most_requests = 100_000
    most_bytes = 240_000_000  # of 256 MB

    def __init__(self, name: str, settings: ProviderSettings, secret: Secret | None) -> None:
        headers = {"anthropic-version": anthropic_wire.VERSION}
        if secret is not None:
            headers["x-api-key"] = secret.reveal()
        self._http = BatchHttp(name, settings, secret, headers)
        self._secret = secret
        self._structured = settings.structured

    def row(self, request: Request, token: str) -> bytes:
        params = anthropic_wire.body(request, structured=self._structured is not False)
        return msgspec.json.encode({"custom_id": f"{request.key}{BETWEEN}{token}", "params": params}) + b"\n"

    async def upload(self, path: Path) -> str:
        return ""  # the requests are part of the call that makes the batch

    async def list(self) -> None:
        await self.clue("")

    async def clue(self, uploaded: str) -> str:
        """The newest batch there is: ours will be newer."""
        page = await self._http.get(PATH, {"limit": "1"})
        return next((_remote(batch).id for batch in page.get("data") or ()), "")

    async def create(self, uploaded: str, submission: Submission, path: Path) -> Remote:
        try:
            return _remote(await self._http.post_once(PATH, lambda: _body(path)))
        except (Fault, NoBatch) as error:
            raise Unsure(str(error)) from None

    async def find(self, submission: Submission, keys: Collection[str], claimed: Collection[str]) -> Remote | None:
        working = []
        async for remote in self._since(submission.clue):
            if remote.id in claimed or remote.total != len(keys):
                continue
            if not remote.ended:
                working.append(remote.id)
            elif await self._holds(remote, submission):
                return remote
        if working:
            raise Undecided(f"it may be {' or '.join(working)}, whose requests can be read when it has ended")
        return None

    async def _since(self, before: str) -> AsyncIterator[Remote]:
        """The batches that are newer than `before`, newest first."""
        query = {"limit": str(PAGE)}
        for _ in range(MOST_PAGES):
            page = await self._http.get(PATH, query)
            found = [_remote(batch) for batch in page.get("data") or ()]
            for remote in found:
                if remote.id == before:
                    return
                yield remote
            if not page.get("has_more") or not found:
                return
            query["after_id"] = found[-1].id
        raise Undecided(f"the provider's list of batches is longer than {PAGE * MOST_PAGES}")

    async def _holds(self, remote: Remote, submission: Submission) -> bool:
        """Whether an ended batch is made of the requests of a submission: one row tells."""
        if not remote.results:
            raise Undecided(f"it may be {remote.id}, whose results are no longer kept")
        async with contextlib.aclosing(self.lines(remote)) as lines:
            try:
                async for line in lines:
                    return _custom_id(line).endswith(BETWEEN + submission.token)
            except Fault as fault:
                raise Undecided(f"it may be {remote.id}, whose results cannot be read: {fault.reason}") from None
        return False

    async def look(self, submission: Submission) -> Remote:
        return _remote(await self._http.get(f"{PATH}/{quote(submission.batch, safe='')}"))

    async def cancel(self, submission: Submission) -> Remote:
        return _remote(await self._http.post(f"{PATH}/{quote(submission.batch, safe='')}/cancel", lambda: Body(b"{}")))

    async def lines(self, remote: Remote) -> AsyncGenerator[bytes, None]:
        for url in remote.results:
            # where the results are is not promised; but the key goes to the endpoint that it belongs to, and nowhere else
            path = url if self._http.is_own(url) else f"{PATH}/{quote(remote.id, safe='')}/results"
            async with contextlib.aclosing(self._http.lines(path)) as lines:
                async for line in lines:
                    yield line

    def read(self, line: bytes) -> Result:
        row = _row(line)
        key = row.custom_id.partition(BETWEEN)[0]
        try:
            reply = read_without_key(
                lambda data: answer_of_result(row.result if data is line else _row(data).result), line, self._secret
            )
            return Result(key=key, reply=reply)
        except (Fault, Paused) as fault:
            return Result(key=key, fault=fault)

    async def close(self) -> None:
        await self._http.close()


def _body(path: Path) -> Body:
    """The lines of the file as one JSON document. JSON texts hold no line ends of their own."""
    size = path.stat().st_size - 1  # commas for line ends, and none after the last
    begin, end = b'{"requests":[', b"]}"

    def pieces() -> Iterator[bytes]:
        yield begin
        for chunk in chunks(path, size):
            yield chunk.replace(b"\n", b",")
        yield end

    return Body(Upload(len(begin) + size + len(end), pieces()))


class _Row(msgspec.Struct):
    custom_id: str
    result: Any = None


def _row(line: bytes) -> _Row:
    """Raises ValueError if the line is no row."""
    try:
        return msgspec.json.decode(line, type=_Row)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        # half a surrogate pair in a text stops the strict parser; the answer around it is paid for
        return msgspec.convert(json.loads(line), _Row)


def _custom_id(line: bytes) -> str:
    try:
        return _row(line).custom_id
    except ValueError:
        return ""


def answer_of_result(result: Any) -> Reply:
    """The answer in the `result` of a row. Raises Fault, or Paused, for what may be asked again."""
    kind = result.get("type") if isinstance(result, dict) else None
    if kind == "succeeded":
        try:
            return anthropic_wire.reply(result.get("message"))
        except NotACompletion as error:
            body = json.dumps(result)
            raise Unreadable(str(error), body, size=len(body)) from None
    if kind == "errored":
        return anthropic_wire.refusal(result.get("error"))
    raise Fault(str(kind or "a result without a type"), maybe_billed=kind not in ("canceled", "expired"))


class _Counts(msgspec.Struct):
    processing: int = 0
    succeeded: int = 0
    errored: int = 0
    canceled: int = 0
    expired: int = 0


class _Batch(msgspec.Struct):
    id: str
    processing_status: str
    request_counts: _Counts
    results_url: str | None = None


def _remote(found: Any) -> Remote:
    """Raises NoBatch."""
    try:
        batch = msgspec.convert(found, _Batch)
    except msgspec.ValidationError as error:
        raise NoBatch(error) from None
    counts = batch.request_counts
    failed = counts.errored + counts.canceled + counts.expired
    return Remote(
        id=batch.id,
        status=batch.processing_status,
        ended=batch.processing_status == "ended",
        total=counts.processing + counts.succeeded + failed,
        done=counts.succeeded,
        failed=failed,
        results=(batch.results_url,) if batch.results_url else (),
    )
