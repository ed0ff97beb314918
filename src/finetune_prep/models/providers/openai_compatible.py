"""Chat-completions endpoints over HTTP: the hot path. One attempt per call; retries and limits are not made here.

Nothing here knows sockets: see `http`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from finetune_prep.core.request import Reply, Request
from finetune_prep.errors import Paused
from finetune_prep.http import Call, NoAnswer
from finetune_prep.http.client import Client, open_client
from finetune_prep.http.endpoint import endpoint_of
from finetune_prep.http.retry_after import asked_wait
from finetune_prep.http.secrets import Secret, redacted
from finetune_prep.models.pace.headers import allowances
from finetune_prep.models.pace.rates import Listener
from finetune_prep.models.providers.dialect import Dialect, Words
from finetune_prep.models.providers.own_headers import own_headers
from finetune_prep.models.providers.provider import Fault
from finetune_prep.models.providers.reach import Reach
from finetune_prep.models.providers.schema_enforcement import Enforcement
from finetune_prep.models.wire import openai_wire
from finetune_prep.models.wire.http_status import interpret
from finetune_prep.models.wire.key_echo import read_without_keys
from finetune_prep.project.config import FILE, ProviderSettings

REFUSED = (400, 422, 500)  # with one of these an endpoint says that it does not take what every such request holds
MOST_ID = 200  # characters of a request's id


class _Asked(NamedTuple):
    """How a call was put."""

    words: Words
    system: bool
    """It had a system message."""
    enforced: bool
    """It was asked to follow a schema."""


class OpenAICompatible:
    """One endpoint. secret: its key, None if it needs none.

    listener: told what headers say of rate limits, with the loop time at which the call went.
    """

    def __init__(self, name: str, settings: ProviderSettings, secret: Secret | None, listener: Listener | None = None) -> None:
        endpoint = endpoint_of(settings.base_url, f"provider “{name}”", FILE)
        self.name = name
        self._enforcement = Enforcement(settings.structured)
        # OpenAI's reasoning models refuse max_tokens; most other servers know nothing else
        self._dialect = Dialect("max_completion_tokens" if endpoint.host.endswith("openai.com") else "max_tokens")
        self._listener = listener
        # a compressed bomb stays a small body that is no JSON
        headers = ["Content-Type: application/json", "Accept: application/json", "Accept-Encoding: identity"]
        if secret is not None:
            headers.append(f"Authorization: Bearer {secret.reveal()}")
        more, others = own_headers(settings.headers, settings.base_url)
        headers += more
        self._secrets = (*others, *([secret] if secret is not None else ()))
        self._call = Call("POST", endpoint.at(openai_wire.PATH), headers)
        self._client: Client | None = None
        self._reach = Reach(f"provider “{name}”")

    async def answer(self, request: Request) -> Reply:
        enforced, worded = self._enforcement.asked, self._enforcement.worded
        words = self._dialect.words
        body = openai_wire.body(request, structured=enforced, worded=worded, limit_name=words.limit_name)
        data = msgspec.json.encode(self._dialect.said(body))
        started = time.monotonic()
        sent = asyncio.get_running_loop().time()
        self._reach.trying()
        try:
            if self._client is None:
                self._client = open_client()
            answer = await self._client.send(self._call, data)
        except NoAnswer as failure:
            raise self._failure(failure) from None
        self._reach.reached()
        headers = answer.headers
        if self._listener is not None:
            for allowance in allowances(headers):
                self._listener(allowance, sent)
        asked = _Asked(words, request.messages[0].role == "system", enforced and request.schema is not None)
        try:
            reply = self._read(asked, answer.status, headers, answer.body)
        except Fault as fault:
            fault.reply = fault.reply and self._dated(fault.reply, headers, started)
            raise
        if enforced:
            self._enforcement.heard(request, reply, worded=worded)
        return self._dated(reply, headers, started)

    def _dated(self, reply: Reply, headers: Mapping[str, str], started: float) -> Reply:
        """The reply with what the call shows of it: the provider's id, how long it took, and when it came."""
        return msgspec.structs.replace(
            reply,
            request_id=self._redacted(headers.get("x-request-id", ""))[:MOST_ID] or reply.request_id,
            seconds=round(time.monotonic() - started, 3),
            at=reply.at or openai_wire.now(),
        )

    def _read(self, asked: _Asked, status: int, headers: Mapping[str, str], body: bytes) -> Reply:
        """The reply. A refusal that every request of the kind would meet is a fault: the next attempt is put otherwise."""
        try:
            wait = None if 200 <= status < 300 else asked_wait(headers)
            reply = read_without_keys(lambda data: interpret(status, data, retry_after=wait), body, self._secrets)
        except (Paused, Fault) as refusal:
            words = refusal.what if isinstance(refusal, Paused) else refusal.reason
            if status in REFUSED and self._learns_from(words, asked):
                raise Fault(words, retry_after=0.0) from None
            raise
        if status in REFUSED and reply.problem == "rejected" and self._learns_from(reply.detail, asked):
            raise Fault(reply.detail, retry_after=0.0)
        return reply

    def _learns_from(self, complaint: str, asked: _Asked) -> bool:
        if asked.enforced and self._enforcement.refused(complaint):
            return True
        return self._dialect.learns_from(complaint, asked.words, had_system=asked.system)

    def _failure(self, failure: NoAnswer) -> Fault | Paused:
        """A passing fault; a pause where nobody was there from the first call on, as with a server that was never started."""
        if not failure.unreached:
            self._reach.reached()
            return Fault(self._redacted(failure.reason), maybe_billed=failure.sent)
        return self._reach.unreached(self._redacted(f"cannot connect to {self._call.url}: {failure.reason}"))

    def _redacted(self, text: str) -> str:
        for secret in self._secrets:
            text = redacted(text, secret)
        return text

    async def can_enforce(self, model: str) -> bool:
        """Nobody knows before trying."""
        return True

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()
            self._client = None
