"""HTTP for Batch APIs: small JSON documents, one large file up, large files of lines down.

Every call has a deadline. That of a transfer grows with what is transferred: whoever sends less than SLOWEST bytes a second on
the average is taken for stuck. Passing faults are tried again, except for the one call that costs money.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import msgspec

from finetune_prep.errors import ConfigError, Paused
from finetune_prep.models.batches.api import RERUN, Missing
from finetune_prep.models.providers.http_status import http_date, interpret, wait_asked_for
from finetune_prep.models.providers.provider import Fault
from finetune_prep.models.retry import persist
from finetune_prep.models.secrets import Secret
from finetune_prep.project.config import FILE, ProviderSettings

CONNECT_SECONDS = 15.0
MOST_BYTES = 16 * 1024 * 1024  # of a JSON document, and of one line
CHUNK = 256 * 1024
SLOWEST = 50_000  # bytes a second

MakeBody = Callable[[], Any]  # a new body for every attempt: a stream can be read once


class BatchHttp:
    """One endpoint. headers: sent with every call, the key's among them."""

    def __init__(self, name: str, settings: ProviderSettings, secret: Secret | None, headers: Mapping[str, str]) -> None:
        host = urlsplit(settings.base_url)
        if host.scheme not in ("http", "https") or not host.hostname:
            raise ConfigError(
                f"provider “{name}” has no usable base_url: “{settings.base_url}”",
                where=FILE,
                next='write for example base_url = "https://api.openai.com/v1"',
            )
        self.name = name
        self.host = host.hostname
        self._base = settings.base_url.rstrip("/")
        self._timeout = settings.timeout
        self._secret = secret
        self._headers = dict(headers)
        self._session: aiohttp.ClientSession | None = None

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> Any:
        """A JSON document. Raises Paused."""
        return await self._persistently(lambda: self._json("GET", path, query=query))

    async def post(self, path: str, make: MakeBody, *, weight: int = 0, kind: str | None = "application/json") -> Any:
        """Send what costs nothing if it comes twice. kind: content type, None = the body knows. Raises Paused.

        weight: about so many bytes.
        """
        return await self._persistently(lambda: self._json("POST", path, make=make, weight=weight, kind=kind))

    async def post_once(self, path: str, make: MakeBody, *, size: int = 0) -> Any:
        """Send what must not come twice. size: bytes, if the body is a stream.

        It is tried again only if it cannot have been heard. Raises Fault with `maybe_billed` if it may have been, else Paused.
        """

        async def attempt() -> Any:
            return await self._json("POST", path, make=make, size=size, weight=size, kind="application/json", once=True)

        try:
            return await persist(attempt, self._timeout)
        except Fault as fault:
            if fault.maybe_billed:
                raise
            raise self._out_of_reach(fault) from None

    async def lines(self, path: str) -> AsyncGenerator[bytes, None]:
        """The lines of a file, as they come. Raises Fault if they break off, Paused."""
        loop = asyncio.get_running_loop()
        waited, received, rest = 0.0, 0, b""
        try:
            async with self._streamed(path) as response:
                while True:
                    began = loop.time()
                    async with asyncio.timeout(self._timeout + received / SLOWEST - waited):
                        chunk = await response.content.read(CHUNK)
                    waited += loop.time() - began  # what the reader does with the lines does not count
                    received += len(chunk)
                    *whole, rest = (rest + chunk).split(b"\n")
                    if len(rest) > MOST_BYTES:
                        raise Fault(f"a line is longer than {MOST_BYTES // 1024**2} MiB")
                    for line in whole:
                        if line.strip():
                            yield self._redacted(line)
                    if not chunk:
                        break
        except TimeoutError:
            raise Fault(f"the results come too slowly: {received} bytes in {waited:.0f} s") from None
        except aiohttp.ClientError as error:
            raise self._broken(error, maybe_billed=False) from None
        if rest.strip():
            yield self._redacted(rest)

    @contextlib.asynccontextmanager
    async def _streamed(self, path: str) -> AsyncIterator[aiohttp.ClientResponse]:
        """An answer whose headers have come and say that all is well."""
        async with asyncio.timeout(self._timeout):
            response = await self._connected().get(**self._target(path))
        async with response:
            async with asyncio.timeout(self._timeout):
                await self._check(response)
            yield response

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _persistently(self, attempt: Callable[[], Any]) -> Any:
        try:
            return await persist(attempt, self._timeout)
        except Fault as fault:
            raise self._out_of_reach(fault) from None

    async def _json(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        make: MakeBody | None = None,
        size: int = 0,
        weight: int = 0,
        kind: str | None = None,
        once: bool = False,
    ) -> Any:
        headers = {} if kind is None else {"Content-Type": kind}
        if size:
            headers["Content-Length"] = str(size)
        body = make() if make else None
        try:
            async with (
                asyncio.timeout(self._timeout + weight / SLOWEST),
                self._connected().request(method, **self._target(path), params=query, data=body, headers=headers) as response,
            ):
                await self._check(response, once=once)
                return self._decoded(await self._read(response), once=once)
        except TimeoutError:
            raise Fault(f"no answer within {self._timeout + weight / SLOWEST:.0f} s", maybe_billed=once) from None
        except aiohttp.ClientConnectorError as error:
            raise Fault(f"cannot connect to {self._base}: {error.os_error.strerror or error.os_error}") from None
        except aiohttp.ConnectionTimeoutError:
            raise Fault(f"cannot connect to {self._base} within {CONNECT_SECONDS:g} s") from None
        except aiohttp.ClientError as error:
            raise self._broken(error, maybe_billed=once) from None

    def is_own(self, url: str) -> bool:
        """Whether an address is at this endpoint, so that the key may go there."""
        own, other = urlsplit(self._base), urlsplit(url)
        return (own.scheme, own.netloc) == (other.scheme, other.netloc)

    def _target(self, path: str) -> dict[str, Any]:
        # not followed: a redirected call would carry the key elsewhere
        return {"url": path if self.is_own(path) else self._base + path, "allow_redirects": False}

    async def _check(self, response: aiohttp.ClientResponse, *, once: bool = False) -> None:
        """Raise what a status other than 2xx means. once: a server that fails may have done its work before."""
        if 200 <= response.status < 300:
            return
        body = await self._read(response)
        headers = response.headers
        wait = wait_asked_for(headers.get("retry-after-ms"), headers.get("Retry-After"), http_date(headers.get("Date")))
        if response.status == 409:  # what is asked for is not possible (any more), and trying again will not make it so
            raise Paused("the Batch API says that this conflicts with what is there", where=f"provider “{self.name}”", next=RERUN)
        try:
            detail = interpret(response.status, body, retry_after=wait).detail
        except Fault as fault:
            fault.maybe_billed = once and response.status >= 500
            raise
        except Paused as paused:
            where = f"provider “{self.name}”"
            if response.status == 404:
                raise Missing(paused.what, where=where, next=f"check `base_url` in {FILE}") from None
            raise Paused(paused.what, where=where, next=paused.next) from None
        mend = f"mend it in {FILE}, then {RERUN}"
        raise Paused(f"the Batch API refuses the call ({detail})", where=f"provider “{self.name}”", next=mend)

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        body = bytearray()
        while chunk := await response.content.read(CHUNK):
            body += chunk
            if len(body) > MOST_BYTES:
                response.close()
                raise Fault(f"the answer is longer than {MOST_BYTES // 1024**2} MiB")
        return self._redacted(bytes(body))

    def _decoded(self, body: bytes, *, once: bool) -> Any:
        try:
            found = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise Fault(f"the answer is not JSON: {body[:80].decode(errors='replace')}", maybe_billed=once) from None
        if not isinstance(found, dict):
            raise Fault("the answer is not a JSON object", maybe_billed=once)
        return found

    def _out_of_reach(self, fault: Fault) -> Paused:
        return Paused(f"the Batch API gives no answer: {fault.reason}", where=f"provider “{self.name}”", next=RERUN)

    def _broken(self, error: aiohttp.ClientError, *, maybe_billed: bool) -> Fault:
        """Without the error itself, which carries the request's headers, and so the key."""
        said = self._redacted(str(error)[:200].encode(errors="replace")).decode()
        return Fault(f"the connection broke: {said}", maybe_billed=maybe_billed)

    def _redacted(self, data: bytes) -> bytes:
        return data if self._secret is None else self._secret.redact(data)

    def _connected(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                headers={"Accept": "application/json", "Accept-Encoding": "identity"} | self._headers,
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
                auto_decompress=False,
                trust_env=False,  # ~/.netrc must not replace the key
            )
        return self._session


def size_of(path: Path) -> int:
    """Bytes of a file."""
    return path.stat().st_size
