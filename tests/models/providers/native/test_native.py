"""Anthropic, Gemini and Bedrock: their documented answers, over real HTTP, become the same replies, faults and pauses."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from finetune_prep.core.conversation import Message
from finetune_prep.core.request import Parameters, Reply, Schema, Usage
from finetune_prep.errors import ConfigError, Paused, Unreachable
from finetune_prep.http.secrets import Secret
from finetune_prep.ledger.sqlite.ledger import SqliteLedger
from finetune_prep.models.door import open_door
from finetune_prep.models.prices import Prices
from finetune_prep.models.providers.native.opening import open_native
from finetune_prep.models.providers.provider import Fault
from finetune_prep.project.config import INSTALL_NATIVE, NATIVE, Config, Price, ProviderSettings, RoleSettings, parse
from tests.fake_endpoint import Behaviour, Call, FakeEndpoint, HalfAnswer, Status
from tests.models.examples import request
from tests.project.test_config import SOUND
from tests.waiting import skip

KEY = "canary-0123456789"
KINDS = ("anthropic", "google", "bedrock")
MODELS = {
    "anthropic": "claude-haiku-4-5",
    "google": "gemini-2.5-flash",
    "bedrock": "us.anthropic.claude-haiku-4-5-20251001-v1:0",
}
SCHEMA = Schema(
    "verdict",
    {"type": "object", "properties": {"CP1": {"type": "string"}}, "required": ["CP1"], "additionalProperties": False},
)

needs_the_extra = pytest.mark.usefixtures("extra")


@pytest.fixture
def extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra is part of `dev`; keys for AWS stand where its SDK looks for them."""
    pytest.importorskip("pydantic_ai", reason=INSTALL_NATIVE)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", KEY)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def answer(kind: str, text: str = "Yes.", finish: str = "") -> Status:
    """A finished answer as the provider's reference shows it: 100 tokens and 20 from the cache, 10 back."""
    if kind == "anthropic":
        body: dict[str, Any] = {
            "id": "msg_01",
            "type": "message",
            "role": "assistant",
            "model": "claude-haiku-4-5-20251001",
            "content": [{"type": "text", "text": text}] if text else [],
            "stop_reason": finish or "end_turn",
            "stop_sequence": None,
            "usage": {
                "input_tokens": 100,
                "cache_creation_input_tokens": 0,
                "cache_read_input_tokens": 20,
                "output_tokens": 10,
            },
        }
    elif kind == "google":
        content = {"role": "model", "parts": [{"text": text}]} if text else {"role": "model"}
        body = {
            "candidates": [{"content": content, "finishReason": finish or "STOP", "index": 0}],
            "usageMetadata": {
                "promptTokenCount": 120,
                "cachedContentTokenCount": 20,
                "candidatesTokenCount": 6,
                "thoughtsTokenCount": 4,
                "totalTokenCount": 130,
            },
            "modelVersion": "gemini-2.5-flash-001",
            "responseId": "response-01",
        }
    else:
        body = {
            "output": {"message": {"role": "assistant", "content": [{"text": text}] if text else []}},
            "stopReason": finish or "end_turn",
            "usage": {"inputTokens": 100, "outputTokens": 10, "totalTokens": 130, "cacheReadInputTokens": 20},
            "metrics": {"latencyMs": 5},
        }
    headers = {"x-amzn-RequestId": "request-01"} if kind == "bedrock" else {}
    return Status(200, raw=json.dumps(body).encode(), headers=headers)


def error(kind: str, status: int, code: str, message: str, **headers: str) -> Status:
    """An error as the provider's reference shows it."""
    if kind == "anthropic":
        body: dict[str, Any] = {"type": "error", "error": {"type": code, "message": message}, "request_id": "req_01"}
    elif kind == "google":
        body = {"error": {"code": status, "message": message, "status": code}}
    else:
        body, headers = {"message": message}, {"x-amzn-ErrorType": code, **headers}
    return Status(status, raw=json.dumps(body).encode(), headers=headers)


