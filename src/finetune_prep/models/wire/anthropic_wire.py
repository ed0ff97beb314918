"""Requests and replies in the words of Anthropic's Messages API.

Pure: values in, values out. A message is turned into a chat completion and then read by `wire`, so that a cut, refused, empty
or garbled answer has the same name whoever gave it.

Source: platform.claude.com, API reference "Messages" and the pages on structured outputs, on effort and on prompt caching.
"""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

from finetune_prep.core.request import Reply, Request
from finetune_prep.errors import Paused
from finetune_prep.models.caches.prefix import is_kept
from finetune_prep.models.providers.provider import Fault
from finetune_prep.models.wire import openai_wire
from finetune_prep.models.wire.envelopes import NotACompletion
from finetune_prep.models.wire.http_status import interpret

# Of the API, sent with every call. The version after it, 2026-10-21, refuses temperature and top_p, which a role may set.
VERSION = "2023-06-01"
# Up to here the prompt is kept for five minutes, and as long again whenever it is read. An hour costs twice the price to write,
# which a batch does not earn back unless more than half of its requests find what others wrote.
KEPT = {"type": "ephemeral"}
MOST_TOKENS = 8192  # of an answer, where the role sets no limit: the API demands one
# what its structured outputs refuse; whoever reads the answer checks it all the same
UNKNOWN_LIMITS = {
    "minLength",
    "maxLength",
    "pattern",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "maxItems",
    "uniqueItems",
}
STATUSES = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
# "temperature: range: 0..1" and "`temperature` and `top_p` cannot both be …" would meet every request alike
SETTING = re.compile(r"\W*(temperature|top_p|max_tokens|output_config(?:\.effort|\.format)?)\b")
FIXES = {
    "output_config.effort": "`reasoning_effort` of the role",
    "output_config.format": "structured = false under the provider",
    "output_config": "structured = false under the provider, or `reasoning_effort` of the role",
}


def body(request: Request, *, structured: bool = True) -> dict[str, Any]:
    """The parameters of a message. structured: whether a JSON Schema is enforced; if not, it is told in the last message."""
    parameters = request.parameters
    told = openai_wire.body(request, structured=False) if not structured or not _closed(request) else openai_wire.body(request)
    messages: list[dict[str, str]] = told["messages"]
    first = next((place for place, message in enumerate(messages) if message["role"] != "system"), len(messages))
    result: dict[str, Any] = {
        **parameters.extra,
        "model": request.model,
        "max_tokens": parameters.max_tokens or MOST_TOKENS,
        # there are no system messages among the others
        "messages": [message | {"role": message["role"].replace("system", "user")} for message in messages[first:]],
    }
    if first:
        system = "\n\n".join(message["content"] for message in messages[:first])
        result["system"] = [{"type": "text", "text": system, "cache_control": KEPT}] if is_kept(request) else system
    for name, value in (("temperature", parameters.temperature), ("top_p", parameters.top_p)):
        if value is not None:
            result[name] = value
    output: dict[str, Any] = {}
    if request.schema is not None and "response_format" in told:
        output["format"] = {"type": "json_schema", "schema": _without_limits(request.schema.schema)}
    if parameters.reasoning_effort is not None:
        output["effort"] = parameters.reasoning_effort
    return result | ({"output_config": output} if output else {})


def _closed(request: Request) -> bool:
    """Whether every object of the schema says which properties there are, as structured outputs demand."""

    def closed(schema: Any) -> bool:
        if isinstance(schema, list):
            return all(closed(item) for item in schema)
        if not isinstance(schema, dict):
            return True
        if "properties" in schema and schema.get("additionalProperties") is not False:
            return False
        return all(closed(value) for value in schema.values())

    return request.schema is None or closed(request.schema.schema)


def _without_limits(schema: Any, *, names: bool = False) -> Any:
    """The schema without the limits that are refused. names: the keys are names of properties, which are free."""
    if isinstance(schema, list):
        return [_without_limits(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {
        name: value if name in ("enum", "const") and not names else _without_limits(value, names=name in ("properties", "$defs"))
        for name, value in schema.items()
        if names or name not in UNKNOWN_LIMITS
    }
    if not names and isinstance(kept.get("minItems"), int):
        kept["minItems"] = min(kept["minItems"], 1)
    return kept


def reply(message: Any) -> Reply:
    """Read a message, as JSON gives it. Raises NotACompletion if it is none."""
    if not isinstance(message, dict) or message.get("type") != "message" or not isinstance(message.get("content"), list):
        raise NotACompletion("not a message")
    blocks = [block for block in message["content"] if isinstance(block, dict)]
    texts = [block["text"] for block in blocks if block.get("type") == "text" and isinstance(block.get("text"), str)]
    thoughts = [block["thinking"] for block in blocks if isinstance(block.get("thinking"), str)]
    completion = {
        "id": message.get("id"),
        "model": message["model"] if isinstance(message.get("model"), str) else None,
        "choices": [
            {
                "message": {"content": "".join(texts), "reasoning": "\n\n".join(thoughts)},
                "finish_reason": message["stop_reason"] if isinstance(message.get("stop_reason"), str) else None,
            }
        ],
        "usage": _usage(message.get("usage")),
    }
    # ASCII with escapes: half a surrogate pair has to survive until `wire` names it
    found = openai_wire.reply(json.dumps(completion).encode())
    return msgspec.structs.replace(found, at=found.at or openai_wire.now())


def _usage(usage: Any) -> dict[str, Any] | None:
    """The counts by their other names. What was read from or written to a cache is no part of Anthropic's input_tokens."""
    if not isinstance(usage, dict):
        return None
    parts = [usage.get(name) for name in ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")]
    counts = [part for part in parts if isinstance(part, int)]
    return {
        "prompt_tokens": sum(counts) if isinstance(parts[0], int) else None,
        "completion_tokens": usage.get("output_tokens"),
        "prompt_tokens_details": {"cached_tokens": parts[2], "cache_write_tokens": parts[1]},
    }


def refusal(error: Any) -> Reply:
    """What an error object means: a final refusal. Raises Fault for what may be asked again, Paused for what must be fixed."""
    found: dict[str, Any] = error if isinstance(error, dict) else {}
    wrapped = found.get("error")
    inner: dict[str, Any] = wrapped if isinstance(wrapped, dict) else found
    kind, message = str(inner.get("type") or ""), str(inner.get("message") or "")
    if kind == "invalid_request_error" and (setting := SETTING.match(message)):
        raise Paused(
            f"the provider does not accept `{setting[1]}` ({message[:300]})",
            next=f"change {FIXES.get(setting[1], f'`{setting[1]}` of the role')} in finetune-prep.toml",
        )
    if kind not in STATUSES:
        raise Fault(f"{kind or 'an error without a type'}: {message[:300]}")
    return interpret(STATUSES[kind], json.dumps({"error": {"type": kind, "message": message}}).encode())
