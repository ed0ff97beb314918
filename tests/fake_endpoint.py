"""An OpenAI-compatible endpoint on loopback, over real HTTP, in a thread of its own, that behaves as badly as it is told to.

    def answer(call: Call) -> Behaviour:
        return Status(429, headers={"Retry-After": "1"}) if call.nth == 1 else Completion("YES")

    with FakeEndpoint(answer) as endpoint:
        ...endpoint.base_url...
    assert endpoint.most_for_one_body == 1

The function is called in the endpoint's thread, once per request; `nth` counts requests with the same body from 1.

A test waits for what happens, whatever the machine is busy with: `wait_for_calls` until so many calls have come; and an endpoint
that is `held` lets nobody go before `release`, so that calls are under way for as long as the test needs them to be.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import struct
import subprocess
import threading
import time
import weakref
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from tests.waiting import HUNG


@dataclass(frozen=True)
class Call:
    """A request as it came; the body of a GET is empty. nth: how many times this body has come, from 1. at: seconds on the endpoint's clock."""

    body: dict[str, Any]
    headers: dict[str, str]
    path: str
    nth: int
    at: float

    @property
    def text(self) -> str:
        """The last message."""
        return str(self.body["messages"][-1]["content"])


class Behaviour:
    """What the endpoint does with one call. latency: seconds before it does anything. after: what it waits for before that."""

    latency: float = 0.0
    after: threading.Event | None = None


@dataclass(frozen=True)
class Completion(Behaviour):
    """A chat completion. message: replaces the message object. more: replaces top-level fields (None leaves one out)."""

    text: str | None = "Fine."
    finish: str | None = "stop"
    message: dict[str, Any] | None = None
    more: dict[str, Any] = field(default_factory=dict)
    prompt_tokens: int = 100
    completion_tokens: int = 10
    headers: dict[str, str] = field(default_factory=dict)
    latency: float = 0.0
    after: threading.Event | None = None

    def body(self, model: str) -> bytes:
        whole: dict[str, Any] = {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "model": model,
            "choices": [
                {
                    "index": 0,
                    "message": self.message or {"role": "assistant", "content": self.text},
                    "finish_reason": self.finish,
                }
            ],
            "usage": {
                "prompt_tokens": self.prompt_tokens,
                "completion_tokens": self.completion_tokens,
                "total_tokens": self.prompt_tokens + self.completion_tokens,
            },
        } | self.more
        return json.dumps({name: value for name, value in whole.items() if value is not None}).encode()


@dataclass(frozen=True)
class Status(Behaviour):
    """Any status. error: the `error` object of the body; raw: the body itself, instead."""

    status: int
    error: Any = None
    raw: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    latency: float = 0.0
    after: threading.Event | None = None

    def body(self) -> bytes:
        return json.dumps({"error": self.error or {"message": "no", "code": None}}).encode() if self.raw is None else self.raw


@dataclass(frozen=True)
class Reset(Behaviour):
    """TCP reset instead of an answer."""

    latency: float = 0.0


@dataclass(frozen=True)
class Stall(Behaviour):
    """Silence: before the headers, or in the middle of the body."""

    mid_body: bool = False
    latency: float = 0.0


@dataclass(frozen=True)
class HalfAnswer(Behaviour):
    """The connection is closed in the middle of the body."""

    latency: float = 0.0


@dataclass(frozen=True)
class Flood(Behaviour):
    """A body of this many bytes."""

    size: int
    latency: float = 0.0


@dataclass(frozen=True)
class Drip(Behaviour):
    """A completion that comes a few bytes at a time, `pause` seconds apart."""

    text: str = "Fine."
    bytes_at_once: int = 20
    pause: float = 0.05
    latency: float = 0.0


@dataclass(frozen=True)
class Raw(Behaviour):
    """These bytes in place of an HTTP answer, and the connection closed after them, or left open."""

    data: bytes
    close: bool = True
    latency: float = 0.0


AnswerFunction = Callable[[Call], Behaviour]


