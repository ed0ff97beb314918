"""What is there to ask: API keys in the environment, servers on this machine, and whether an endpoint honours a JSON Schema.

Nothing is assumed: a server is there when it lists its models; a schema is honoured when a tiny question, whose prompt does not
say what the schema demands, comes back in its form.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from importlib.util import find_spec
from typing import Any, Literal

import msgspec

from finetune_prep.core.conversation import Message
from finetune_prep.core.request import Origin, Parameters, Reply, Request, Schema
from finetune_prep.errors import Paused
from finetune_prep.http import Answer, Call, NoAnswer
from finetune_prep.http.client import open_client
from finetune_prep.http.endpoint import Endpoint as Address
from finetune_prep.http.endpoint import read_endpoint
from finetune_prep.http.retry_after import http_date
from finetune_prep.http.secrets import Secret
from finetune_prep.models.providers.provider import Fault, Provider
from finetune_prep.models.routes import speaker
from finetune_prep.models.wire import openai_wire
from finetune_prep.project.config import NATIVE, WELL_KNOWN, ProviderSettings

LOOK_SECONDS = 1.0  # a server on this machine answers at once or is not there
MOST_LESSONS = 2  # the name of the limit, the place of the system text
ASK_SECONDS = 60.0  # a local model may have to be loaded first
MOST_BYTES = 4 * 1024 * 1024
ANSWER_TOKENS = 200  # enough for models that reason before they answer
CONTEXTS = ("max_model_len", "loaded_context_length", "context_length", "max_context_length")  # vLLM, LM Studio, OpenRouter
UNGUESSABLE = "amber-4711"
SCHEMA = Schema(
    "colour",
    {
        "type": "object",
        "properties": {"colour": {"type": "string", "enum": [UNGUESSABLE]}},
        "required": ["colour"],
        "additionalProperties": False,
    },
)


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """What an endpoint says of itself."""

    name: str
    base_url: str
    status: int
    """Of its HTTP answer, 0 = it cannot be reached."""
    models: tuple[str, ...] = ()
    """As it lists them."""
    contexts: Mapping[str, int] = {}
    """Tokens that fit into a model's context, by its name, where the list says so."""
    clock: float | None = None
    """Seconds by which its clock is ahead of ours, if known."""
    trouble: str = ""
    """Why not."""


class SchemaTrial(msgspec.Struct, frozen=True, kw_only=True):
    """Whether an endpoint follows a JSON Schema."""

    honoured: Literal["yes", "no", "unknown"]
    """"yes", "no", or "unknown" if the question could not be put."""
    detail: str = ""
    """What came instead."""
    tokens: int = 0
    """Tokens that the trial used."""
    reasoning: str = ""
    """How the model's reasoning came with the answer, "" if none did."""


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What is at hand on this machine."""

    keys: tuple[tuple[str, str], ...]
    """Known providers whose key is in the environment, with the variable's name."""
    servers: tuple[Endpoint, ...]
    """Servers of models that answer on this machine."""
    unusable: tuple[tuple[str, str], ...] = ()
    """Keys of providers that need an extra which is not installed."""


async def listening() -> tuple[tuple[str, str], ...]:
    """Usual places on this machine where somebody takes connections, as name and address. Nothing is said to them."""
    local = [(name, base_url) for name, (base_url, key_env) in WELL_KNOWN.items() if not key_env]
    there = await asyncio.gather(*(_takes_connections(read_endpoint(base_url)) for _, base_url in local))
    return tuple(place for place, is_there in zip(local, there, strict=True) if is_there)


async def _takes_connections(place: Address) -> bool:
    try:
        async with asyncio.timeout(LOOK_SECONDS):
            _, writer = await asyncio.open_connection(place.host, place.port)
    except OSError:  # TimeoutError is one
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True


async def look_around(
    environment: Mapping[str, str],
    known: Mapping[str, tuple[str, str]] | None = None,
    *,
    servers: Collection[str] | None = None,
) -> Found:
    """Keys in `environment` and servers on the usual ports of this machine. Takes no longer than LOOK_SECONDS or so.

    known: name → address and key's variable, instead of the well-known ones. servers: names of those that are asked; None = all.
    """
    known = WELL_KNOWN if known is None else known
    native = {name: place for name, place in NATIVE.items() if place[1]}
    keys = _set(environment, known)
    native_keys = _set(environment, native)
    installed = find_spec("pydantic_ai") is not None
    local = [(name, base_url) for name, (base_url, key_env) in known.items() if not key_env]
    local = [place for place in local if servers is None or place[0] in servers]
    looked = await asyncio.gather(*(look_at(name, base_url, seconds=LOOK_SECONDS) for name, base_url in local))
    return Found(
        keys=keys + native_keys if installed else keys,
        servers=tuple(server for server in looked if server.status == 200),
        unusable=() if installed else native_keys,
    )


