"""What providers do wrong, once or always: statuses, refusals in a 200, silence, resets, odd limits."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.cli.terminal import Terminal
from tests.fake_endpoint import Behaviour, Call, Completion, Drip, Flood, HalfAnswer, Reset, Stall, Status
from tests.families.sampling import members
from tests.families.trial import trial

CHOICE = {"index": 0, "message": {"role": "assistant", "content": "Half an ans"}, "finish_reason": "stop"}
STATUSES = (
    400, 401, 402, 403, 404, 405, 406, 408, 409, 410, 411, 413, 415, 418, 421, 422, 423, 424, 425, 428, 429, 431, 451, 498, 499,
    500, 501, 502, 503, 504, 505, 507, 508, 511, 520, 521, 522, 524, 529, 530, 598, 300, 301, 302, 303, 307, 308,
)  # fmt: skip


def error(**fields: Any) -> dict[str, Any]:
    return {"message": "no", "type": "x", "code": None} | fields


FAULTS: dict[str, Behaviour] = {
    **{f"HTTP {status}": Status(status) for status in STATUSES},
    "503 without a body": Status(503, raw=b""),
    "502 with a page": Status(502, raw=b"<html><h1>Bad gateway</h1>"),
    "200 with a login page": Status(200, raw=b"<!doctype html><title>Sign in</title>"),
    "200 without a body": Status(200, raw=b""),
    "204": Status(204, raw=b""),
    "429 for a while": Status(429, headers={"Retry-After": "0.01"}),
    "429 until a day long past": Status(429, headers={"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}),
    "429 with no number": Status(429, headers={"Retry-After": "soon"}),
    "429 with a negative wait": Status(429, headers={"Retry-After": "-5"}),
    "429 in milliseconds": Status(429, headers={"retry-after-ms": "10"}),
    "429 without credit": Status(429, error=error(code="insufficient_quota")),
    "400 without credit": Status(400, error=error(message="Your credit balance is too low to access the API.")),
    "400 wrong key": Status(400, error=error(message="API key not valid. Please pass a valid API key.")),
    "400 context": Status(400, error=error(message="This model's maximum context length is 512 tokens.")),
    "400 filter": Status(400, error=error(code="content_filter", message="filtered")),
    "400 no system": Status(400, error=error(message="System role not supported")),
    "400 a field": Status(400, error=error(message="Unsupported value: 'temperature'", param="temperature")),
    "403 moderated": Status(403, error=error(metadata={"flagged_input": "x"})),
    "422 as FastAPI says it": Status(422, raw=b'{"detail":[{"loc":["body","top_p"],"msg":"too large"}]}'),
    "500 in words": Status(500, raw=b"Internal Server Error"),
    "an error in a list": Status(400, raw=b'[{"error":{"message":"API key expired","status":"INVALID_ARGUMENT"}}]'),
    "an error that is a text": Status(404, raw=b'{"error":"model not found"}'),
    "200 with an error object": Status(200, raw=b'{"error":{"message":"upstream died","code":502}}'),
    "200 with an error text": Status(200, raw=b'{"error":"model is loading"}'),
    "200 with object: error": Status(200, raw=b'{"object":"error","message":"out of memory","code":500}'),
    "200 with finish reason error": Status(200, raw=json.dumps({"choices": [CHOICE | {"finish_reason": "error"}]}).encode()),
    "200 with network_error": Status(200, raw=json.dumps({"choices": [CHOICE | {"finish_reason": "network_error"}]}).encode()),
    "200 with insufficient_system_resource": Status(
        200, raw=json.dumps({"choices": [CHOICE | {"finish_reason": "insufficient_system_resource"}]}).encode()
    ),
    "200 without a choice": Status(200, raw=b'{"choices":[],"usage":{"prompt_tokens":10,"completion_tokens":0}}'),
    "200 with choices: null": Status(200, raw=b'{"choices":null}'),
    "200 without a token": Completion("", completion_tokens=0, prompt_tokens=0),
    "200 cut in the JSON": Status(200, raw=b'{"choices": [{"index": 0, "message": {"role": "assis'),
    "200 an array of nothing": Status(200, raw=b"[]"),
    "200 null": Status(200, raw=b"null"),
    "a reset": Reset(),
    "half an answer": HalfAnswer(),
    "silence": Stall(),
    "silence in the middle": Stall(mid_body=True),
    "80 MB": Flood(80 * 1024 * 1024),
}  # fmt: skip
HEADERS: dict[str, dict[str, str]] = {
    "limits in words": {"x-ratelimit-limit-requests": "many", "x-ratelimit-remaining-requests": "few"},
    "limits of nothing": {"x-ratelimit-limit-requests": "0", "x-ratelimit-limit-tokens": "0", "x-ratelimit-remaining-tokens": "0"},
    "negative limits": {"x-ratelimit-limit-requests": "-1", "x-ratelimit-remaining-requests": "-7"},
    "limits without end": {"x-ratelimit-limit-requests": "9" * 300, "x-ratelimit-reset-requests": "1e400s"},
    "limits that are nan": {"x-ratelimit-limit-tokens": "nan", "x-ratelimit-remaining-tokens": "inf"},
    "an odd reset": {"x-ratelimit-limit-requests": "60", "x-ratelimit-reset-requests": "1d2h3x", "x-ratelimit-remaining-requests": "59"},
    "a date that is none": {"Date": "yesterday"},
    "a day in 2037": {"Date": "Wed, 21 Oct 2037 07:28:00 GMT"},
    "an id without end": {"x-request-id": "a" * 5000},
}  # fmt: skip
ONCE = {name: fault for name, fault in FAULTS.items() if not isinstance(fault, Stall)}


@members("fault", FAULTS, 6)
def test_a_fault_at_the_first_call_of_each_request(
    fault: Behaviour, accepted: Path, tmp_path: Path, terminal_in: Callable[[Path], Terminal]
) -> None:
    """Then all is well: whatever was given is kept, and no request is paid for twice."""
    with trial(
        accepted,
        tmp_path / "shop",
        terminal_in,
        lambda call, good: fault if call.nth == 1 else good,
        key="sk-canary-0123456789",
        more="timeout = 4",
    ) as tried:
        tried.pilot()
        tried.assert_sound()


@members("fault", FAULTS, 3)
def test_a_fault_that_stays(fault: Behaviour, accepted: Path, tmp_path: Path, terminal_in: Callable[[Path], Terminal]) -> None:
    """The run ends with a sentence and a step; when the endpoint is well again, the same command goes on."""
    with trial(accepted, tmp_path / "shop", terminal_in, lambda call, good: fault, more="timeout = 1") as tried:
        ended = tried.pilot()
        assert ended.code != 0
        tried.assert_sound()


@members("fault", FAULTS, 3)
def test_a_fault_of_the_judge_alone(
    fault: Behaviour, accepted: Path, tmp_path: Path, terminal_in: Callable[[Path], Terminal]
) -> None:
    """The conversations stay, and nothing that was not judged is accepted."""

    def member(call: Call, good: Completion) -> Behaviour:
        return fault if "response_format" in call.body else good

    with trial(accepted, tmp_path / "shop", terminal_in, member, more="timeout = 1\nstructured = true") as tried:
        ended = tried.pilot()
        assert ended.code != 0
        assert not [sample for sample in tried.samples() if sample.state == "accepted"]
        tried.assert_sound()


@members("headers", HEADERS, 2)
def test_odd_limits_and_headers(
    headers: dict[str, str], accepted: Path, tmp_path: Path, terminal_in: Callable[[Path], Terminal]
) -> None:
    def member(call: Call, good: Completion) -> Behaviour:
        return Completion(good.text, headers=headers)

    with trial(accepted, tmp_path / "shop", terminal_in, member, more="timeout = 20") as tried:
        assert tried.pilot().code == 0
        tried.assert_sound()


def test_a_slow_answer_in_pieces(accepted: Path, tmp_path: Path, terminal_in: Callable[[Path], Terminal]) -> None:
    def member(call: Call, good: Completion) -> Behaviour:
        return Drip(str(good.text), pause=0.002)

    with trial(accepted, tmp_path / "shop", terminal_in, member) as tried:
        assert tried.pilot().code == 0
        assert len(tried.endpoint.calls) == tried.due()
        tried.assert_sound()