def settings(kind: str, endpoint: FakeEndpoint, **more: Any) -> ProviderSettings:
    return ProviderSettings(kind=kind, base_url=f"http://127.0.0.1:{endpoint.port}", region="us-east-1", **more)  # type: ignore[arg-type]


def secret(kind: str) -> Secret | None:
    return None if kind == "bedrock" else Secret("KEY", KEY)


async def asked(kind: str, behaviour: Behaviour, **changes: Any) -> tuple[Reply, Call]:
    """The reply to one request, and the one call that was made for it."""
    with FakeEndpoint(behaviour) as endpoint:
        provider = open_native(kind, settings(kind, endpoint), secret(kind))
        try:
            reply = await provider.answer(request(**{"model": MODELS[kind]} | changes))
        finally:
            await provider.close()
            assert len(endpoint.calls) <= 1, "the SDK tried again"
    return reply, endpoint.calls[0]


@needs_the_extra
@pytest.mark.parametrize("kind", KINDS)
async def test_an_answer_is_read_whole(kind: str) -> None:
    """Text, finish reason, who answered, the provider's id, and tokens: what came from the cache is part of the prompt."""
    reply, _ = await asked(kind, answer(kind))
    reasoning = 4 if kind == "google" else 0
    served = {"anthropic": "claude-haiku-4-5-20251001", "google": "gemini-2.5-flash-001", "bedrock": MODELS["bedrock"]}
    ids = {"anthropic": "msg_01", "google": "response-01", "bedrock": "request-01"}
    assert (reply.text, reply.problem) == ("Yes.", None)
    assert reply.usage == Usage(input=120, cached=20, output=10, reasoning=reasoning)
    assert (reply.served_model, reply.request_id) == (served[kind], ids[kind])
    assert reply.finish == {"anthropic": "end_turn", "google": "STOP", "bedrock": "end_turn"}[kind]
    assert reply.at
    assert reply.seconds > 0


@needs_the_extra
@pytest.mark.parametrize("kind", KINDS)
async def test_messages_and_parameters_go_as_they_are(kind: str) -> None:
    """In order, with their roles, and with nothing added; the key goes in a header only."""
    messages = (
        Message("system", "You play a user."),
        Message("user", "My bowl is cracked."),
        Message("assistant", "Since when?"),
        Message("user", "Since May."),
    )
    parameters = Parameters(max_tokens=77, temperature=0.5)
    _, call = await asked(kind, answer(kind), messages=messages, parameters=parameters)
    body = call.body
    if kind == "google":
        assert [(turn["role"], turn["parts"]) for turn in body["contents"]] == [
            ("user", [{"text": "My bowl is cracked."}]),
            ("model", [{"text": "Since when?"}]),
            ("user", [{"text": "Since May."}]),
        ]
        assert body["systemInstruction"]["parts"] == [{"text": "You play a user."}]
        limits = body["generationConfig"]
        assert (limits["maxOutputTokens"], limits["temperature"]) == (77, 0.5)
    else:
        assert [(turn["role"], [part["text"] for part in turn["content"]]) for turn in body["messages"]] == [
            ("user", ["My bowl is cracked."]),
            ("assistant", ["Since when?"]),
            ("user", ["Since May."]),
        ]
        system = body["system"]
        assert (system if isinstance(system, str) else system[0]["text"]) == "You play a user."
        limits = body.get("inferenceConfig", body)
        assert (limits.get("maxTokens", limits.get("max_tokens")), limits["temperature"]) == (77, 0.5)
    assert KEY not in json.dumps(body) + call.path
    if kind != "bedrock":
        assert any(KEY in value for value in call.headers.values())


