"""Exchanges over libcurl, driven by the event loop. One attempt each: no retry, no redirect, no cookie, no proxy."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Collection
from types import ModuleType, TracebackType
from typing import Any, Self

from finetune_prep.http.exchange import MOST_BYTES, Answer, Call, IPAddress, NoAnswer, Upload
from finetune_prep.http.transfer import Transfer, read_headers

MOST_IDLE = 1024  # connections that are kept open
MOST_WAITING = 1024 * 1024  # bytes of a stream that have come and nobody has taken yet
# Seconds without using connections again, after one that was used again turned out to be dead: since 8.22 libcurl looks at most
# once a second whether the other side has hung up, and there are endpoints that do so after each answer without announcing it.
WARY_SECONDS = 60.0


def open_client(*, most_bytes: int = MOST_BYTES, only_to: Collection[IPAddress] | None = None) -> Client:
    """A client for one event loop; close it. The whole program gets at HTTP here.

    most_bytes: of the body of one answer that is read at once. only_to: the addresses at which every name is looked for, and the
    only ones to which a socket is opened; None = wherever the system's resolver leads.
    """
    import pycurl  # libcurl, 16 ms and 6 MB, which replays and batch files do without

    return Client(pycurl, most_bytes, only_to)


class Client:
    """Made by `open_client`. Keeps connections open and uses them again; belongs to one event loop.

    libcurl: the module pycurl.
    """

    def __init__(self, libcurl: ModuleType, most_bytes: int, only_to: Collection[IPAddress] | None) -> None:
        self._libcurl = libcurl
        self._most_bytes = most_bytes
        self._only_to = only_to
        self._multi = libcurl.AsyncCurlMulti()
        self._multi.setopt(libcurl.M_MAXCONNECTS, MOST_IDLE)
        self._idle: list[Transfer] = []
        self._wary_until = float("-inf")

    async def send(self, call: Call, data: bytes | Upload = b"") -> Answer:
        """Send a request and read the answer. Raises NoAnswer; cancelled, it drops the connection."""
        transfer = self._idle.pop() if self._idle else self._transfer()
        transfer.begin(call, data, self._most_bytes, fresh=asyncio.get_running_loop().time() < self._wary_until)
        try:
            await self._multi.add_handle(transfer.curl)
        except self._libcurl.error as error:
            failure = self._failure(transfer, *error.args)
            self._idle.append(transfer)
            raise failure from None
        answer = transfer.answer()
        self._idle.append(transfer)  # not in a `finally`: libcurl lets go of a cancelled transfer only some time later
        return answer

    @contextlib.asynccontextmanager
    async def stream(self, call: Call) -> AsyncIterator[Stream]:
        """An answer whose headers have come; its body is read as it comes. Raises NoAnswer, then or while it is read.

        Whoever leaves before the end drops the connection.
        """
        transfer = self._transfer()
        transfer.begin(call, b"", 0, fresh=False)
        stream = Stream(transfer)
        done = self._multi.add_handle(transfer.curl)
        done.add_done_callback(lambda done: stream.end(self._failure_of(transfer, done)))
        try:
            await stream.opened()
            yield stream
        finally:
            done.cancel()

    def _transfer(self) -> Transfer:
        return Transfer(self._libcurl.Curl(), self._only_to)

    def _failure_of(self, transfer: Transfer, done: asyncio.Future[Any]) -> NoAnswer | None:
        """Why a stream broke off; None if the answer is whole, or nobody waits for it any more."""
        error = None if done.cancelled() else done.exception()
        return transfer.failure(*error.args) if isinstance(error, self._libcurl.error) else None

    def _failure(self, transfer: Transfer, code: int, message: str) -> NoAnswer:
        if code == self._libcurl.E_SEND_FAIL_REWIND:
            message = "the endpoint had closed it, or closed it just then"
            self._wary_until = asyncio.get_running_loop().time() + WARY_SECONDS
        return transfer.failure(code, message)

    async def close(self) -> None:
        await self._multi.aclose()
        for transfer in self._idle:
            transfer.curl.close()
        self._idle.clear()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()


class Stream:
    """An answer that is still coming. It comes no faster than it is read.

    status, headers: known when the stream is opened.
    """

    def __init__(self, transfer: Transfer) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self._transfer = transfer
        self._lines: list[bytes] = []
        self._lines_of = 0  # the status to which the lines belong: interim answers come before the final one
        self._parts: deque[bytes] = deque()
        self._waiting = 0
        self._paused = False
        self._ended = False
        self._failure: NoAnswer | None = None
        self._news = asyncio.Event()
        transfer.hand_over(self._line, self._part)

    async def opened(self) -> None:
        """Wait for the headers."""
        while not self.status and not self._ended:
            await self._wait()
        if not self.status:
            raise self._failure or NoAnswer("the connection broke: no answer came")

    async def read(self) -> bytes:
        """What has come since the last time; b"" at the end. Raises NoAnswer if the answer breaks off."""
        while not self._parts and not self._ended:
            await self._wait()
        if not self._parts and self._failure is not None:
            raise self._failure
        data = b"".join(self._parts)
        self._parts.clear()
        self._waiting = 0
        if self._paused and not self._ended:
            self._paused = False
            self._transfer.curl.pause(self._transfer.curl.PAUSE_CONT)
        return data

    async def _wait(self) -> None:
        self._news.clear()
        await self._news.wait()

    def _line(self, line: bytes) -> None:
        self._lines.append(line)
        if line.startswith(b"HTTP/"):
            self._lines_of = int(line.split()[1][:3])
        elif not line.strip() and not self.status and not 100 <= self._lines_of < 200:
            self.status, self.headers = self._lines_of, read_headers(self._lines)
            self._news.set()

    def _part(self, part: bytes) -> int:
        if self._waiting > MOST_WAITING:
            self._paused = True
            return int(self._transfer.curl.WRITEFUNC_PAUSE)
        self._parts.append(part)
        self._waiting += len(part)
        self._news.set()
        return len(part)

    def end(self, failure: NoAnswer | None) -> None:
        """No more will come. failure: None if the answer is whole."""
        self._ended = True
        self._failure = failure
        self._news.set()
