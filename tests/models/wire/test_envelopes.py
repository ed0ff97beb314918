"""What was paid for is read, however odd the envelope."""

from __future__ import annotations

import json
from typing import Any

import pytest

from finetune_prep.models.wire.envelopes import NotACompletion, completion
from finetune_prep.models.wire.http_status import interpret


def a_body(message: Any = None, choice: dict[str, Any] | None = None, **more: Any) -> bytes:
    spoken = {"role": "assistant", "content": "Fine."} if message is None else message
    return json.dumps({"choices": [{"index": 0, "message": spoken, "finish_reason": "stop"} | (choice or {})]} | more).encode()


READ = {
    "no index": a_body(choice={"index": None}),
    "an index of true": a_body(choice={"index": True}),
    "an index in words": a_body(choice={"index": "first"}),
    "refusal: false": a_body({"content": "Fine.", "refusal": False}),
    "a model that is a number": a_body(model=5),
    "output_text parts": a_body({"content": [{"type": "output_text", "text": "Fi"}, {"type": "output_text", "text": "ne."}]}),
    "bare strings as parts": a_body({"content": ["Fi", "ne."]}),
    "an object as content": a_body({"content": {"type": "text", "text": {"value": "Fine."}}}),
    "reasoning among the parts": a_body({"content": [{"type": "thinking", "text": "Hm."}, {"type": "text", "text": "Fine."}]}),
    "text in place of a message": a_body(choice={"message": None, "text": "Fine."}),
    "a message that is a text": a_body(choice={"message": "Fine."}),
    "in a list of one": b"[" + a_body() + b"]",
    "a byte order mark": b"\xef\xbb\xbf" + a_body(),
    "[DONE] behind it": a_body() + b"\ndata: [DONE]",
    "a stream": b"""data: {"choices":[{"delta":{"role":"assistant"}}],"model":"m"}

data: {"choices":[{"delta":{"content":"Fi"}}]}

data: {"choices":[{"delta":{"content":"ne."},"finish_reason":"stop"}],"usage":{"prompt_tokens":3}}

data: [DONE]
""",
    "a stream that begins with a remark": b": ping\n\nevent: message\n"
    b'data: {"choices":[{"delta":{"content":"Fine."},"finish_reason":"stop"}]}\n\ndata: [DONE]\n',
    "Ollama's own API": b'{"model":"m","message":{"role":"assistant","content":"Fine."},"done":true,"done_reason":"stop","eval_count":2}',
}


@pytest.mark.parametrize("data", READ.values(), ids=READ.keys())
@pytest.mark.parametrize("status", [200, 201, 202])
def test_an_odd_envelope_loses_no_answer(status: int, data: bytes) -> None:
    reply = interpret(status, data)
    assert (reply.text, reply.problem) == ("Fine.", None)


def test_a_raw_control_character_is_part_of_the_text() -> None:
    assert interpret(200, a_body().replace(b"Fine.", b"One\nTwo\tThree")).text == "One\nTwo\tThree"


def test_a_byte_that_is_no_text_leaves_the_rest_readable() -> None:
    assert interpret(200, a_body().replace(b"Fine.", b"Caf\xe9, fine.")).text == "Caf\ufffd, fine."


def test_a_stream_that_breaks_off_is_unfinished() -> None:
    reply = interpret(200, b'data: {"choices":[{"delta":{"content":"Fi"}}]}\n\ndata: {"choices":[{"del')
    assert (reply.text, reply.problem) == ("Fi", "malformed")


def test_an_odd_finish_reason_is_named() -> None:
    reply = interpret(200, a_body(choice={"finish_reason": 1}))
    assert (reply.text, reply.problem) == ("Fine.", "malformed")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"<html>Sign in</html>", "HTML"),
        (b"Service is starting", "not JSON: Service"),
        (b"7", "int"),
        (b'{"status": "ok"}', "'status'"),
        (b"data: ping\n\n", "without an answer"),
        (b"[" * 100_000, "not JSON"),
    ],
)
def test_what_holds_no_answer_says_what_it_holds(data: bytes, words: str) -> None:
    with pytest.raises(NotACompletion, match=words):
        completion(data)
