"""OpenAI's Batch API, which Groq, Together, Azure and others speak as well: a file is uploaded, a batch is made of it.

A batch names the file that it was made of and carries metadata, so the file, or the token of a submission, tells whether the
provider has it, whatever became of the answer.
Results are two files: what was answered, and what was not (refused, expired, cancelled); partial ones where a batch expired
or was cancelled.

Source: the API reference, "Batch" and "Files" (developers.openai.com).
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Collection
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec

from finetune_prep.core.request import Request
from finetune_prep.errors import Paused
from finetune_prep.http.secrets import Secret, redacted
from finetune_prep.http.upload import form
from finetune_prep.ledger.submissions import Submission
from finetune_prep.models.batches.api import NoBatch, Remote, Result, Undecided, Unsure
from finetune_prep.models.batches.files import URL, row
from finetune_prep.models.batches.http import BatchHttp, Body
from finetune_prep.models.batches.shapes import Foreign, Row, read_row
from finetune_prep.models.providers.provider import Fault, Unreadable
from finetune_prep.models.wire.envelopes import NotACompletion
from finetune_prep.models.wire.key_echo import read_without_key
from finetune_prep.project.config import ProviderSettings

ENDED = {"completed", "failed", "expired", "cancelled"}
TOKEN = "finetune_prep_token"  # noqa: S105 – the name of a metadata field; what is in it is no secret
PAGE = 100  # the most that one page of the list holds
MOST_PAGES = 500
SHOWN_ERRORS = 3


class OpenAIBatches:
    """secret: the key, None if the endpoint needs none."""

    most_requests = 50_000
    most_bytes = 190_000_000  # of 200 MB

    def __init__(self, name: str, settings: ProviderSettings, secret: Secret | None) -> None:
        headers = {} if secret is None else {"Authorization": f"Bearer {secret.reveal()}"}
        self._http = BatchHttp(name, settings, secret, headers)
        self._secret = secret
        self._structured = settings.structured
        self._limit_name = "max_completion_tokens" if self._http.host.endswith("openai.com") else "max_tokens"

    def row(self, request: Request, token: str) -> bytes:
        return row(request, structured=self._structured is not False, limit_name=self._limit_name)

    async def upload(self, path: Path) -> str:
        def body() -> Body:
            kind, data = form({"purpose": "batch"}, path, "application/jsonl")
            return Body(data, kind)

        found = await self._http.post("/files", body)
        if not isinstance(found.get("id"), str):
            raise Paused("the endpoint took the file and gave it no id", where=self._http.name, next="finetune-prep doctor")
        return str(found["id"])

    async def list(self) -> None:
        await self._http.get("/batches", {"limit": "1"})

    async def clue(self, uploaded: str) -> str:
        """The file that the batch will be made of, which no other is: not every endpoint that speaks this API keeps metadata."""
        return uploaded

    async def create(self, uploaded: str, submission: Submission, path: Path) -> Remote:
        wanted = {
            "input_file_id": uploaded,
            "endpoint": URL,
            "completion_window": "24h",
            "metadata": {TOKEN: submission.token},
        }
        try:
            return _remote(await self._http.post_once("/batches", lambda: Body(msgspec.json.encode(wanted))))
        except (Fault, NoBatch) as error:
            raise Unsure(str(error)) from None

    async def find(self, submission: Submission, keys: Collection[str], claimed: Collection[str]) -> Remote | None:
        # nothing is documented about the order of the list, so all of it is read
        query = {"limit": str(PAGE)}
        for _ in range(MOST_PAGES):
            page = await self._http.get("/batches", query)
            found = [_remote(batch) for batch in page.get("data") or ()]
            for remote in found:
                if submission.token == remote.token or submission.clue == remote.source:
                    return remote
            if not page.get("has_more") or not found:
                return None
            query["after"] = found[-1].id
        raise Undecided(f"the provider's list of batches is longer than {PAGE * MOST_PAGES}")

    async def look(self, submission: Submission) -> Remote:
        return _remote(await self._http.get(f"/batches/{quote(submission.batch, safe='')}"))

    async def cancel(self, submission: Submission) -> Remote:
        return _remote(await self._http.post(f"/batches/{quote(submission.batch, safe='')}/cancel", lambda: Body(b"{}")))

    async def lines(self, remote: Remote) -> AsyncGenerator[bytes, None]:
        for file in remote.results:
            async with contextlib.aclosing(self._http.lines(f"/files/{quote(file, safe='')}/content")) as lines:
                async for line in lines:
                    yield line

    def read(self, line: bytes) -> Result:
        found = _row(line)
        try:
            reply = read_without_key(lambda data: found.answer() if data is line else _row(data).answer(), line, self._secret)
            return Result(key=found.key, reply=reply)
        except NotACompletion as error:
            body = redacted(line.decode(errors="replace"), self._secret)
            return Result(key=found.key, fault=Unreadable(str(error), body, size=len(line)))
        except (Fault, Paused) as fault:
            return Result(key=found.key, fault=fault)

    async def close(self) -> None:
        await self._http.close()


def _row(line: bytes) -> Row:
    """Raises ValueError if the line is no row of a result file."""
    found = read_row("a result", line)
    if isinstance(found, Foreign):
        raise ValueError(found.why)
    return found


class _Counts(msgspec.Struct):
    total: int = 0
    completed: int = 0
    failed: int = 0


class _Batch(msgspec.Struct):
    id: str
    status: str
    input_file_id: str | None = None
    output_file_id: str | None = None
    error_file_id: str | None = None
    request_counts: _Counts | None = None
    metadata: Any = None
    errors: Any = None


def _remote(found: Any) -> Remote:
    """Raises NoBatch."""
    try:
        batch = msgspec.convert(found, _Batch)
    except msgspec.ValidationError as error:
        raise NoBatch(error) from None
    counts = batch.request_counts or _Counts()
    return Remote(
        id=batch.id,
        status=batch.status,
        ended=batch.status in ENDED,
        total=counts.total,
        done=counts.completed,
        failed=counts.failed,
        results=tuple(file for file in (batch.output_file_id, batch.error_file_id) if file),
        refused=_errors(batch.errors) if batch.status == "failed" else "",
        token=str(batch.metadata.get(TOKEN) or "") if isinstance(batch.metadata, dict) else "",
        source=batch.input_file_id or "",
    )


def _errors(errors: Any) -> str:
    """The first complaints about a file as a whole."""
    listed = errors.get("data") if isinstance(errors, dict) else None
    said = [error for error in listed or () if isinstance(error, dict)]
    words = [": ".join(str(error[name]) for name in ("code", "message") if error.get(name)) for error in said[:SHOWN_ERRORS]]
    return "; ".join(words) or "without a reason"