@needs_the_extra
@pytest.mark.parametrize(
    ("kind", "place"),
    [
        ("anthropic", ("output_config", "format", "schema")),
        ("google", ("generationConfig", "responseJsonSchema")),
        ("bedrock", ("outputConfig", "textFormat", "structure", "jsonSchema", "schema")),
    ],
)
async def test_a_schema_is_enforced_where_the_model_can(kind: str, place: tuple[str, ...]) -> None:
    _, call = await asked(kind, answer(kind, '{"CP1": "YES"}'), schema=SCHEMA)
    found: Any = call.body
    for name in place:
        found = found[name]
    schema = json.loads(found) if isinstance(found, str) else found
    assert schema["properties"] == {"CP1": {"type": "string"}}
    assert "JSON Schema" not in json.dumps(call.body.get("messages", call.body.get("contents")))


@needs_the_extra
async def test_a_schema_is_asked_for_in_words_where_it_cannot_be_enforced() -> None:
    """By a model that has nothing for it, or where structured = false says so."""
    with FakeEndpoint(answer("bedrock", '{"CP1": "YES"}')) as endpoint:
        for model, structured in (("amazon.nova-lite-v1:0", True), (MODELS["bedrock"], False)):
            provider = open_native("bedrock", settings("bedrock", endpoint, structured=structured), None)
            await provider.answer(request(model=model, schema=SCHEMA))
            await provider.close()
        for call in endpoint.calls:
            assert "outputConfig" not in call.body
            assert call.body["messages"][-1]["content"][0]["text"].endswith(json.dumps(SCHEMA.schema, separators=(",", ":")))


@needs_the_extra
@pytest.mark.parametrize(
    ("kind", "text", "finish", "problem"),
    [
        ("anthropic", "A crack", "max_tokens", "truncated"),
        ("google", "A crack", "MAX_TOKENS", "truncated"),
        ("bedrock", "A crack", "max_tokens", "truncated"),
        ("anthropic", "", "refusal", "refused"),
        ("google", "", "SAFETY", "filtered"),
        ("google", "", "PROHIBITED_CONTENT", "filtered"),
        ("bedrock", "Sorry.", "guardrail_intervened", "filtered"),
        ("bedrock", "", "content_filtered", "filtered"),
        ("anthropic", "", "", "empty"),
        ("google", "", "", "empty"),
        ("anthropic", "<think>Hm.", "", "malformed"),
    ],
)
async def test_what_is_wrong_with_an_answer_has_a_name(kind: str, text: str, finish: str, problem: str) -> None:
    reply, _ = await asked(kind, answer(kind, text, finish))
    assert (reply.text, reply.problem) == (text, problem)


@needs_the_extra
async def test_a_prompt_that_gemini_blocks_is_filtered() -> None:
    """Then there is no candidate at all."""
    body = {
        "promptFeedback": {"blockReason": "PROHIBITED_CONTENT"},
        "usageMetadata": {"promptTokenCount": 9, "totalTokenCount": 9},
        "modelVersion": "gemini-2.5-flash",
    }
    reply, _ = await asked("google", Status(200, raw=json.dumps(body).encode()))
    assert (reply.text, reply.problem) == ("", "filtered")


