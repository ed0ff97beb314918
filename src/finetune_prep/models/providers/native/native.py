"""A provider in its own API, through pydantic-ai.

One attempt per call: retries of the SDKs are off, what they raise is put into our words. Why through a library, and what
it adds on the way: docs/decisions/0010-native-providers.md.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, cast

import msgspec
from pydantic_ai import exceptions as of
from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    SystemPromptPart,
    TextPart,
    ThinkingPart,
    UserPromptPart,
)
from pydantic_ai.models import Model, ModelRequestParameters
from pydantic_ai.output import OutputObjectDefinition
from pydantic_ai.settings import ModelSettings
from pydantic_ai.usage import RequestUsage

from finetune_prep.core.request import Reply, Request, Usage
from finetune_prep.errors import Paused
from finetune_prep.http.secrets import Secret, redacted
from finetune_prep.models.caches.prefix import is_kept
from finetune_prep.models.providers.provider import Fault, Unreadable, whole
from finetune_prep.models.providers.reach import Reach
from finetune_prep.models.providers.schema_enforcement import Enforcement
from finetune_prep.models.wire import openai_wire
from finetune_prep.models.wire.http_status import DETAIL_LIMIT, interpret
from finetune_prep.models.wire.key_echo import without_key
from finetune_prep.project.config import FILE, ProviderSettings

# finish reasons of these APIs that wire does not know, in its words
NORMAL = {"stop": "stop", "length": "length", "content_filter": "content_filter"}


class Api(NamedTuple):
    """What is peculiar to one provider's API."""

    model: Callable[[str], Model[Any]]
    """The library's model of a name."""
    always: Mapping[str, Any]
    """The library's settings for every request."""
    mark: str = ""
    """The library's setting that marks the system message, where a cache keeps nothing without a mark."""
    cannot_ask: tuple[type[Exception], ...] = ()
    """What its SDK raises if it cannot ask at all: it has no keys, no region."""
    fix: str = ""
    """What a person does about that."""


class Native:
    """One provider. secret: its key, None where its SDK finds its keys itself."""

    def __init__(self, name: str, settings: ProviderSettings, secret: Secret | None, api: Api) -> None:
        self.name = name
        self.api = api
        self._enforcement = Enforcement(settings.structured)
        self._secret = secret
        self._reach = Reach(f"provider “{name}”")
        self._address = settings.address
        self._models: dict[str, Model[Any]] = {}
        self._clients = contextlib.AsyncExitStack()

    async def answer(self, request: Request) -> Reply:
        started = time.monotonic()
        model = await self._model(request.model)
        enforced = request.schema is not None and self._enforcement.asked and _enforces(model)
        worded = request.schema is not None and (self._enforcement.worded or not enforced)
        self._reach.trying()
        try:
            response = await model.request(_messages(request, worded), self._settings(request), _parameters(request, enforced))
            self._reach.reached()
            reply = _reply(response)
        except Exception as error:
            reply = self._failure(error)
            if enforced and reply.problem == "rejected" and self._enforcement.refused(reply.detail):
                raise Fault(reply.detail, retry_after=0.0) from None
        if enforced:
            self._enforcement.heard(request, reply, worded=worded)
        timed = msgspec.structs.replace(reply, seconds=round(time.monotonic() - started, 3), at=openai_wire.now())
        return whole(without_key(timed, self._secret))

    async def close(self) -> None:
        self._models.clear()
        await self._clients.aclose()

    async def _model(self, name: str) -> Model[Any]:
        if name not in self._models:
            model = self.api.model(name)
            self._models[name] = model
            if model.provider is not None:
                await self._clients.enter_async_context(model.provider)
        return self._models[name]

    async def can_enforce(self, model: str) -> bool:
        """Whether this model can be made to follow a schema, as far as the library knows it."""
        return _enforces(await self._model(model))

    def _settings(self, request: Request) -> ModelSettings:
        """Sampling parameters, and up to where the prompt is kept; and the request as it is: nothing announced or tried again."""
        parameters = request.parameters
        settings: dict[str, Any] = {"framing_announcement": "never", **self.api.always}
        for name, value in (
            ("temperature", parameters.temperature),
            ("top_p", parameters.top_p),
            ("max_tokens", parameters.max_tokens),
            ("thinking", parameters.reasoning_effort),
        ):
            if value is not None:
                settings[name] = value
        if self.api.mark and is_kept(request):
            settings[self.api.mark] = True
        if parameters.extra:
            settings["extra_body"] = parameters.extra
        return cast("ModelSettings", settings)

    def _failure(self, error: Exception) -> Reply:
        """A refusal for good as a reply. Raises Fault, Paused, or the error itself if it is none of the provider's."""
        if isinstance(error, of.ModelAPIError):
            if (status := _status(error)) is not None:
                self._reach.reached()
                return interpret(status, self._complaint(error), retry_after=error.retry_after)
            said = redacted(error.message, self._secret)[:DETAIL_LIMIT]
            if _unconnected(error):
                raise self._reach.unreached(f"cannot connect to {self._address}: {said}") from None
            self._reach.reached()
            raise Fault(said, maybe_billed=getattr(error, "phase", None) != "pool") from None
        if isinstance(error, of.ContentFilterError):
            return Reply(text="", finish="error", problem="filtered", detail=redacted(error.message, self._secret)[:DETAIL_LIMIT])
        if isinstance(error, of.UnexpectedModelBehavior):
            body = error.body or error.message
            said = redacted(error.message, self._secret)[:DETAIL_LIMIT]
            raise Unreadable(said, redacted(body, self._secret), size=len(body.encode())) from None
        if isinstance(error, of.UserError):
            said = redacted(error.message, self._secret)[:DETAIL_LIMIT]
            raise Paused(f"{self.name} does not take this request: {said}", next=f"change the role in {FILE}") from None
        if isinstance(error, self.api.cannot_ask):
            raise Paused(f"{self.name} cannot be asked: {str(error)[:DETAIL_LIMIT]}", next=self.api.fix) from None
        raise error

    def _complaint(self, error: of.ModelAPIError) -> bytes:
        """The error as an endpoint of the common kind would write it."""
        codes = {"code": error.provider_error_code, "type": error.provider_error_type}
        said = redacted(_said(error.body) or error.message, self._secret)
        return msgspec.json.encode({"error": {"message": said, **{name: code for name, code in codes.items() if code}}})


