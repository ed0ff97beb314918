"""Anthropic's Messages API: requests into its words, its messages and errors into replies."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from finetune_prep.core.conversation import Message
from finetune_prep.core.request import Parameters, Schema, Usage
from finetune_prep.errors import Paused
from finetune_prep.models.providers.provider import Fault
from finetune_prep.models.wire import anthropic_wire
from finetune_prep.models.wire.envelopes import NotACompletion
from tests.models.examples import request


def message(text: str = "Fine.", **more: Any) -> dict[str, Any]:
    return {
        "id": "msg_1",
        "type": "message",
        "model": "larch-1",
        "content": [{"type": "text", "text": text}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 7, "output_tokens": 3},
    } | more


def test_settings_stand_where_the_api_looks_for_them() -> None:
    asked = request(parameters=Parameters(temperature=0.5, top_p=0.9, max_tokens=70, reasoning_effort="high"))
    assert anthropic_wire.body(asked) == {
        "model": "larch-1",
        "max_tokens": 70,
        "messages": [{"role": "user", "content": "Is it broken?"}],
        "system": "You judge.",
        "temperature": 0.5,
        "top_p": 0.9,
        "output_config": {"effort": "high"},
    }
    assert "system" not in anthropic_wire.body(request(messages=(Message("user", "?"),)))


def test_limits_that_are_refused_are_left_out_and_names_are_not() -> None:
    """A property may be called "maximum" or "pattern"; values of an enumeration stay as they are."""
    inner = {"maximum": {"type": "number", "maximum": 3, "minimum": 0}, "pattern": {"enum": [{"maximum": 1}]}}
    schema = {
        "type": "object",
        "properties": inner,
        "required": ["maximum"],
        "additionalProperties": False,
        "$defs": {"minLength": {"type": "string", "minLength": 2}},
    }
    asked = request(schema=Schema("v", schema))
    sent = anthropic_wire.body(asked)["output_config"]["format"]
    assert sent == {
        "type": "json_schema",
        "schema": {
            "type": "object",
            "properties": {"maximum": {"type": "number"}, "pattern": {"enum": [{"maximum": 1}]}},
            "required": ["maximum"],
            "additionalProperties": False,
            "$defs": {"minLength": {"type": "string"}},
        },
    }
    assert schema["properties"]["maximum"]["maximum"] == 3, "the request itself is as it was"  # type: ignore[index]


@pytest.mark.parametrize("structured", [True, False])
def test_a_schema_that_cannot_be_enforced_is_told(structured: bool) -> None:
    """One with open objects, and any at an endpoint that enforces none."""
    open_object = {"type": "object", "properties": {"a": {"type": "string"}}}
    schema = open_object if structured else open_object | {"required": ["a"], "additionalProperties": False}
    sent = anthropic_wire.body(request(schema=Schema("v", schema)), structured=structured)
    assert "output_config" not in sent
    assert json.dumps(schema, separators=(",", ":")) in sent["messages"][-1]["content"]


@pytest.mark.parametrize(
    ("stop", "problem"),
    [
        ("end_turn", None),
        ("stop_sequence", None),
        ("max_tokens", "truncated"),
        ("model_context_window_exceeded", "truncated"),
        ("refusal", "refused"),
        ("tool_use", "malformed"),
        ("pause_turn", "malformed"),
        (None, "malformed"),
    ],
)
def test_what_the_stop_reason_means(stop: str | None, problem: str | None) -> None:
    assert anthropic_wire.reply(message(stop_reason=stop)).problem == problem


def test_a_message_is_read() -> None:
    """Its texts without its thoughts; tokens from and into caches are part of the prompt."""
    content = [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "Fi"}, {"type": "text", "text": "ne."}]
    usage = {"input_tokens": 5, "cache_creation_input_tokens": 20, "cache_read_input_tokens": 100, "output_tokens": 9}
    found = anthropic_wire.reply(message(content=content, usage=usage))
    assert (found.text, found.served_model, found.request_id, found.finish) == ("Fine.", "larch-1", "msg_1", "end_turn")
    assert found.usage == Usage(input=125, cached=100, written=20, output=9)
    assert found.at
    thought = anthropic_wire.reply(message(content=content[:1]))
    assert (thought.problem, thought.detail) == ("empty", "only reasoning came back, no answer")
    assert anthropic_wire.reply(message(usage=None)).usage == Usage()
    assert anthropic_wire.reply(message("half \ud83d")).problem == "malformed"


@pytest.mark.parametrize("value", [None, [], 7, {"type": "error"}, {"type": "message"}, {"type": "message", "content": "text"}])
def test_what_is_no_message(value: Any) -> None:
    with pytest.raises(NotACompletion):
        anthropic_wire.reply(value)


def error(kind: str, said: str = "no") -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": said}}


def test_what_an_error_means() -> None:
    """Final for the request, in passing, or a matter for a person."""
    assert anthropic_wire.refusal(error("invalid_request_error", "prompt is too long: 210000 tokens")).problem == "rejected"
    assert anthropic_wire.refusal(error("request_too_large")).problem == "rejected"
    for kind in ("rate_limit_error", "api_error", "overloaded_error", "timeout_error", "something_new", ""):
        with pytest.raises(Fault):
            anthropic_wire.refusal(error(kind))
    for kind in ("authentication_error", "billing_error", "permission_error", "not_found_error"):
        with pytest.raises(Paused):
            anthropic_wire.refusal(error(kind))
    for value in (None, [], {"error": 7}):
        with pytest.raises(Fault):
            anthropic_wire.refusal(value)


@pytest.mark.parametrize(
    "said",
    [
        "temperature: range: 0..1",
        "max_tokens: 100000 > 8192, which is the maximum allowed number of output tokens",
        "`temperature` and `top_p` cannot both be specified for this model.",
        "output_config.effort: Input should be 'low', 'medium' or 'high'",
    ],
)
def test_a_setting_that_is_refused_is_no_outcome(said: str) -> None:
    """The fix names what finetune-prep.toml calls it."""
    with pytest.raises(Paused, match="does not accept") as paused:
        anthropic_wire.refusal(error("invalid_request_error", said))
    assert "output_config" not in paused.value.next


def test_bodies_are_json() -> None:
    assert msgspec.json.encode(anthropic_wire.body(request()))