PAUSES = [
    error("anthropic", 401, "authentication_error", "invalid x-api-key"),
    error("anthropic", 403, "permission_error", "Your API key may not use this model."),
    error("anthropic", 404, "not_found_error", "model: claude-haiku-4-5"),
    error("anthropic", 400, "invalid_request_error", "Your credit balance is too low to access the Anthropic API."),
    error("google", 400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key."),
    error("google", 403, "PERMISSION_DENIED", "Your API key was reported as leaked."),
    error("google", 404, "NOT_FOUND", "models/gemini-2.5-flash is not found for API version v1beta."),
    error("bedrock", 403, "UnrecognizedClientException", "The security token included in the request is invalid."),
    error("bedrock", 403, "AccessDeniedException", "You don't have access to the model with the specified model ID."),
    error("bedrock", 400, "ValidationException", "The provided model identifier is invalid."),
]


@needs_the_extra
@pytest.mark.parametrize("behaviour", PAUSES, ids=range(len(PAUSES)))
async def test_what_a_person_must_mend_pauses_the_run(behaviour: Status) -> None:
    """Key, access, credit, model: with what to do."""
    kind = "bedrock" if "x-amzn-ErrorType" in behaviour.headers else "anthropic" if b'"type"' in behaviour.body() else "google"
    with pytest.raises(Paused) as caught:
        await asked(kind, behaviour)
    assert caught.value.next


FAULTS = [
    ("anthropic", error("anthropic", 429, "rate_limit_error", "tokens per minute", **{"retry-after": "7"}), True, 7),
    ("anthropic", error("anthropic", 529, "overloaded_error", "Overloaded"), True, None),
    ("anthropic", error("anthropic", 500, "api_error", "Internal server error"), False, None),
    ("google", error("google", 429, "RESOURCE_EXHAUSTED", "requests per minute", **{"retry-after": "7"}), True, 7),
    ("google", error("google", 503, "UNAVAILABLE", "The model is overloaded."), True, None),
    ("google", error("google", 500, "INTERNAL", "An internal error has occurred."), False, None),
    ("bedrock", error("bedrock", 429, "ThrottlingException", "Too many requests", **{"retry-after": "7"}), True, 7),
    ("bedrock", error("bedrock", 503, "ServiceUnavailableException", "Try again"), True, None),
    ("bedrock", error("bedrock", 500, "InternalServerException", "Internal"), False, None),
]


@needs_the_extra
@pytest.mark.parametrize(("kind", "behaviour", "congested", "wait"), FAULTS, ids=range(len(FAULTS)))
async def test_what_passes_is_a_fault_with_its_wait(kind: str, behaviour: Status, congested: bool, wait: float | None) -> None:
    """One attempt: trying again is the door's business."""
    with pytest.raises(Fault) as caught:
        await asked(kind, behaviour)
    assert (caught.value.congested, caught.value.retry_after, caught.value.maybe_billed) == (congested, wait, False)


@needs_the_extra
async def test_gemini_says_how_long_to_wait_in_the_body() -> None:
    details = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "3s"}]
    body = {"error": {"code": 429, "message": "Quota exceeded", "status": "RESOURCE_EXHAUSTED", "details": details}}
    with pytest.raises(Fault) as caught:
        await asked("google", Status(429, raw=json.dumps(body).encode()))
    assert caught.value.retry_after == 3


@needs_the_extra
@pytest.mark.parametrize(
    ("kind", "behaviour"),
    [
        ("anthropic", error("anthropic", 400, "invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum")),
        ("google", error("google", 400, "INVALID_ARGUMENT", "The input token count exceeds the maximum number of tokens.")),
        ("bedrock", error("bedrock", 400, "ValidationException", "Input is too long for requested model.")),
        ("anthropic", error("anthropic", 413, "request_too_large", "Request exceeds the maximum size")),
    ],
)
async def test_a_prompt_that_is_too_long_is_rejected_for_good(kind: str, behaviour: Status) -> None:
    reply, _ = await asked(kind, behaviour)
    assert (reply.text, reply.problem) == ("", "rejected")
    assert "too long" in reply.detail or "exceeds" in reply.detail


@needs_the_extra
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("behaviour", [HalfAnswer(), Status(200, raw=b"<html>")], ids=["half", "a page"])
async def test_an_answer_that_cannot_be_read_may_have_been_billed(kind: str, behaviour: Behaviour) -> None:
    with pytest.raises(Fault) as caught:
        await asked(kind, behaviour)
    assert caught.value.maybe_billed


@needs_the_extra
@pytest.mark.parametrize("kind", KINDS)
async def test_nobody_there_costs_nothing(kind: str) -> None:
    away = ProviderSettings(kind=kind, base_url="http://127.0.0.1:1", region="us-east-1")  # type: ignore[arg-type]
    provider = open_native(kind, away, secret(kind))
    with pytest.raises(Fault) as caught:
        await provider.answer(request(model=MODELS[kind]))
    await provider.close()
    assert not caught.value.maybe_billed


