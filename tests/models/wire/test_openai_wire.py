"""Requests and replies on the wire: nothing that comes back is trusted."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune_prep.core.request import Parameters, Schema, Usage
from finetune_prep.models.providers.provider import Fault
from finetune_prep.models.wire import openai_wire
from finetune_prep.models.wire.http_status import interpret
from tests.fake_endpoint import Completion
from tests.models.examples import request

OPEN = {"type": "object", "properties": {"b": {"type": "string"}, "a": {"type": "string"}}}
CLOSED = OPEN | {"required": ["a", "b"], "additionalProperties": False}


def reply_of(**completion: Any) -> Any:
    return openai_wire.reply(Completion(**completion).body("larch-1-2026"))


@pytest.mark.parametrize(("schema", "strict"), [(OPEN, False), (CLOSED, True), ({"anyOf": [CLOSED, {"type": "null"}]}, True)])
def test_schemas_are_sent_as_structured_output(schema: dict[str, Any], strict: bool) -> None:
    """In their own order of properties; strict only where OpenAI would take them as strict."""
    body = json.loads(json.dumps(openai_wire.body(request(schema=Schema("verdict", schema)))))
    sent = body["response_format"]["json_schema"]
    assert (sent["name"], sent["strict"]) == ("verdict", strict)
    assert json.dumps(sent["schema"]) == json.dumps(schema)


def test_schemas_are_told_where_structured_output_is_missing() -> None:
    asked = request(schema=Schema("verdict", CLOSED))
    body = openai_wire.body(asked, structured=False)
    assert "response_format" not in body
    assert body["messages"][-1]["content"].endswith(json.dumps(CLOSED, separators=(",", ":")))
    assert asked.messages[-1].content == "Is it broken?"


def test_parameters_are_sent_when_given() -> None:
    parameters = Parameters(temperature=0.5, top_p=0.9, max_tokens=7, reasoning_effort="low")
    body = openai_wire.body(request(parameters=parameters), limit_name="max_tokens")
    assert {name: body[name] for name in list(body)[2:]} == {
        "temperature": 0.5,
        "top_p": 0.9,
        "max_tokens": 7,
        "reasoning_effort": "low",
    }
    assert list(openai_wire.body(request(parameters=Parameters()))) == ["model", "messages"]


@pytest.mark.parametrize(
    ("completion", "problem", "detail"),
    [
        ({"text": "Fine."}, None, ""),
        ({"text": "Fine.", "finish": "end_turn"}, None, ""),
        ({"text": "Use the <think> tag sparingly."}, None, ""),
        ({"text": "Fi", "finish": "length"}, "truncated", "length"),
        ({"text": "", "finish": "content_filter"}, "filtered", "content_filter"),
        ({"text": "Fine.", "finish": "tool_calls"}, "malformed", "tool_calls"),
        ({"text": "Fine.", "finish": None}, "malformed", "unfinished"),
        ({"text": "Fine.", "finish": "weird\x1b"}, "malformed", "weird"),
        ({"text": " \n"}, "empty", "empty"),
        ({"message": {"content": None, "reasoning_content": "Hm, hm."}}, "empty", "only reasoning"),
        ({"message": {"content": None, "refusal": "I can't."}}, "refused", "refusal"),
        ({"text": "<think>Hm</think>Fine."}, None, ""),
        ({"text": "<think>\n\n</think>\n\nFine."}, None, ""),
        ({"text": "<think>Hm</think>"}, "empty", "only reasoning"),
        ({"text": "<think>Hm, I should"}, "malformed", "<think>"),
        ({"text": "Sure.\n<THINKING>\nHm"}, "malformed", "<THINKING>"),
        ({"text": "Hm, so fine.</think>Fine."}, "malformed", "</think>"),
        ({"text": "[THINK]Hm[/THINK]Fine."}, None, ""),
        ({"text": "Fine.\n<think>Hm</think>"}, "malformed", "<think>"),
        ({"text": "<|channel|>analysis Hm"}, "malformed", "analysis"),
        ({"text": "a\x00b"}, "malformed", "NUL"),
        ({"text": "a\ud83db"}, "malformed", "surrogate"),
        ({"more": {"choices": []}}, "empty", "no choice"),
    ],
)
def test_problems_are_recognised(completion: dict[str, Any], problem: str | None, detail: str) -> None:
    """Each under its own name, with a reason."""
    reply = reply_of(**completion)
    assert reply.problem == problem
    assert detail in reply.detail
    assert bool(reply.detail) == bool(problem)


def test_a_block_of_reasoning_that_opens_the_answer_is_kept_apart() -> None:
    """Nothing behind it is touched, not even what looks like it."""
    reply = reply_of(text="\n<think>\nHm, a tag.\n</think>\n\nWrite `<think>` like this.  ")
    assert (reply.text, reply.reasoning) == ("Write `<think>` like this.  ", "Hm, a tag.")
    assert reply_of(message={"content": "Fine.", "reasoning_content": "Hm."}).reasoning == "Hm."


def test_text_is_kept_as_it_came() -> None:
    """Refusals and cut texts stay what they are; parts of a text are joined."""
    assert reply_of(message={"content": None, "refusal": "I can't."}).text == "I can't."
    assert (
        reply_of(message={"content": [{"type": "text", "text": "a"}, {"type": "image"}, {"type": "text", "text": "b"}]}).text
        == "ab"
    )
    assert reply_of(text="x\ud83d").text == "x\ufffd"


def test_of_several_choices_the_first_counts() -> None:
    choices = [{"index": n, "message": {"content": str(n)}, "finish_reason": "stop"} for n in (2, 0, 1)]
    assert reply_of(more={"choices": choices}).text == "0"


@pytest.mark.parametrize(
    ("raw", "usage"),
    [
        (None, Usage()),
        ("many", Usage()),
        ({"prompt_tokens": -1, "completion_tokens": 3}, Usage(output=3)),
        (
            {
                "prompt_tokens": 9,
                "completion_tokens": 5,
                "prompt_tokens_details": {"cached_tokens": 4},
                "completion_tokens_details": {"reasoning_tokens": 2},
            },
            Usage(input=9, cached=4, output=5, reasoning=2),
        ),
        ({"prompt_tokens": 9, "completion_tokens": 5, "prompt_cache_hit_tokens": 8}, Usage(input=9, cached=8, output=5)),
        ({"prompt_tokens": 9, "completion_tokens": 5, "prompt_tokens_details": None}, Usage(input=9, output=5)),
        ({"prompt_tokens": 9, "completion_tokens": 5, "prompt_tokens_details": "none"}, Usage(input=9, output=5)),
        ({"prompt_tokens": "9", "completion_tokens": 5, "cached_tokens": 4}, Usage(output=5, cached=4)),
        (
            {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 6100},
            Usage(input=1000, output=5100, reasoning=5000),
        ),
        (
            {"promptTokenCount": 1000, "candidatesTokenCount": 100, "thoughtsTokenCount": 5000, "totalTokenCount": 6100},
            Usage(input=1000, output=5100, reasoning=5000),
        ),
        ({"input_tokens": 9, "output_tokens": 5, "cache_read_input_tokens": 3}, Usage(input=9, output=5, cached=3)),
        (
            {"prompt_tokens": 9, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 2, "cache_write_tokens": 6}},
            Usage(input=9, output=5, cached=2, written=6),
        ),
        ({"prompt_tokens": 9, "completion_tokens": 5, "cache_creation_input_tokens": 0}, Usage(input=9, output=5)),
    ],
)
def test_usage_is_read_as_far_as_it_can_be(raw: Any, usage: Usage) -> None:
    """An odd count never spoils a paid answer."""
    reply = reply_of(more={"usage": raw})
    assert (reply.usage, reply.problem) == (usage, None)


@given(
    st.binary(max_size=200)
    | st.recursive(st.none() | st.text() | st.integers(), st.lists, max_leaves=5).map(lambda v: json.dumps(v).encode())
)
def test_no_body_breaks_the_reader(data: bytes) -> None:
    """Whatever comes with a 200 is a reply or a fault."""
    try:
        interpret(200, data)
    except Fault as fault:
        assert fault.reason


@given(st.text(st.characters(), max_size=50))
def test_every_text_can_be_kept(text: str) -> None:
    """Lone surrogates included: what comes out can be written as UTF-8."""
    assert isinstance(reply_of(text=text).text.encode(), bytes)