def _enforces(model: Model[Any]) -> bool:
    return bool(model.profile.get("supports_json_schema_output", False))


def _parameters(request: Request, enforced: bool) -> ModelRequestParameters:
    if request.schema is None or not enforced:
        return ModelRequestParameters()
    wanted = OutputObjectDefinition(json_schema=request.schema.schema, name=request.schema.name, strict=True)
    return ModelRequestParameters(output_mode="native", output_object=wanted)


def _messages(request: Request, worded: bool) -> list[ModelMessage]:
    """The messages as they are; worded: with the schema in words at the end of the last one."""
    messages: list[ModelMessage] = []
    for message in request.messages:
        content = message.content
        if worded and request.schema is not None and message is request.messages[-1]:
            content += openai_wire.in_words(request.schema)
        if message.role == "assistant":
            messages.append(ModelResponse(parts=[TextPart(content)]))
        else:
            part = SystemPromptPart(content) if message.role == "system" else UserPromptPart(content)
            messages.append(ModelRequest(parts=[part]))
    return messages


def _reply(response: ModelResponse) -> Reply:
    text = "".join(part.content for part in response.parts if isinstance(part, TextPart))
    thought = "\n\n".join(part.content for part in response.parts if isinstance(part, ThinkingPart))
    raw = str((response.provider_details or {}).get("finish_reason") or "")
    known = raw.casefold() in openai_wire.FINISHED or raw.casefold() in openai_wire.FINISH_PROBLEMS
    finish = raw if known else NORMAL.get(response.finish_reason or "", raw)
    found = Reply(
        text="",
        served_model=response.model_name or "",
        usage=_usage(response.usage),
        request_id=response.provider_response_id or "",
    )
    examined = openai_wire.examined(found, text, finish, reasoning=thought)
    return msgspec.structs.replace(examined, finish=raw or finish)


def _usage(usage: RequestUsage) -> Usage:
    if usage.unmeasured_requests or not (usage.input_tokens or usage.output_tokens):
        return Usage()
    return Usage(
        input=usage.input_tokens,
        cached=usage.cache_read_tokens,
        written=usage.cache_write_tokens or None,
        output=usage.output_tokens,
        reasoning=usage.output_reasoning_tokens,
    )


def _status(error: of.ModelAPIError) -> int | None:
    """The HTTP status that says what happened; None if nothing came back. What the library made of the error goes first."""
    status: int | None = getattr(error, "status_code", None)
    for category, meant, fallback in (
        (of.ModelQuotaExceededError, (402,), 402),
        (of.ModelAuthenticationError, (401, 403), 401),
        (of.ModelNotFoundError, (404,), 404),
        (of.ModelRateLimitError, (429,), 429),
        (of.ModelOverloadedError, (503, 529), 529),
        (of.ModelUnavailableError, range(500, 600), 503),
        (of.ModelServerError, range(500, 600), 500),
        (of.ModelRequestRejectedError, range(400, 500), 400),
    ):
        if isinstance(error, category):
            return status if status in meant else fallback
    return status


def _unconnected(error: BaseException) -> bool:
    """Whether there was no connection, so that nothing was sent. The library may know, or what it was raised from."""
    if getattr(error, "phase", None) == "connect":
        return True
    cause = error.__cause__ or error.__context__
    return type(error).__name__ in ("ConnectError", "ConnectTimeout") or (cause is not None and _unconnected(cause))


def _said(body: object) -> str:
    """The provider's own words in an error body, "" if there are none. Bedrock writes Error and Message with capitals."""
    while isinstance(body, dict):
        inner = body.get("error", body.get("Error"))
        if not isinstance(inner, dict | str):
            return str(body.get("message") or body.get("Message") or "")
        body = inner
    return body if isinstance(body, str) else ""


def key(secret: Secret | None) -> str:
    """A key as the SDKs take it, "" for none."""
    return "" if secret is None else secret.reveal()
