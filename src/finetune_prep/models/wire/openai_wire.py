"""Requests and replies in the words of OpenAI's chat-completions API, which HTTP endpoints and batch files share.

Pure: values in, values out. What an HTTP status means is in `status`.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import msgspec

from finetune_prep.core.request import Problem, Reply, Request, Schema
from finetune_prep.models.wire import envelopes
from finetune_prep.models.wire.usage import usage_of

PATH = "/chat/completions"
LENGTHS = ("minLength", "maxLength")
LATEST = 253_402_300_800  # the year 10000, which a time in milliseconds would be past
FINISHED = {"stop", "eos", "eos_token", "end_turn", "stop_sequence", "complete"}
FINISH_PROBLEMS: dict[str, Problem] = {
    "length": "truncated",
    "max_tokens": "truncated",
    "model_length": "truncated",
    "model_context_window_exceeded": "truncated",
    "content_filter": "filtered",
    "safety": "filtered",
    "recitation": "filtered",
    "prohibited_content": "filtered",
    "refusal": "refused",
}
# A tag that opens a line, or a closing tag whose opening one the chat template has swallowed.
REASONING = re.compile(
    r"^\s*(?:<(?:think|thinking|thought|reasoning|reflection|seed:think)>|\[THINK\]|◁think▷|<\|channel\|>analysis)"
    r"|</(?:think|thinking|reasoning|seed:think)>|\[/THINK\]|◁/think▷",
    re.IGNORECASE | re.MULTILINE,
)
# A closed block that opens the answer, as models write it whose server has no reasoning parser.
LEADING_REASONING = re.compile(
    r"\s*(?:<(?P<tag>think|thinking|thought|reasoning|reflection|seed:think)>(?P<thought>.*?)</(?P=tag)>"
    r"|\[THINK\](?P<bracketed>.*?)\[/THINK\])\s*",
    re.IGNORECASE | re.DOTALL,
)
OPENING = 200  # characters in which such a block begins
UNPRINTABLE = re.compile(r"[\x00\ud800-\udfff]")


class _Message(msgspec.Struct):
    content: str | list[Any] | None = None
    refusal: str | None = None
    reasoning: Any = None
    reasoning_content: Any = None


class _Choice(msgspec.Struct):
    message: _Message
    finish_reason: str | None = None
    index: int = 0


class _Completion(msgspec.Struct):
    choices: list[_Choice]
    id: Any = None
    model: str | None = None
    usage: Any = None
    created: Any = None


_DECODER = msgspec.json.Decoder(_Completion)


def body(
    request: Request, *, structured: bool = True, worded: bool = False, limit_name: str = "max_completion_tokens"
) -> dict[str, Any]:
    """The body of a chat-completions call.

    structured: whether the endpoint is asked to enforce the schema by `response_format`; if not, or if `worded`, it is told in
    the last message. limit_name: what the endpoint calls the limit of answer tokens.
    """
    parameters = request.parameters
    messages: list[dict[str, str]] = [{"role": message.role, "content": message.content} for message in request.messages]
    result: dict[str, Any] = {"model": request.model, "messages": messages, **parameters.extra}
    for name, value in (
        ("temperature", parameters.temperature),
        ("top_p", parameters.top_p),
        (limit_name, parameters.max_tokens),
        ("reasoning_effort", parameters.reasoning_effort),
    ):
        if value is not None:
            result[name] = value
    if request.schema is not None:
        schema = request.schema
        if structured:
            strict, sent = _sent(msgspec.json.encode(schema.schema))
            named = {"name": schema.name, "schema": sent, "strict": strict}
            result["response_format"] = {"type": "json_schema", "json_schema": named}
        if worded or not structured:
            messages[-1]["content"] += in_words(schema)
    return result


def in_words(schema: Schema) -> str:
    """A schema in words, to stand at the end of the last message for an endpoint that enforces none."""
    return f"\n\nAnswer with JSON alone, following this JSON Schema:\n{msgspec.json.encode(schema.schema).decode()}"


@lru_cache(maxsize=32)  # the judge's is the same for every conversation of a run
def _sent(encoded: bytes) -> tuple[bool, Any]:
    """Whether a schema, given as JSON, can be strict, and as what it is sent. Nobody may change that: it is given again."""
    schema = msgspec.json.decode(encoded)
    strict = _strict(schema)
    return strict, _without_lengths(schema) if strict else schema


def _strict(schema: Any) -> bool:
    """Whether OpenAI would take the schema as strict: every object closed and every property required."""
    if isinstance(schema, list):
        return all(_strict(item) for item in schema)
    if not isinstance(schema, dict):
        return True
    if "properties" in schema and (
        schema.get("additionalProperties") is not False or set(schema.get("required", ())) != set(schema["properties"])
    ):
        return False
    return all(_strict(value) for value in schema.values())


def _without_lengths(schema: Any) -> Any:
    """The schema without limits on the length of texts: strict mode refuses them, and whoever reads the answer checks them."""
    if isinstance(schema, list):
        return [_without_lengths(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    kept = schema.items() if schema.get("type") != "string" else [pair for pair in schema.items() if pair[0] not in LENGTHS]
    return {name: _without_lengths(value) for name, value in kept}


def reply(data: bytes) -> Reply:
    """Read the body of a chat completion. Raises NotACompletion if it is none.

    Whatever is wrong with the answer itself (cut, filtered, refused, empty, garbled) is told by `problem` and `detail`.
    """
    try:
        completion = _DECODER.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        completion = _converted(envelopes.completion(data))
    found = Reply(
        text="",
        served_model=_clean(completion.model or ""),
        request_id=_clean(completion.id) if isinstance(completion.id, str) else "",
        usage=usage_of(completion.usage),
        at=_time(completion.created),
    )
    choice = min(completion.choices, key=lambda choice: choice.index, default=None)
    if choice is None:
        return msgspec.structs.replace(found, finish="", problem="empty", detail="the answer holds no choice")
    message = choice.message
    text = message.content if isinstance(message.content, str) else envelopes.spoken(message.content)
    reasoning = message.reasoning_content or message.reasoning
    reasoning = reasoning if isinstance(reasoning, str) else ""
    refused = bool(message.refusal)
    return examined(found, text or message.refusal or "", choice.finish_reason or "", refused=refused, reasoning=reasoning)


def _converted(value: dict[str, Any]) -> _Completion:
    try:
        return msgspec.convert(value, _Completion)
    except msgspec.ValidationError as error:
        raise envelopes.NotACompletion(f"JSON that is no chat completion: {error}") from error


def examined(found: Reply, text: str, finish: str, *, refused: bool = False, reasoning: str = "") -> Reply:
    """A reply with its text, and what is wrong with it.

    finish: the provider's finish reason. refused: it marked the answer as a refusal. reasoning: what came beside the answer.
    A block of reasoning that opens the text and is closed is taken off and kept with it; nothing behind it is touched.
    """
    if "<" in text[:OPENING] or "[" in text[:OPENING]:
        block = LEADING_REASONING.match(text)
        if block is not None:
            reasoning, text = reasoning or (block["thought"] or block["bracketed"] or "").strip(), text[block.end() :]
    problem, detail = _problem(text, finish, refused, bool(reasoning))
    if _unprintable(text):
        text = _clean(text)
        problem, detail = problem or "malformed", detail or "the text holds NUL or half of a surrogate pair"
    return msgspec.structs.replace(
        found, text=text, finish=_clean(finish), problem=problem, detail=_clean(detail), reasoning=_clean(reasoning)
    )


def _time(created: Any) -> str:
    """ISO time of `created`, seconds since 1970; "" if the provider gives none that makes sense."""
    if not isinstance(created, int | float) or not 0 < created < LATEST:
        return ""
    return _iso(created)


@lru_cache(maxsize=64)  # many answers are of the same second
def _iso(created: float) -> str:
    return datetime.fromtimestamp(created, UTC).isoformat(timespec="seconds")


def now() -> str:
    """The time of an answer whose provider gives none."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _problem(text: str, finish: str, refused: bool, reasoned: bool) -> tuple[Problem | None, str]:
    if refused:
        return "refused", "the provider marked the answer as a refusal"
    if problem := FINISH_PROBLEMS.get(finish.casefold()):
        return problem, f"finish reason “{finish}”"
    if finish.casefold() not in FINISHED:
        return "malformed", f"finish reason “{finish}”" if finish else "no finish reason: the answer may be unfinished"
    if not text.strip():
        return "empty", "only reasoning came back, no answer" if reasoned else "the answer is empty"
    # the pattern begins with one of these; looking for them first is forty times as fast
    if ("<" in text or "[" in text or "◁" in text) and (found := REASONING.search(text)):
        return "malformed", f"reasoning text in the answer: {found[0].strip()}"
    return None, ""


def _unprintable(text: str) -> bool:
    return "\x00" in text if text.isascii() else UNPRINTABLE.search(text) is not None


def _clean(text: str) -> str:
    return UNPRINTABLE.sub("\ufffd", text) if _unprintable(text) else text