@needs_the_extra
@pytest.mark.parametrize("kind", ["anthropic", "google"])
async def test_an_endpoint_that_echoes_the_key_cannot_put_it_anywhere(kind: str) -> None:
    reply, _ = await asked(kind, answer(kind, f"Your key is {KEY}."))
    assert (reply.text, reply.problem) == ("Your key is [KEY].", "malformed")
    assert "key in the answer" in reply.detail
    with pytest.raises(Paused) as caught:
        await asked(kind, error(kind, 403, "PERMISSION_DENIED", f"{KEY} may not"))
    assert KEY not in str(caught.value)


@needs_the_extra
async def test_without_keys_for_aws_the_run_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(Paused, match="AWS_ACCESS_KEY_ID"):
        await asked("bedrock", answer("bedrock"))


@needs_the_extra
async def test_bedrock_takes_a_key_of_its_own_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where AWS puts it, and over HTTPS alone, as its SDK sees to; key_env is refused and not passed over."""
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "token-01")
    with FakeEndpoint(answer("bedrock")) as endpoint:
        provider = open_native("bedrock", settings("bedrock", endpoint), None)
        with pytest.raises(Paused, match="Bearer authorization requires an HTTPS endpoint"):
            await provider.answer(request(model=MODELS["bedrock"]))
        await provider.close()
        assert endpoint.calls == []
    with pytest.raises(ConfigError, match="key_env"):
        open_native("bedrock", ProviderSettings(kind="bedrock", region="us-east-1"), Secret("KEY", KEY))


@needs_the_extra
async def test_without_a_region_bedrock_says_what_to_set() -> None:
    with pytest.raises(ConfigError, match="region"):
        open_native("bedrock", ProviderSettings(kind="bedrock"), None)


@needs_the_extra
@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("kind", KINDS)
async def test_the_door_tries_again_and_counts(
    kind: str, ledger: SqliteLedger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two refusals, then an answer: three calls in all, priced by the project's table; it is kept, and replays."""
    monkeypatch.setenv("LARCH_API_KEY", KEY)

    def behave(call: Call) -> Behaviour:
        code = {"anthropic": "overloaded_error", "google": "UNAVAILABLE", "bedrock": "ServiceUnavailableException"}[kind]
        return error(kind, 503, code, "Overloaded") if call.nth < 3 else answer(kind)

    with FakeEndpoint(behave) as endpoint:
        role = RoleSettings(model=f"larch/{MODELS[kind]}", max_tokens=100)
        config = Config(
            name="shop",
            roles=dict.fromkeys(("expert", "user", "assistant", "judge"), role),
            providers={"larch": settings(kind, endpoint, key_env="" if kind == "bedrock" else "LARCH_API_KEY")},
            prices={MODELS[kind]: Price(input=1.0, output=2.0, cached=0.5)},
            budget=1.0,
        )
        async with open_door(config, ledger, tmp_path) as door:
            reply = await door.ask(request(model=MODELS[kind]))
            assert await door.ask(request(model=MODELS[kind])) == reply
        assert len(endpoint.calls) == 3
    assert reply.cost == pytest.approx((100 * 1 + 20 * 0.5 + 10 * 2) / 1e6)
    assert await ledger.money.spent() == pytest.approx(reply.cost)


@needs_the_extra
@pytest.mark.parametrize("kind", KINDS)
async def test_many_at_once_are_each_asked_once(kind: str, ledger: SqliteLedger, tmp_path: Path) -> None:
    with FakeEndpoint(dataclasses.replace(answer(kind), latency=0.02)) as endpoint:
        role = RoleSettings(model=f"larch/{MODELS[kind]}")
        config = Config(
            name="shop",
            roles=dict.fromkeys(("expert", "user", "assistant", "judge"), role),
            providers={"larch": settings(kind, endpoint)},
        )
        provider = open_native("larch", settings(kind, endpoint), secret(kind))
        async with open_door(config, ledger, tmp_path, provider=provider) as door:
            replies = await door.ask_all([request(str(n), model=MODELS[kind]) for n in range(40)])
        assert len(endpoint.calls) == 40
        assert endpoint.most_at_once > 1
    assert {reply.text for reply in replies} == {"Yes."}


