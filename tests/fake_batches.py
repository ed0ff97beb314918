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
import json
import random
import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Literal, Self

from aiohttp import web

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
    """The connection is broken at once (`then` is called), and the call is carried out so many seconds later all the same."""

    seconds: float
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
        self._later: set[asyncio.Task[Any]] = set()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
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

    def wait_for_ours(self) -> None:
        """Until there is a batch of ours."""
        deadline = time.monotonic() + 30
        while not self.ours:
            assert time.monotonic() < deadline, "no batch came"
            time.sleep(0.01)

    # the server

    async def _start(self) -> None:
        app = web.Application(client_max_size=2**30, middlewares=[self._guard])
        app.router.add_post("/v1/files", self._upload)
        app.router.add_get("/v1/files/{id}/content", self._content)
        app.router.add_get("/v1/somewhere/{id}", self._results)
        for path in ("/v1/batches", "/v1/messages/batches"):
            app.router.add_post(path, self._create)
            app.router.add_get(path, self._list)
            app.router.add_get(path + "/{id}", self._look)
            app.router.add_post(path + "/{id}/cancel", self._cancel)
            app.router.add_get(path + "/{id}/results", self._results)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def _stop(self) -> None:
        for task in self._later:
            task.cancel()
        await asyncio.gather(*self._later, return_exceptions=True)
        await self._runner.cleanup()
        rest = asyncio.all_tasks() - {asyncio.current_task()}  # connections whose client was killed
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    @web.middleware
    async def _guard(self, request: web.Request, handler: Any) -> web.StreamResponse:
        if request.match_info.http_exception is not None:
            return self._error(404, "no such address", "not_found_error")
        bearer = request.headers.get("Authorization", "")[7:]
        sent = request.headers.get("x-api-key", bearer) if self.api == "anthropic" else bearer
        if sent != KEY:
            return self._error(401, f"the key {sent} is not valid", "authentication_error")
        if self.api == "anthropic" and "anthropic-version" not in request.headers:
            return self._error(400, "anthropic-version: header is required", "invalid_request_error")
        name = {"_upload": "upload", "_content": "results"}.get(handler.__name__, handler.__name__[1:])
        self.calls[name] += 1
        fault = self.fault(name, self.calls[name])
        if name != "upload":
            await request.read()  # a call is heard whole, whatever is done with it
        if isinstance(fault, Status):
            return self._error(fault.status, fault.message, fault.kind, fault.headers)
        if isinstance(fault, Late):
            self._later.add(asyncio.ensure_future(self._carry_out_later(request, handler, fault.seconds)))
        elif not (isinstance(fault, Reset) and not fault.done):
            response: web.StreamResponse = await handler(request)
            if isinstance(fault, Cut):
                return await self._cut(request, response, fault)
            if fault is None:
                return response
        assert isinstance(fault, Reset | Late)
        fault.then()
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=500)

    async def _carry_out_later(self, request: web.Request, handler: Any, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await handler(request)

    async def _cut(self, request: web.Request, whole: web.StreamResponse, fault: Cut) -> web.StreamResponse:
        assert isinstance(whole, web.Response)
        body = whole.body
        assert isinstance(body, bytes)
        part = body[: fault.after]
        if fault.cleanly:
            return web.Response(body=part[: part.rfind(b"\n") + 1])
        response = web.StreamResponse(headers={"Content-Length": str(len(body))})
        await response.prepare(request)
        await response.write(part)
        await asyncio.sleep(0.02)
        if request.transport is not None:
            request.transport.abort()
        return response

    async def _upload(self, request: web.Request) -> web.Response:
        form = await request.post()
        file = form["file"]
        if form.get("purpose") != "batch" or not isinstance(file, web.FileField):
            return self._error(400, "purpose", "invalid_request_error")
        name = f"file-{len(self.files)}"
        self.files[name] = file.file.read()
        return web.json_response({"id": name, "object": "file", "purpose": "batch"})

    async def _create(self, request: web.Request) -> web.Response:
        body = await request.json()
        try:
            batch = self._new_openai(body) if self.api == "openai" else self._new_anthropic(body)
        except (AssertionError, KeyError, TypeError) as error:
            return self._error(400, f"{type(error).__name__} {error}", "invalid_request_error")
        return web.json_response(self._described(batch))

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

    async def _list(self, request: web.Request) -> web.Response:
        newest = sorted(self.batches.values(), key=lambda batch: -batch.created)
        after = request.query.get("after" if self.api == "openai" else "after_id")
        if after:
            newest = newest[[batch.id for batch in newest].index(after) + 1 :]
        limit = min(int(request.query.get("limit", "20")), 3)  # pages are short, so that there are several
        page = newest[:limit]
        return web.json_response({"data": [self._described(batch) for batch in page], "has_more": len(newest) > len(page)})

    async def _look(self, request: web.Request) -> web.Response:
        batch = self.batches.get(request.match_info["id"])
        return web.json_response(self._described(batch)) if batch else self._error(404, "no such batch", "not_found_error")

    async def _cancel(self, request: web.Request) -> web.Response:
        batch = self.batches[request.match_info["id"]]
        if self._ended(batch):
            return self._error(409, "the batch has ended", "invalid_request_error")
        batch.status = "cancelling" if self.api == "openai" else "canceling"
        return web.json_response(self._described(batch))

    async def _content(self, request: web.Request) -> web.Response:
        name, _, kind = request.match_info["id"].partition(".")
        batch = self.batches[name]
        return self._lines(
            {custom_id: row for custom_id, row in batch.rows.items() if self._succeeded(row) == (kind == "output")}
        )

    async def _results(self, request: web.Request) -> web.Response:
        batch = self.batches[request.match_info["id"]]
        canceled = {custom_id: {"result": {"type": "canceled"}} for custom_id in batch.requests}
        return self._lines(canceled | batch.rows)

    def _lines(self, rows: dict[str, dict[str, Any]]) -> web.Response:
        shuffled = random.Random(len(rows)).sample(list(rows.items()), len(rows))
        return web.Response(body="".join(json.dumps({"custom_id": name} | row) + "\n" for name, row in shuffled).encode())

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

    def _error(self, status: int, message: str, kind: str, headers: dict[str, str] | None = None) -> web.Response:
        return web.json_response(
            {"type": "error", "error": {"type": kind, "message": message, "code": None}}, status=status, headers=headers or {}
        )