def _set(environment: Mapping[str, str], known: Mapping[Any, tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Names and variables of keys that are there; the keys themselves are looked at by nobody."""
    return tuple((str(name), key_env) for name, (_, key_env) in known.items() if key_env and environment.get(key_env, "").strip())


async def look_at(name: str, base_url: str, secret: Secret | None = None, *, seconds: float = 10.0) -> Endpoint:
    """Ask an endpoint for the list of its models; costs nothing."""
    headers = ["Accept: application/json", "Accept-Encoding: identity"]
    if secret is not None:
        headers.append(f"Authorization: Bearer {secret.reveal()}")
    try:
        call = Call("GET", read_endpoint(base_url).at("/models"), headers)
        async with asyncio.timeout(seconds), open_client(most_bytes=MOST_BYTES) as client:
            answer = await client.send(call)
    except TimeoutError:
        return Endpoint(name=name, base_url=base_url, status=0, trouble=f"no answer within {seconds:g} s")
    except ValueError as error:
        return Endpoint(name=name, base_url=base_url, status=0, trouble=f"this is no usable base_url: {error}")
    except NoAnswer as failure:
        return Endpoint(name=name, base_url=base_url, status=0, trouble=failure.reason)
    return _described(name, base_url, answer)


def _described(name: str, base_url: str, answer: Answer) -> Endpoint:
    date = http_date(answer.headers.get("date"))
    clock = (date - datetime.now(UTC)).total_seconds() if date else None
    rows = _models(answer.body)
    return Endpoint(
        name=name,
        base_url=base_url,
        status=answer.status,
        models=tuple(str(row["id"]) for row in rows),
        contexts={str(row["id"]): size for row in rows if (size := _context(row))},
        clock=clock,
    )


def _models(body: bytes) -> list[dict[str, Any]]:
    """The rows of an OpenAI-style list of models; none if the body is something else."""
    try:
        listed = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return []
    rows = listed.get("data") if isinstance(listed, dict) else None
    return [row for row in rows if isinstance(row, dict) and "id" in row] if isinstance(rows, list) else []


def _context(row: Mapping[str, Any]) -> int:
    """Tokens of a model's context as servers give them, 0 if a row says nothing of it."""
    meta = row.get("meta")
    said = [row.get(name) for name in CONTEXTS]
    said += [meta.get(name) for name in ("n_ctx", "n_ctx_train")] if isinstance(meta, dict) else []  # llama.cpp
    return next((size for size in said if isinstance(size, int) and size > 0), 0)


async def _answered(provider: Provider, request: Request) -> Reply:
    """The answer, with a call more for each thing that the endpoint wants put otherwise, as in a run."""
    for _ in range(MOST_LESSONS):
        try:
            return await provider.answer(request)
        except Fault as fault:
            if fault.retry_after != 0.0:
                raise
    return await provider.answer(request)


async def try_schema(
    name: str,
    settings: ProviderSettings,
    secret: Secret | None,
    model: str,
    *,
    worded: bool = False,
    parameters: Parameters | None = None,
) -> SchemaTrial:
    """Ask one tiny question whose answer follows the schema only if the endpoint enforces it.

    worded: the schema is told in the prompt instead; then it is followed if the model is able to. parameters: as a role is asked,
    of which what bears on reasoning is taken.
    """
    asked = parameters or Parameters()
    request = Request(
        role="judge",
        phase="doctor",
        origin=Origin("structured output"),
        model=model,
        messages=(Message("user", "What colour is the sky? One word."),),
        schema=SCHEMA,
        parameters=Parameters(max_tokens=ANSWER_TOKENS, reasoning_effort=asked.reasoning_effort, extra=asked.extra),
    )
    provider = speaker(name, msgspec.structs.replace(settings, structured=not worded), secret)
    try:
        if not worded and not await provider.can_enforce(model):
            return SchemaTrial(honoured="no", detail="this model has nothing for it")
        async with asyncio.timeout(ASK_SECONDS):
            reply = await _answered(provider, request)
    except TimeoutError:
        return SchemaTrial(honoured="unknown", detail=f"no answer within {ASK_SECONDS:g} s")
    except Fault as fault:
        return SchemaTrial(honoured="unknown", detail=fault.reason)
    except Paused as paused:
        refused = "response_format" in paused.what
        return SchemaTrial(honoured="no" if refused else "unknown", detail=paused.what)
    finally:
        await provider.close()
    return msgspec.structs.replace(_tried(reply), reasoning=_reasoning(reply))


def _tried(reply: Reply) -> SchemaTrial:
    """What an answer shows of the schema."""
    tokens = (reply.usage.input or 0) + (reply.usage.output or 0)
    if reply.problem == "rejected":
        return SchemaTrial(honoured="no", detail=reply.detail, tokens=tokens)
    try:
        followed = msgspec.json.decode(reply.text) == {"colour": UNGUESSABLE}
    except msgspec.DecodeError:
        followed = False
    if followed:
        return SchemaTrial(honoured="yes", tokens=tokens)
    if reply.problem is not None:
        return SchemaTrial(honoured="unknown", detail=f"{reply.problem}: {reply.detail}", tokens=tokens)
    return SchemaTrial(honoured="no", detail=f"it answered “{reply.text.strip()[:60]}”", tokens=tokens)


def _reasoning(reply: Reply) -> str:
    """How reasoning came with an answer, "" if none did that need concern anybody."""
    if found := openai_wire.REASONING.search(reply.text):
        return f"{found[0].strip()} in the answer"
    if reply.problem in ("empty", "truncated") and (reply.reasoning or reply.usage.reasoning):
        return "only reasoning came back"
    return "its thoughts came before the answer" if reply.reasoning else ""