@needs_the_extra
async def test_a_schema_that_is_refused_is_asked_for_in_words(
    ledger: SqliteLedger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As for every other endpoint: found out by the first answer."""
    refusal = error("anthropic", 400, "invalid_request_error", "output_config.format.schema: Schema is too complex")

    def behave(call: Call) -> Behaviour:
        return refusal if "output_config" in call.body else answer("anthropic", '{"CP1": "YES"}')

    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    with FakeEndpoint(behave) as endpoint:
        role = RoleSettings(model="larch/claude-haiku-4-5")
        config = Config(
            name="shop",
            roles=dict.fromkeys(("expert", "user", "assistant", "judge"), role),
            providers={"larch": settings("anthropic", endpoint)},
        )
        async with open_door(config, ledger, tmp_path) as door:
            for n in range(3):
                assert (await door.ask(request(str(n), model="claude-haiku-4-5", schema=SCHEMA))).text == '{"CP1": "YES"}'
        assert ["output_config" in call.body for call in endpoint.calls] == [True, False, False, False]


@needs_the_extra
async def test_a_silent_endpoint_meets_the_deadline(ledger: SqliteLedger, tmp_path: Path) -> None:
    """The door's own deadline counts, whatever the SDK would wait."""
    with FakeEndpoint(held=True) as endpoint:
        roles = dict.fromkeys(("expert", "user", "assistant", "judge"), RoleSettings(model="larch/claude-haiku-4-5"))
        provider = open_native("larch", settings("anthropic", endpoint), Secret("KEY", KEY))
        config = Config(name="shop", roles=roles, providers={"larch": settings("anthropic", endpoint, timeout=3600.0)})
        async with open_door(config, ledger, tmp_path, provider=provider) as door:
            asking = asyncio.create_task(door.ask(request(model="claude-haiku-4-5")))
            await asyncio.to_thread(endpoint.wait_for_calls, 1)
            skip(3600)
            with pytest.raises(Unreachable, match=r"no answer within 3600 s"):
                await asking


@pytest.mark.parametrize("kind", KINDS)
def test_without_the_extra_the_command_that_installs_it_is_told(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("pydantic_ai", "pydantic_ai.models", f"pydantic_ai.models.{kind}", "boto3"):
        monkeypatch.setitem(sys.modules, module, None)
    for module in ("native", kind):  # as in a process that has not asked any provider
        monkeypatch.delitem(sys.modules, f"finetune_prep.models.providers.native.{module}", raising=False)
    with pytest.raises(ConfigError, match="extra “native”") as caught:
        open_native(kind, ProviderSettings(kind=kind), Secret("KEY", KEY))  # type: ignore[arg-type]
    assert caught.value.next == INSTALL_NATIVE


@pytest.mark.parametrize(
    ("kind", "key", "address"),
    [
        ("anthropic", "ANTHROPIC_API_KEY", "https://api.anthropic.com"),
        ("google", "GEMINI_API_KEY", "https://generativelanguage.googleapis.com"),
        ("bedrock", "", "https://bedrock-runtime.us-east-1.amazonaws.com"),
    ],
)
def test_a_native_provider_needs_no_table(kind: str, key: str, address: str) -> None:
    """By its name it has its key and address, and so its prices."""
    found = parse(SOUND.replace("batch/", f"{kind}/")).provider(kind)
    assert (found.kind, found.key_name, found.address) == (kind, key, address)
    assert Prices({}).of(MODELS[kind], found.address, 1000) is not None
    assert set(NATIVE) == set(KINDS)


def test_a_table_may_say_otherwise() -> None:
    text = SOUND.replace("batch/", "work/") + '[providers.work]\nkind = "bedrock"\nregion = "eu-west-1"\n'
    assert parse(text).provider("work").address == "https://bedrock-runtime.eu-west-1.amazonaws.com"
    text = SOUND.replace("batch/", "work/") + '[providers.work]\nkind = "anthropic"\nkey_env = "WORK_KEY"\n'
    work = parse(text).provider("work")
    assert (work.key_name, work.address) == ("WORK_KEY", "https://api.anthropic.com")
