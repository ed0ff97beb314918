"""A small internet on loopback, over real HTTP: one address that counts as public, and ears on the private ones.

    with FakeWeb({"/page": html("<p>…")}) as web:
        page = await web.fetcher().fetch(web.url("/page"))
    assert web.overheard == 0

127.0.0.77 stands for the public internet: a fetcher made here takes that one address for public, and all others for what they are.
(Linux answers on all of 127.0.0.0/8 without further ado.) On 127.0.0.1, 127.0.0.2 and ::1 somebody listens on the same port and counts who comes.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from finetune_prep.sources.fetching.addresses import IPAddress, refusal
from finetune_prep.sources.fetching.fetch import Fetcher
from tests.waiting import HUNG

PUBLIC = "127.0.0.77"
PRIVATE = ("127.0.0.1", "127.0.0.2", "::1")


@dataclass(frozen=True)
class Answer:
    """What one path gives. chunks: the body, piece by piece, perhaps endless; pause: seconds before each; chunked: no length named."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    chunks: Callable[[], Iterator[bytes]] | None = None
    pause: float = 0.0
    latency: float = 0.0


def html(body: str, **headers: str) -> Answer:
    return Answer(headers={"Content-Type": "text/html; charset=utf-8"} | headers, body=body.encode())


def redirect(to: str, status: int = 302) -> Answer:
    return Answer(status=status, headers={"Location": to, "Set-Cookie": "id=1; Path=/"})


@dataclass(frozen=True)
class Visit:
    host: str
    path: str
    headers: Mapping[str, str]


class FakeWeb:
    """visits: requests to the public address. at_work: those being answered. overheard: connections to private ones.

    asked_names: what was to be resolved.
    """

    def __init__(
        self, pages: Mapping[str, Answer] | None = None, names: Mapping[str, Sequence[Sequence[str]]] | None = None
    ) -> None:
        self.pages = dict(pages or {})
        self._names = {host: list(answers) for host, answers in (names or {}).items()}
        self.visits: list[Visit] = []
        self.asked_names: list[str] = []
        self.at_work = 0
        self.overheard = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fake-web", daemon=True)
        self._tasks: set[asyncio.Task[None]] = set()
        self._servers: list[asyncio.Server] = []

    def url(self, path: str, host: str = "larch.example") -> str:
        return f"http://{host}:{self.port}{path}"

    def fetcher(self, seconds: float = 3600.0) -> Fetcher:
        """A fetcher for which PUBLIC is public, and this port one of the web."""
        return Fetcher(resolve=self._resolve, refusal=_refusal, ports=frozenset({80, 443, self.port}), seconds=seconds)

    async def _resolve(self, host: str, port: int) -> Sequence[IPAddress]:
        """The next answer about a name; its last one stays. Unknown names under .example are public."""
        self.asked_names.append(host)
        answers = self._names.get(host)
        if answers is None:
            return [ipaddress.ip_address(PUBLIC)] if host.endswith(".example") else []
        found = answers.pop(0) if len(answers) > 1 else answers[0]
        return [ipaddress.ip_address(address) for address in found]

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._open(), self._loop).result(HUNG)
        return self

    async def _open(self) -> None:
        public = await asyncio.start_server(self._serve, PUBLIC, 0)
        self.port: int = public.sockets[0].getsockname()[1]
        self._servers = [public]
        for address in PRIVATE:
            with contextlib.suppress(OSError):  # a machine may have no IPv6
                self._servers.append(await asyncio.start_server(self._overhear, address, self.port))

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        asyncio.run_coroutine_threadsafe(self._shut(), self._loop).result(HUNG)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(HUNG)
        self._loop.close()

    async def _shut(self) -> None:
        await asyncio.sleep(0.01)
        for server in self._servers:
            server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.sleep(0.01)

    async def _overhear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.overheard += 1
        writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await self._answer(reader, writer)
        finally:
            self._tasks.discard(task)
            writer.transport.abort() if task.cancelled() else writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        path = head[0].split(" ")[1]
        self.at_work += 1
        self.visits.append(Visit(headers.get("host", ""), path, headers))
        try:
            await self._give(path, writer)
        finally:
            self.at_work -= 1

    async def _give(self, path: str, writer: asyncio.StreamWriter) -> None:
        answer = self.pages.get(path, Answer(status=404, headers={"Content-Type": "text/html"}, body=b"no"))
        await asyncio.sleep(answer.latency)
        lines = dict(answer.headers)
        if answer.chunks is None:
            lines.setdefault("Content-Length", str(len(answer.body)))
        writer.write("\r\n".join([f"HTTP/1.1 {answer.status} X", *(f"{n}: {v}" for n, v in lines.items()), "", ""]).encode())
        for piece in answer.chunks() if answer.chunks else [answer.body]:
            if answer.pause:
                await asyncio.sleep(answer.pause)
            writer.write(piece)
            await writer.drain()


def _refusal(ip: IPAddress) -> str:
    return "" if str(ip) == PUBLIC else refusal(ip)
