"""The Batch APIs of OpenAI and Anthropic on loopback, over real HTTP, in a thread of their own.

    with FakeBatches("openai") as fake:
        ...fake.base_url...
        fake.work()                      # all batches are done
        assert fake.billed == {key: 1}

They check what they are sent as the real ones do, work only when told to, give results in any order, and count what they would
bill. `fault` says what goes wrong with a call: a function of the call's name ("upload", "create", "list", "look", "cancel",
"results") and how often it has come, that returns one of the faults below or None.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import re
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from email import message_from_bytes
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.waiting import HUNG

KEY = "sk-larch-batch-0123456789"
CUSTOM_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
Api = Literal["openai", "anthropic"]


@dataclass(frozen=True)
class Status:
    """An answer of this status instead of what was asked for, which is not done."""

    status: int
    message: str = "no"
    kind: str = "api_error"
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Reset:
    """The connection is broken, before the call is carried out or after it; `then` is called at that moment."""

    done: bool
    then: Callable[[], None] = lambda: None


@dataclass(frozen=True)
class Late:
    """The connection is broken at once (`then` is called), and the call is carried out all the same, at `carry_out`."""

    then: Callable[[], None] = lambda: None


@dataclass(frozen=True)
class Cut:
    """The results break off after so many bytes; with `cleanly`, as if they ended there."""

    after: int
    cleanly: bool = False


Fault = Status | Reset | Late | Cut | None
Answer = Callable[[str, dict[str, Any]], dict[str, Any]]


@dataclass
class Batch:
    """One batch. requests: parameters by custom_id. rows: results by custom_id."""

    id: str
    requests: dict[str, dict[str, Any]]
    metadata: dict[str, str]
    created: int
    status: str
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    errors: list[dict[str, Any]] = field(default_factory=list)
    source: str = ""


class FakeBatches:
    """calls: how often each came. billed: by key, how often a request was worked on. bodies: what was asked, by key."""

    def __init__(self, api: Api, fault: Callable[[str, int], Fault] = lambda name, nth: None) -> None:
        self.api = api
        self.fault = fault
        self.calls: Counter[str] = Counter()
        self.billed: Counter[str] = Counter()
        self.bodies: dict[str, dict[str, Any]] = {}
        self.batches: dict[str, Batch] = {}
        self.files: dict[str, bytes] = {}
        self.strangers = 0
        self.keeps_metadata = True
        self.results_at = ""  # another host for results_url
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fake-batches", daemon=True)
        self._late: list[tuple[Callable[[_Call], _Answer], _Call]] = []
        self._talks: set[asyncio.Task[Any]] = set()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(HUNG)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(HUNG)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(HUNG)
        self._loop.close()

    # what tests do

    def work(self, answer: Answer | None = None, *, end: str = "", only: int | None = None) -> None:
        """Work on all batches that have not ended, and end them.

        answer: the row for a key and its parameters (`good` by default). end: the status in which they end. only: so many
        requests of each are worked on, the others have no row of their own.
        """
        for batch in self.batches.values():
            if not self._ended(batch):
                for custom_id, params in list(batch.requests.items())[:only]:
                    key = custom_id.partition("-")[0]
                    batch.rows[custom_id] = (answer or self.good)(key, params)
                    self.billed[key] += self._is_billed(batch.rows[custom_id])
                batch.status = end or ("completed" if self.api == "openai" else "ended")

    def good(self, key: str, params: dict[str, Any]) -> dict[str, Any]:
        """An answer that says back the last message."""
        return self.answered(params["messages"][-1]["content"])

    def answered(self, text: str, finish: str = "") -> dict[str, Any]:
        if self.api == "openai":
            body = {
                "id": "chatcmpl-1",
                "model": "larch-1",
                "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish or "stop"}],
                "usage": {"prompt_tokens": 100, "completion_tokens": 10},
            }
            return {"response": {"status_code": 200, "request_id": "r", "body": body}, "error": None}
        message = {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "larch-1",
            "content": [{"type": "text", "text": text}],
            "stop_reason": finish or "end_turn",
            "usage": {"input_tokens": 100, "output_tokens": 10},
        }
        return {"result": {"type": "succeeded", "message": message}}

    def refused(self, message: str = "prompt is too long") -> dict[str, Any]:
        """Refused for good."""
        if self.api == "openai":
            body = {"error": {"message": message, "type": "invalid_request_error", "code": None}}
            return {"response": {"status_code": 400, "request_id": "r", "body": body}, "error": None}
        inner = {"type": "invalid_request_error", "message": message}
        return {"result": {"type": "errored", "error": {"type": "error", "error": inner, "request_id": None}}}

    def expired(self) -> dict[str, Any]:
        if self.api == "openai":
            return {
                "response": None,
                "error": {"code": "batch_expired", "message": "This request could not be executed in time."},
            }
        return {"result": {"type": "expired"}}

    def failed(self) -> dict[str, Any]:
        """Failed in passing, on the provider's side."""
        if self.api == "openai":
            body = {"error": {"message": "The server had an error", "type": "server_error"}}
            return {"response": {"status_code": 500, "request_id": "r", "body": body}, "error": None}
        return {"result": {"type": "errored", "error": {"type": "error", "error": {"type": "api_error", "message": "Internal"}}}}

    def somebody_elses(self, size: int, *, ended: bool = False) -> Batch:
        """A batch of the same account that has nothing to do with us."""
        self.strangers += 1
        requests = {f"other-{self.strangers}-{n}": {"messages": [{"content": "?"}]} for n in range(size)}
        batch = self._new(requests, {})
        if ended:
            batch.rows = {custom_id: self.answered("theirs") for custom_id in requests}
            batch.status = "completed" if self.api == "openai" else "ended"
        return batch

    @property
    def ours(self) -> list[Batch]:
        return [batch for batch in self.batches.values() if not next(iter(batch.requests)).startswith("other")]

    def carry_out(self) -> None:
        """Do what was asked for in the calls that are Late, now that nobody waits for an answer any more."""
        for handler, call in self._late:
            handler(call)
        self._late.clear()

    # the server

    async def _start(self) -> None:
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _stop(self) -> None:
        self._server.close()
        for task in self._talks:
            task.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._talks.add(task)
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                while await self._one(reader, writer):
                    pass
        finally:
            self._talks.discard(task)
            writer.transport.abort()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Serve one request; whether the connection goes on."""
        lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, target, _ = lines[0].split(" ")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:] if line)}
        parts = urlsplit(target)
        call = _Call(method, unquote(parts.path), dict(parse_qsl(parts.query)), headers)
        name, handler = self._handler(call)
        fault = None
        refused = self._refused(call) if handler else self._error(404, "no such address", "not_found_error")
        if refused is None:
            self.calls[name] += 1
            fault = self.fault(name, self.calls[name])
        if not (
            name == "upload" and isinstance(fault, Status | Reset)
        ):  # every other call is heard whole, whatever is done with it
            call.body = await reader.readexactly(int(headers.get("content-length", "0")))
        if refused is not None or isinstance(fault, Status):
            answer = refused or self._error(fault.status, fault.message, fault.kind, fault.headers)  # type: ignore[union-attr]
            await answer.send(writer)
            return refused is not None or name != "upload"
        if isinstance(fault, Late):
            self._late.append((handler, call))
        elif not (isinstance(fault, Reset) and not fault.done):
            answer = handler(call)
            if not isinstance(fault, Reset):
                return await self._give(answer, fault, writer)
        assert isinstance(fault, Reset | Late)
        fault.then()
        return False

    def _handler(self, call: _Call) -> tuple[str, Callable[[_Call], _Answer]]:
        """The name of a call and what carries it out; a name of nothing at an address that there is not."""
        for method, pattern, name, handler in (
            ("POST", r"/v1/files", "upload", self._upload),
            ("GET", r"/v1/files/([^/]+)/content", "results", self._content),
            ("GET", r"/v1/somewhere/([^/]+)", "results", self._results),
            ("POST", r"/v1(?:/messages)?/batches", "create", self._create),
            ("GET", r"/v1(?:/messages)?/batches", "list", self._list),
            ("GET", r"/v1(?:/messages)?/batches/([^/]+)", "look", self._look),
            ("POST", r"/v1(?:/messages)?/batches/([^/]+)/cancel", "cancel", self._cancel),
            ("GET", r"/v1(?:/messages)?/batches/([^/]+)/results", "results", self._results),
        ):
            if call.method == method and (found := re.fullmatch(pattern, call.path)):
                call.id = found[1] if found.lastindex else ""
                return name, handler
        return "", self._nothing

    def _refused(self, call: _Call) -> _Answer | None:
        bearer = call.headers.get("authorization", "")[7:]
        sent = call.headers.get("x-api-key", bearer) if self.api == "anthropic" else bearer
        if sent != KEY:
            return self._error(401, f"the key {sent} is not valid", "authentication_error")
        if self.api == "anthropic" and "anthropic-version" not in call.headers:
            return self._error(400, "anthropic-version: header is required", "invalid_request_error")
        return None

    async def _give(self, answer: _Answer, fault: Cut | None, writer: asyncio.StreamWriter) -> bool:
        """Send an answer, or a part of it; whether the connection goes on."""
        if fault is not None and fault.cleanly:
            part = answer.body[: fault.after]
            answer = _Answer(part[: part.rfind(b"\n") + 1])
        elif fault is not None:
            await answer.send(writer, fault.after)
            await asyncio.sleep(0.02)
            return False
        await answer.send(writer)
        return True

    def _nothing(self, call: _Call) -> _Answer:
        return self._error(404, "no such address", "not_found_error")

    def _upload(self, call: _Call) -> _Answer:
        form = message_from_bytes(f"Content-Type: {call.headers['content-type']}\r\n\r\n".encode() + call.body)
        fields = {
            str(part.get_param("name", header="Content-Disposition")): part for part in form.walk() if not part.is_multipart()
        }
        if "purpose" not in fields or fields["purpose"].get_payload() != "batch" or not fields["file"].get_filename():
            return self._error(400, "purpose", "invalid_request_error")
        name = f"file-{len(self.files)}"
        data = fields["file"].get_payload(decode=True)
        assert isinstance(data, bytes)
        self.files[name] = data
        return _json({"id": name, "object": "file", "purpose": "batch"})

    def _create(self, call: _Call) -> _Answer:
        body = json.loads(call.body)
        try:
            batch = self._new_openai(body) if self.api == "openai" else self._new_anthropic(body)
        except (AssertionError, KeyError, TypeError) as error:
            return self._error(400, f"{type(error).__name__} {error}", "invalid_request_error")
        return _json(self._described(batch))

    def _new_openai(self, body: dict[str, Any]) -> Batch:
        rows = [json.loads(line) for line in self.files[body["input_file_id"]].splitlines()]
        assert (body["endpoint"], body["completion_window"]) == ("/v1/chat/completions", "24h"), "endpoint"
        assert all(isinstance(value, str) and len(value) <= 512 for value in body.get("metadata", {}).values()), "metadata"
        assert all((row["method"], row["url"]) == ("POST", body["endpoint"]) for row in rows), "method, url"
        assert len({row["body"]["model"] for row in rows}) == 1, "one model"
        assert 0 < len(rows) <= 50_000, "too many"
        requests = {row["custom_id"]: row["body"] for row in rows}
        assert len(requests) == len(rows), "custom_id twice"
        batch = self._new(requests, body.get("metadata", {}))
        batch.source = body["input_file_id"]
        return batch

    def _new_anthropic(self, body: dict[str, Any]) -> Batch:
        requests = {row["custom_id"]: row["params"] for row in body["requests"]}
        assert 0 < len(requests) == len(body["requests"]) <= 100_000, "custom_id twice"
        for custom_id, params in requests.items():
            assert CUSTOM_ID.fullmatch(custom_id), "custom_id"
            assert isinstance(params["max_tokens"], int), "max_tokens"
            assert {message["role"] for message in params["messages"]} <= {"user", "assistant"}, "role"
            assert params["messages"][0]["role"] == "user", "first message"
            assert all(message["content"] for message in params["messages"]), "empty message"
        return self._new(requests, {})

    def _new(self, requests: dict[str, dict[str, Any]], metadata: dict[str, str]) -> Batch:
        number = len(self.batches) + 1
        name = f"batch_{number:04d}" if self.api == "openai" else f"msgbatch_{number:04d}"
        batch = Batch(name, requests, metadata, number, "in_progress")
        self.batches[name] = batch
        self.bodies |= {custom_id.partition("-")[0]: params for custom_id, params in requests.items()}
        return batch

    def _list(self, call: _Call) -> _Answer:
        newest = sorted(self.batches.values(), key=lambda batch: -batch.created)
        after = call.query.get("after" if self.api == "openai" else "after_id")
        if after:
            newest = newest[[batch.id for batch in newest].index(after) + 1 :]
        limit = min(int(call.query.get("limit", "20")), 3)  # pages are short, so that there are several
        page = newest[:limit]
        return _json({"data": [self._described(batch) for batch in page], "has_more": len(newest) > len(page)})

    def _look(self, call: _Call) -> _Answer:
        batch = self.batches.get(call.id)
        return _json(self._described(batch)) if batch else self._error(404, "no such batch", "not_found_error")

    def _cancel(self, call: _Call) -> _Answer:
        batch = self.batches[call.id]
        if self._ended(batch):
            return self._error(409, "the batch has ended", "invalid_request_error")
        batch.status = "cancelling" if self.api == "openai" else "canceling"
        return _json(self._described(batch))

    def _content(self, call: _Call) -> _Answer:
        name, _, kind = call.id.partition(".")
        batch = self.batches[name]
        return self._lines(
            {custom_id: row for custom_id, row in batch.rows.items() if self._succeeded(row) == (kind == "output")}
        )

    def _results(self, call: _Call) -> _Answer:
        batch = self.batches[call.id]
        canceled = {custom_id: {"result": {"type": "canceled"}} for custom_id in batch.requests}
        return self._lines(canceled | batch.rows)

    def _lines(self, rows: dict[str, dict[str, Any]]) -> _Answer:
        shuffled = random.Random(len(rows)).sample(list(rows.items()), len(rows))
        return _Answer("".join(json.dumps({"custom_id": name} | row) + "\n" for name, row in shuffled).encode())

    def _described(self, batch: Batch) -> dict[str, Any]:
        done = sum(self._succeeded(row) for row in batch.rows.values())
        if self.api == "openai":
            files = self._ended(batch) and batch.status != "failed"
            return {
                "id": batch.id,
                "object": "batch",
                "status": batch.status,
                "metadata": (self.keeps_metadata and batch.metadata) or None,
                "input_file_id": batch.source or "file-of-somebody-else",
                "created_at": batch.created,
                "output_file_id": f"{batch.id}.output" if files and done else None,
                "error_file_id": f"{batch.id}.errors" if files and done < len(batch.rows) else None,
                "errors": {"object": "list", "data": batch.errors} if batch.errors else None,
                "request_counts": {"total": len(batch.requests), "completed": done, "failed": len(batch.rows) - done},
            }
        ended = self._ended(batch)
        kinds = Counter(row["result"]["type"] for row in batch.rows.values()) if ended else Counter()
        left = len(batch.requests) - kinds.total()
        counts = {"processing": 0 if ended else left, "canceled": left + kinds["canceled"] if ended else 0}
        return {
            "id": batch.id,
            "type": "message_batch",
            "processing_status": batch.status,
            "request_counts": counts | {kind: kinds[kind] for kind in ("succeeded", "errored", "expired")},
            "results_url": f"{self.results_at or self.base_url}/somewhere/{batch.id}" if ended else None,
        }

    def _succeeded(self, row: dict[str, Any]) -> bool:
        if self.api == "openai":
            return bool(row["response"]) and row["response"]["status_code"] == 200
        return row["result"]["type"] == "succeeded"

    def _is_billed(self, row: dict[str, Any]) -> bool:
        return self._succeeded(row)

    def _ended(self, batch: Batch) -> bool:
        return batch.status in ("completed", "failed", "expired", "cancelled", "ended")

    def _error(self, status: int, message: str, kind: str, headers: dict[str, str] | None = None) -> _Answer:
        error = {"type": kind, "message": message, "code": None}
        return _Answer(json.dumps({"type": "error", "error": error}).encode(), status, headers or {})


@dataclass
class _Call:
    """A request. id: what its address names."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes = b""
    id: str = ""


@dataclass(frozen=True)
class _Answer:
    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)

    async def send(self, writer: asyncio.StreamWriter, most: int | None = None) -> None:
        lines = {"Content-Type": "application/json", "Content-Length": str(len(self.body))} | self.headers
        writer.write(
            "\r\n".join([f"HTTP/1.1 {self.status} X", *(f"{name}: {value}" for name, value in lines.items()), "", ""]).encode()
        )
        writer.write(self.body[:most])
        await writer.drain()


def _json(value: Any) -> _Answer:
    return _Answer(json.dumps(value).encode())
