"""HTTP for Batch APIs: small JSON documents, one large file up, large files of lines down.

Every call has a deadline. That of a transfer grows with what is transferred: whoever sends less than SLOWEST bytes a second on
the average is taken for stuck. Passing faults are tried again, except for the one call that costs money.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from typing import Any, Literal, NamedTuple, NoReturn

import msgspec

from finetune_prep.errors import Paused
from finetune_prep.http import MOST_BYTES, Answer, Call, NoAnswer
from finetune_prep.http.client import Client, Stream, open_client
from finetune_prep.http.endpoint import endpoint_of
from finetune_prep.http.exchange import Upload
from finetune_prep.http.retry_after import asked_wait
from finetune_prep.http.secrets import Secret, redacted
from finetune_prep.models.batches.api import RERUN, Missing
from finetune_prep.models.providers.provider import Fault
from finetune_prep.models.providers.reach import Reach
from finetune_prep.models.retry import persist
from finetune_prep.models.wire.http_status import interpret
from finetune_prep.models.wire.key_echo import read_without_key
from finetune_prep.project.config import FILE, ProviderSettings

SLOWEST = 50_000  # bytes a second
JSON = "application/json"
EXAMPLE = 'base_url = "https://api.openai.com/v1"'


class Body(NamedTuple):
    """What is sent with one attempt."""

    data: bytes | Upload
    kind: str = JSON
    """Its content type."""

    @property
    def size(self) -> int:
        return self.data.size if isinstance(self.data, Upload) else len(self.data)


MakeBody = Callable[[], Body]  # a new body for every attempt: an upload can be read once


class BatchHttp:
    """One endpoint. headers: sent with every call, the key's among them."""

    def __init__(self, name: str, settings: ProviderSettings, secret: Secret | None, headers: Mapping[str, str]) -> None:
        self.name = name
        self._endpoint = endpoint_of(settings.base_url, f"provider “{name}”", FILE, EXAMPLE)
        self.host = self._endpoint.host
        self.is_own = self._endpoint.holds
        self._timeout = settings.timeout
        self._secret = secret
        lines = {"Accept": JSON, "Accept-Encoding": "identity"} | dict(headers)
        self._headers = [f"{name}: {value}" for name, value in lines.items()]
        self._reach = Reach(f"provider “{name}”")
        self._client: Client | None = None

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> Any:
        """A JSON document. Raises Paused."""
        return await self._persistently(lambda: self._json("GET", self._endpoint.at(path, query)))

    async def post(self, path: str, make: MakeBody) -> Any:
        """Send what costs nothing if it comes twice. Raises Paused."""
        return await self._persistently(lambda: self._json("POST", self._endpoint.at(path), make()))

    async def post_once(self, path: str, make: MakeBody) -> Any:
        """Send what must not come twice.

        It is tried again only if it cannot have been heard. Raises Fault with `maybe_billed` if it may have been, else Paused.
        """

        async def attempt() -> Any:
            return await self._json("POST", self._endpoint.at(path), make(), once=True)

        try:
            return await persist(attempt, self._timeout)
        except Fault as fault:
            if fault.maybe_billed:
                raise
            raise self._out_of_reach(fault) from None

    async def lines(self, path: str) -> AsyncGenerator[bytes, None]:
        """The lines of a file, as they come. path: at the endpoint, whole or below it. Raises Paused, Fault if it breaks off."""
        loop = asyncio.get_running_loop()
        waited, received, rest = 0.0, 0, b""
        try:
            async with self._streamed(path if self.is_own(path) else self._endpoint.at(path)) as stream:
                while True:
                    began = loop.time()
                    async with asyncio.timeout(self._timeout + received / SLOWEST - waited):
                        chunk = await stream.read()
                    waited += loop.time() - began  # what the reader does with the lines does not count
                    received += len(chunk)
                    *whole, rest = (rest + chunk).split(b"\n")
                    if len(rest) > MOST_BYTES:
                        raise Fault(f"a line is longer than {MOST_BYTES // 1024**2} MiB")
                    for line in whole:
                        if line.strip():
                            yield line
                    if not chunk:
                        break
        except TimeoutError:
            raise Fault(f"the results come too slowly: {received} bytes in {waited:.0f} s") from None
        except NoAnswer as failure:
            raise self._fault(failure, once=False) from None
        if rest.strip():
            yield rest

    @contextlib.asynccontextmanager
    async def _streamed(self, url: str) -> AsyncIterator[Stream]:
        """An answer whose headers have come and say that all is well."""
        async with contextlib.AsyncExitStack() as stack:
            async with asyncio.timeout(self._timeout):
                stream = await stack.enter_async_context(self._connected().stream(Call("GET", url, self._headers)))
                if not 200 <= stream.status < 300:
                    self._refuse(Answer(stream.status, stream.headers, await self._read(stream)))
            yield stream

    async def _read(self, stream: Stream) -> bytes:
        body = b""
        while chunk := await stream.read():
            body += chunk
            if len(body) > MOST_BYTES:
                raise Fault(f"the answer is longer than {MOST_BYTES // 1024**2} MiB")
        return body

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def _persistently(self, attempt: Callable[[], Any]) -> Any:
        try:
            return await persist(attempt, self._timeout)
        except Fault as fault:
            raise self._out_of_reach(fault) from None

    async def _json(self, method: Literal["GET", "POST"], url: str, body: Body | None = None, *, once: bool = False) -> Any:
        """once: a call that is not sent again if it may have been heard."""
        headers = self._headers if body is None else [*self._headers, f"Content-Type: {body.kind}"]
        seconds = self._timeout + (body.size / SLOWEST if body else 0.0)
        self._reach.trying()
        try:
            async with asyncio.timeout(seconds):
                answer = await self._connected().send(Call(method, url, headers), body.data if body else b"")
        except TimeoutError:
            raise Fault(f"no answer within {seconds:.0f} s", maybe_billed=once) from None
        except NoAnswer as failure:
            raise self._fault(failure, once=once) from None
        self._reach.reached()
        if not 200 <= answer.status < 300:
            self._refuse(answer, once=once)
        return self._decoded(answer.body, once=once)

    def _refuse(self, answer: Answer, *, once: bool = False) -> NoReturn:
        """Raise what a status other than 2xx means. once: a server that fails may have done its work before."""
        if answer.status == 409:  # what is asked for is not possible (any more), and trying again will not make it so
            raise Paused("the Batch API says that this conflicts with what is there", where=f"provider “{self.name}”", next=RERUN)
        wait = asked_wait(answer.headers)
        try:
            reply = read_without_key(lambda data: interpret(answer.status, data, retry_after=wait), answer.body, self._secret)
        except Fault as fault:
            fault.maybe_billed = once and answer.status >= 500
            raise
        except Paused as paused:
            where = f"provider “{self.name}”"
            if answer.status == 404:
                raise Missing(paused.what, where=where, next=f"check `base_url` in {FILE}") from None
            raise Paused(paused.what, where=where, next=paused.next) from None
        fix = f"fix it in {FILE}, then {RERUN}"
        raise Paused(f"the Batch API refuses the call ({reply.detail})", where=f"provider “{self.name}”", next=fix)

    def _decoded(self, body: bytes, *, once: bool) -> Any:
        if self._secret is not None:
            body = self._secret.redact_body(body)
        try:
            found = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            said = redacted(body.decode(errors="replace"), self._secret)[:80]
            raise Fault(f"the answer is not JSON: {said}", maybe_billed=once) from None
        if not isinstance(found, dict):
            raise Fault("the answer is not a JSON object", maybe_billed=once)
        return found

    def _out_of_reach(self, fault: Fault) -> Paused:
        return Paused(f"the Batch API gives no answer: {fault.reason}", where=f"provider “{self.name}”", next=RERUN)

    def _fault(self, failure: NoAnswer, *, once: bool) -> Fault | Paused:
        if failure.unreached:
            return self._reach.unreached(redacted(f"cannot connect to {self._endpoint.at('')}: {failure.reason}", self._secret))
        self._reach.reached()
        return Fault(redacted(failure.reason, self._secret), maybe_billed=once and failure.sent)

    def _connected(self) -> Client:
        if self._client is None:
            self._client = open_client()
        return self._client