class FakeEndpoint:
    """calls: everything that came, in order. at_once: calls under way now; most_at_once: the most there were."""

    def __init__(self, answer: AnswerFunction | Behaviour | None = None, *, held: bool = False) -> None:
        self._answer: AnswerFunction = answer if callable(answer) else lambda call: answer or Completion()
        self.calls: list[Call] = []
        self.most_at_once = 0
        self.at_once = 0
        self._came = threading.Condition()
        self._released = asyncio.Event()
        if not held:
            self._released.set()
        self._bodies: Counter[bytes] = Counter()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fake-endpoint", daemon=True)
        self._transports: weakref.WeakSet[asyncio.WriteTransport] = weakref.WeakSet()
        self._connections: set[asyncio.Task[None]] = set()

    @property
    def most_for_one_body(self) -> int:
        """How often the most frequent body was sent."""
        return max(self._bodies.values(), default=0)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def wait_for_calls(self, count: int, *, caller: subprocess.Popen[Any] | None = None) -> None:
        """Until so many calls have come, in all. caller: the process that makes them, which may end before there are so many."""
        given_up = time.monotonic() + HUNG
        with self._came:
            while len(self.calls) < count and (caller is None or caller.poll() is None):
                assert time.monotonic() < given_up, f"only {len(self.calls)} of {count} calls came"
                self._came.wait(0.05)

    def release(self) -> None:
        """Answer what was held, and from now on at once."""
        self._loop.call_soon_threadsafe(self._released.set)

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(
            asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=1024), self._loop
        ).result(HUNG)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        asyncio.run_coroutine_threadsafe(self._shut(), self._loop).result(HUNG)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(HUNG)
        self._loop.close()

    async def _shut(self) -> None:
        await asyncio.sleep(0.005)  # who came at the last moment is served, or his socket would stay open
        self._server.close()
        await asyncio.sleep(0)
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        for transport in self._transports:
            transport.abort()  # what is still to be sent to somebody who has gone would keep the socket open
        await asyncio.sleep(0.005)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        self._transports.add(writer.transport)
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                while await self._one(reader, writer):
                    pass
        finally:
            self._connections.discard(task)
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Serve one request; whether the connection goes on."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        data = await reader.readexactly(int(headers.get("content-length", "0")))
        self._bodies[data] += 1
        call = Call(json.loads(data) if data else {}, headers, head[0].split(" ")[1], self._bodies[data], self._loop.time())
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        with self._came:
            self.calls.append(call)
            self._came.notify_all()
        try:
            behaviour = self._answer(call)
            await self._released.wait()
            if behaviour.after is not None:
                await asyncio.to_thread(behaviour.after.wait, HUNG)
            await asyncio.sleep(behaviour.latency)
            return await self._behave(behaviour, call, writer)
        finally:
            self.at_once -= 1

    async def _behave(self, behaviour: Behaviour, call: Call, writer: asyncio.StreamWriter) -> bool:
        match behaviour:
            case Completion():
                return await _send(writer, 200, behaviour.body(call.body["model"]), behaviour.headers)
            case Status():
                return await _send(writer, behaviour.status, behaviour.body(), behaviour.headers)
            case Flood():
                return await _send(writer, 200, b" " * behaviour.size, {})
            case Reset():
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                writer.transport.abort()
                await asyncio.sleep(0)  # let the transport close its socket before anything else is done with it
            case HalfAnswer():
                writer.write(_head(200, 5000, {}) + b'{"choices": [')
                await writer.drain()
            case Drip():
                body = Completion(behaviour.text).body(call.body["model"])
                writer.write(_head(200, len(body), {}))
                for start in range(0, len(body), behaviour.bytes_at_once):
                    writer.write(body[start : start + behaviour.bytes_at_once])
                    await writer.drain()
                    await asyncio.sleep(behaviour.pause)
                return True
            case Raw():
                writer.write(behaviour.data)
                await writer.drain()
                return not behaviour.close
            case Stall():
                if behaviour.mid_body:
                    writer.write(_head(200, 5000, {}) + b'{"choices": [')
                    await writer.drain()
                await asyncio.sleep(3600)
            case _:
                raise AssertionError(f"unknown behaviour {behaviour}")
        return False


def _head(status: int, length: int, headers: dict[str, str]) -> bytes:
    lines = {"Content-Type": "application/json", "Content-Length": str(length)} | headers
    return "\r\n".join([f"HTTP/1.1 {status} X", *(f"{name}: {value}" for name, value in lines.items()), "", ""]).encode()


async def _send(writer: asyncio.StreamWriter, status: int, body: bytes, headers: dict[str, str]) -> bool:
    writer.write(_head(status, len(body), headers) + body)
    await writer.drain()
    return True
