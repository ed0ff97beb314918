"""Chat-completions endpoints over HTTP: the hot path. One attempt per call; retries and limits are not made here.

Why aiohttp: docs/decisions/0002-http-library.md.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from urllib.parse import urlsplit

import aiohttp
import msgspec

from finetune_prep.core.request import Reply, Request
from finetune_prep.errors import ConfigError, Paused
from finetune_prep.models import wire
from finetune_prep.models.enforcement import Enforcement
from finetune_prep.models.pace import Listener
from finetune_prep.models.provider import Fault
from finetune_prep.models.rate_headers import allowances
from finetune_prep.models.secrets import Secret
from finetune_prep.models.status import http_date, interpret, wait_asked_for
from finetune_prep.project.config import FILE, ProviderSettings

CONNECT_SECONDS = 15.0
MOST_BYTES = 16 * 1024 * 1024  # of one answer; the longest answers of today's models are below 1 MB
CHUNK = 64 * 1024
REFUSED = (400, 422)  # with one of these an endpoint says that it cannot enforce a schema


class OpenAICompatible:
    """One endpoint. secret: its key, None if it needs none.

    listener: told what headers say of rate limits, with the loop time at which the call went.
    """

    def __init__(self, name: str, settings: ProviderSettings, secret: Secret | None, listener: Listener | None = None) -> None:
        host = urlsplit(settings.base_url)
        if host.scheme not in ("http", "https") or not host.hostname:
            raise ConfigError(
                f"provider “{name}” has no usable base_url: “{settings.base_url}”",
                where=FILE,
                next='write for example base_url = "http://localhost:8000/v1"',
            )
        self.name = name
        self._url = settings.base_url.rstrip("/") + wire.PATH
        self._enforcement = Enforcement(settings.structured)
        # OpenAI's reasoning models refuse max_tokens; most other servers know nothing else
        self._limit_name = "max_completion_tokens" if host.hostname.endswith("openai.com") else "max_tokens"
        self._secret = secret
        self._listener = listener
        self._session: aiohttp.ClientSession | None = None

    async def answer(self, request: Request) -> Reply:
        enforced, worded = self._enforcement.asked, self._enforcement.worded
        data = msgspec.json.encode(wire.body(request, structured=enforced, worded=worded, limit_name=self._limit_name))
        started = time.monotonic()
        sent = asyncio.get_running_loop().time()
        status, headers, body = await self._post(data)
        if self._listener is not None:
            for allowance in allowances(headers):
                self._listener(allowance, sent)
        reply = self._read(status, headers, body, enforced=enforced and request.schema is not None)
        if enforced:
            self._enforcement.heard(request, reply, worded=worded)
        return msgspec.structs.replace(
            reply,
            request_id=self._redacted(headers.get("x-request-id", "")) or reply.request_id,
            seconds=round(time.monotonic() - started, 3),
            at=reply.at or wire.now(),
        )

    def _read(self, status: int, headers: Mapping[str, str], body: bytes, *, enforced: bool) -> Reply:
        """The reply. enforced: it was asked to follow a schema; a refusal of that is a fault: the next attempt does without."""
        try:
            reply = interpret(status, body, retry_after=None if status == 200 else _wait(headers))
        except Paused as paused:
            if enforced and status in REFUSED and self._enforcement.refused(paused.what):
                raise Fault(paused.what, retry_after=0.0) from None
            raise
        if enforced and status in REFUSED and reply.problem == "rejected" and self._enforcement.refused(reply.detail):
            raise Fault(reply.detail, retry_after=0.0)
        return reply

    async def _post(self, data: bytes) -> tuple[int, Mapping[str, str], bytes]:
        try:
            async with self._connected().post(self._url, data=data, allow_redirects=False) as response:
                body = await self._received(response)
                return response.status, response.headers, body
        except aiohttp.ClientConnectorError as error:
            raise Fault(f"cannot connect to {self._url}: {error.os_error.strerror or error.os_error}") from None
        except aiohttp.ConnectionTimeoutError:
            raise Fault(f"cannot connect to {self._url} within {CONNECT_SECONDS:g} s") from None
        except aiohttp.ClientError as error:
            # `from None`: an aiohttp error carries the request's headers, and so the key
            raise Fault(f"the connection broke: {self._redacted(str(error)[:200])}", maybe_billed=True) from None

    async def _received(self, response: aiohttp.ClientResponse) -> bytes:
        body = bytearray()
        while chunk := await response.content.read(CHUNK):
            body += chunk
            if len(body) > MOST_BYTES:
                response.close()
                raise Fault(f"the answer is longer than {MOST_BYTES // 1024**2} MiB", maybe_billed=True)
        return bytes(body) if self._secret is None else self._secret.redact(bytes(body))

    def _redacted(self, text: str) -> str:
        return text if self._secret is None else self._secret.redact(text.encode(errors="replace")).decode()

    def _connected(self) -> aiohttp.ClientSession:
        if self._session is None:
            headers = {"Content-Type": "application/json", "Accept": "application/json", "Accept-Encoding": "identity"}
            if self._secret is not None:
                headers["Authorization"] = f"Bearer {self._secret.reveal()}"
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, ttl_dns_cache=300),
                headers=headers,
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
                auto_decompress=False,  # a compressed bomb stays a small body that is no JSON
                trust_env=False,  # ~/.netrc must not replace the key
            )
        return self._session

    async def can_enforce(self, model: str) -> bool:
        """Nobody knows before trying."""
        return True

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None


def _wait(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, by the endpoint's clock where it shows one: ours may be wrong."""
    return wait_asked_for(headers.get("retry-after-ms"), headers.get("Retry-After"), http_date(headers.get("Date")))
