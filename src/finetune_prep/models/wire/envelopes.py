"""Answers that are nearly a chat completion, brought into its form: whatever was paid for is read as kindly as it can be.

Pure. Nothing inside a text is changed; only the envelope around it is. What holds no answer at all raises `NotACompletion`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

NO_ANSWER = {"reasoning", "thinking", "redacted_thinking", "reasoning_text", "summary_text"}  # types of parts that are not spoken
STREAM = ("data:", "event:", "id:", "retry:", ":")  # how the lines of a stream of events begin; a colon alone is a remark
_READER = json.JSONDecoder(strict=False)  # servers write raw control characters into texts


class NotACompletion(ValueError):
    """A body that holds no chat completion; the message says what it holds instead."""


def completion(data: bytes) -> dict[str, Any]:
    """A body as a chat completion with `choices`, each with a `message` whose `content` is a text. Bytes that are no UTF-8
    become U+FFFD. Raises NotACompletion."""
    text = data.decode("utf-8-sig", errors="replace").strip()
    if not text:
        raise NotACompletion("an empty body")
    if text.startswith("<"):
        raise NotACompletion("an HTML or XML page instead of JSON")
    if text.startswith(STREAM):
        return _streamed(text)
    try:
        value, _ = _READER.raw_decode(text)  # what stands behind it, such as [DONE], is no part of the answer
    except (ValueError, RecursionError):
        raise NotACompletion(f"what is not JSON: {text[:80]}") from None
    return _known(value)


def _known(value: Any) -> dict[str, Any]:
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if not isinstance(value, dict):
        raise NotACompletion(f"JSON that is no chat completion, of type {type(value).__name__}")
    if isinstance(choices := value.get("choices"), list):
        found = [_choice(choice) for choice in choices if isinstance(choice, dict)]
    elif isinstance(value.get("message"), dict) and "done" in value:  # Ollama's own API
        found = [_choice(value | {"finish_reason": value.get("done_reason") or ("stop" if value["done"] else None)})]
    else:
        raise NotACompletion(f"JSON that is no chat completion: it has {', '.join(map(repr, list(value)[:6])) or 'no fields'}")
    return {
        "choices": found,
        "id": value.get("id"),
        "model": value["model"] if isinstance(value.get("model"), str) else None,
        "usage": value.get("usage") or _counts_of_ollama(value),
        "created": value.get("created"),
    }


def _choice(choice: dict[str, Any]) -> dict[str, Any]:
    message = choice.get("message")
    if not isinstance(message, dict):
        message = {"content": message if message is not None else choice.get("text")}
    finish = choice.get("finish_reason")
    refusal = message.get("refusal")
    return {
        "index": index if type(index := choice.get("index")) is int else 0,  # to Python, true is a number, too
        "finish_reason": finish if finish is None or isinstance(finish, str) else str(finish),
        "message": {
            "content": spoken(message.get("content")),
            "refusal": refusal if isinstance(refusal, str) else None,
            "reasoning": message.get("reasoning") or message.get("thinking"),
            "reasoning_content": message.get("reasoning_content"),
        },
    }


def spoken(content: Any) -> str:
    """The text of a message's content: a text, a part with a text, or a list of both; parts that hold reasoning are left out."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "".join(map(spoken, content))
    if isinstance(content, dict) and content.get("type") not in NO_ANSWER:
        return spoken(content.get("text", content.get("content", content.get("value"))))
    return ""


def _counts_of_ollama(value: dict[str, Any]) -> dict[str, Any]:
    return {"prompt_tokens": value.get("prompt_eval_count"), "completion_tokens": value.get("eval_count")}


def _streamed(text: str) -> dict[str, Any]:
    """The pieces of a stream put together, as some gateways send them although no stream was asked for."""
    whole: dict[str, Any] = {"choices": [{"message": {"content": ""}}]}
    choice = whole["choices"][0]
    pieces = 0
    for event in _events(text):
        whole |= {name: event[name] for name in ("id", "model", "created", "usage") if event.get(name) is not None}
        for piece in event.get("choices") or ():
            if isinstance(piece, dict) and not piece.get("index"):
                pieces += 1
                delta = piece.get("delta") or piece.get("message") or {"content": piece.get("text")}
                choice["message"]["content"] += spoken(delta.get("content")) if isinstance(delta, dict) else ""
                choice["finish_reason"] = piece.get("finish_reason") or choice.get("finish_reason")
    if not pieces:
        raise NotACompletion("a stream of events without an answer")
    return _known(whole)


def _events(text: str) -> Iterator[dict[str, Any]]:
    for line in text.splitlines():
        if line.startswith("data:") and (found := line.removeprefix("data:").strip()) != "[DONE]":
            try:
                event = _READER.decode(found)
            except (ValueError, RecursionError):
                continue  # a piece cut off in the middle; the finish reason is then missing, and the answer counts as unfinished
            if isinstance(event, dict):
                yield event
