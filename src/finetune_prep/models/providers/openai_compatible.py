"""Chat-completions endpoints over HTTP: the hot path. One attempt per call; retries and limits are not made here.

Nothing here knows sockets: see `models.connections`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from urllib.parse import urlsplit

import msgspec

from finetune_prep.core.request import Reply, Request
from finetune_prep.errors import ConfigError, Paused
from finetune_prep.models.pace.headers import allowances
from finetune_prep.models.pace.rates import Listener
from finetune_prep.models.providers import openai_wire
from finetune_prep.models.providers.connections import Connections
from finetune_prep.models.providers.http_status import http_date, interpret, wait_asked_for
from finetune_prep.models.providers.provider import Fault
from finetune_prep.models.providers.schema_enforcement import Enforcement
from finetune_prep.models.secrets import Secret
from finetune_prep.project.config import FILE, ProviderSettings

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
        self._url = settings.base_url.rstrip("/") + openai_wire.PATH
        self._enforcement = Enforcement(settings.structured)
        # OpenAI's reasoning models refuse max_tokens; most other servers know nothing else
        self._limit_name = "max_completion_tokens" if host.hostname.endswith("openai.com") else "max_tokens"
        self._secret = secret
        self._listener = listener
        self._connections: Connections | None = None

    async def answer(self, request: Request) -> Reply:
        enforced, worded = self._enforcement.asked, self._enforcement.worded
        data = msgspec.json.encode(openai_wire.body(request, structured=enforced, worded=worded, limit_name=self._limit_name))
        started = time.monotonic()
        sent = asyncio.get_running_loop().time()
        try:
            answer = await self._connected().post(data)
        except Fault as fault:
            fault.reason = self._redacted(fault.reason)
            raise
        body = answer.body if self._secret is None else self._secret.redact(answer.body)
        headers = answer.headers
        if self._listener is not None:
            for allowance in allowances(headers):
                self._listener(allowance, sent)
        reply = self._read(answer.status, headers, body, enforced=enforced and request.schema is not None)
        if enforced:
            self._enforcement.heard(request, reply, worded=worded)
        return msgspec.structs.replace(
            reply,
            request_id=self._redacted(headers.get("x-request-id", "")) or reply.request_id,
            seconds=round(time.monotonic() - started, 3),
            at=reply.at or openai_wire.now(),
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

    def _redacted(self, text: str) -> str:
        return text if self._secret is None else self._secret.redact(text.encode(errors="replace")).decode()

    def _connected(self) -> Connections:
        if self._connections is None:
            # a compressed bomb stays a small body that is no JSON
            headers = ["Content-Type: application/json", "Accept: application/json", "Accept-Encoding: identity"]
            if self._secret is not None:
                headers.append(f"Authorization: Bearer {self._secret.reveal()}")
            self._connections = Connections(self._url, headers)
        return self._connections

    async def can_enforce(self, model: str) -> bool:
        """Nobody knows before trying."""
        return True

    async def close(self) -> None:
        if self._connections is not None:
            await self._connections.close()
            self._connections = None


def _wait(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, by the endpoint's clock where it shows one: ours may be wrong."""
    return wait_asked_for(headers.get("retry-after-ms"), headers.get("retry-after"), http_date(headers.get("date")))
