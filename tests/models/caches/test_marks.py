"""Where a cache keeps nothing without a mark, there is one behind the system text: on the wire, and nowhere else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from finetune_prep.core.conversation import Message
from finetune_prep.core.request import Request, Schema, Usage
from finetune_prep.ledger.sqlite.ledger import SqliteLedger
from finetune_prep.models.batches.anthropic import AnthropicBatches
from finetune_prep.models.door import open_door
from finetune_prep.project.config import Config, Price, ProviderSettings, RoleSettings
from tests.fake_batches import KEY, FakeBatches
from tests.fake_endpoint import Completion, FakeEndpoint, Status
from tests.models.batches.test_api import config as batch_config
from tests.models.batches.test_api import run
from tests.models.examples import KEY_ENV, request
from tests.models.examples import config as compatible
from tests.models.providers.native.test_native import KINDS, MODELS, answer, asked, extra, needs_the_extra, settings

__all__ = ["extra"]
LONG = "You judge by these rules. " * 800
TALK = (Message("user", "My bowl is cracked."), Message("assistant", "Since when?"), Message("user", "Since May."))
EPHEMERAL = {"type": "ephemeral"}


def marks(body: Any) -> int:
    """How many marks there are, anywhere in a body."""
    text = json.dumps(body)
    return text.count('"cache_control"') + text.count('"cachePoint"')


@needs_the_extra
@pytest.mark.parametrize("kind", KINDS)
async def test_native_providers_are_told_up_to_where_to_keep(kind: str) -> None:
    """The text is the same; Gemini keeps prefixes by itself."""
    _, call = await asked(kind, answer(kind), messages=(Message("system", LONG), *TALK))
    system = call.body.get("system", call.body.get("systemInstruction"))
    if kind == "anthropic":
        assert system == [{"type": "text", "text": LONG, "cache_control": EPHEMERAL | {"ttl": "5m"}}]
    elif kind == "bedrock":
        assert system == [{"text": LONG}, {"cachePoint": {"type": "default"}}]
    assert marks(call.body) == (0 if kind == "google" else 1)


@needs_the_extra
@pytest.mark.parametrize("kind", KINDS)
async def test_what_no_cache_would_keep_is_not_marked(kind: str) -> None:
    """A system text that is too short, and a talk that is long without one."""
    for messages in ((Message("system", "You judge."), *TALK), (Message("user", LONG),)):
        _, call = await asked(kind, answer(kind), messages=messages)
        assert marks(call.body) == 0


@needs_the_extra
async def test_a_model_that_has_no_cache_is_asked_as_ever() -> None:
    """As far as the library knows Bedrock's models."""
    _, call = await asked(
        "bedrock", answer("bedrock"), model="meta.llama3-1-8b-instruct-v1:0", messages=(Message("system", LONG), *TALK)
    )
    assert marks(call.body) == 0


async def test_openai_and_its_like_cache_by_themselves(ledger: SqliteLedger, tmp_path: Path) -> None:
    with FakeEndpoint(Completion()) as endpoint:
        async with open_door(compatible(endpoint.base_url), ledger, tmp_path) as door:
            await door.ask(request(messages=(Message("system", LONG), *TALK)))
        assert endpoint.calls[0].body["messages"][0] == {"role": "system", "content": LONG}


@pytest.mark.environment
async def test_a_batch_of_anthropic_is_marked_and_pays_for_what_it_kept(
    ledger: SqliteLedger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each row of it. At half the price: what one row wrote a quarter dearer, what the others read at a tenth."""
    monkeypatch.setenv(KEY_ENV, KEY)
    requests = [request(name, messages=(Message("system", LONG), Message("user", name))) for name in "abc"]
    with FakeBatches("anthropic") as fake:

        def worked(key: str, params: dict[str, Any]) -> dict[str, Any]:
            row = fake.answered("Yes.")
            kept = "cache_creation_input_tokens" if key == requests[0].key else "cache_read_input_tokens"
            row["result"]["message"]["usage"] |= {kept: 5000}
            return row

        await run(fake, ledger, tmp_path, requests)
        assert all(
            fake.bodies[sent.key]["system"] == [{"type": "text", "text": LONG, "cache_control": EPHEMERAL}] for sent in requests
        )
        assert [marks(body) for body in fake.bodies.values()] == [1, 1, 1]
        fake.work(worked)
        prices = {"larch-1": Price(input=1.0, output=2.0, cached=0.1)}
        settings = batch_config(fake)
        async with open_door(
            Config(name="shop", roles=settings.roles, providers=settings.providers, prices=prices), ledger, tmp_path
        ) as door:
            first, *others = [await door.ask(sent) for sent in requests]
    assert first.usage == Usage(input=5100, written=5000, output=10)
    assert first.cost == pytest.approx(0.5 * (100 * 1 + 5000 * 1.25 + 10 * 2) / 1e6)
    assert [other.cost for other in others] == [pytest.approx(0.5 * (100 * 1 + 5000 * 0.1 + 10 * 2) / 1e6)] * 2


def test_marks_are_no_part_of_a_request() -> None:
    """The key of a long request is the one under which it was asked before anything was marked."""
    schema = Schema("verdict", {"type": "object", "properties": {}, "required": [], "additionalProperties": False})
    long = request(model="claude-haiku-4-5", schema=schema, messages=(Message("system", LONG), *TALK))
    before = long.key
    row = AnthropicBatches("larch", ProviderSettings(kind="anthropic-batch", base_url="http://127.0.0.1:1/v1"), None).row(
        long, "token"
    )
    assert marks(json.loads(row)) == 1
    fresh = Request(**{name: getattr(long, name) for name in long.__struct_fields__})
    assert fresh.key == before == "4a8b7a1420132e343d0ab19331b56b07"


@needs_the_extra
@pytest.mark.environment
@pytest.mark.parametrize("kind", ["anthropic", "bedrock"])
async def test_what_was_written_is_counted_and_paid_for(
    kind: str, ledger: SqliteLedger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A quarter more than other input, unless the project's table has its own price for it; also against a budget."""
    monkeypatch.setenv(KEY_ENV, KEY)
    body = json.loads(answer(kind).body())
    wrote = {"cache_creation_input_tokens": 5000} if kind == "anthropic" else {"cacheWriteInputTokens": 5000, "totalTokens": 5130}
    body["usage"] |= wrote
    model, spent = MODELS[kind], 0.0
    with FakeEndpoint(Status(200, raw=json.dumps(body).encode())) as endpoint:
        for number, price in enumerate(
            (Price(input=1.0, output=2.0, cached=0.1), Price(input=1.0, output=2.0, cached=0.1, written=3.0))
        ):
            config = Config(
                name="shop",
                roles=dict.fromkeys(
                    ("expert", "user", "assistant", "judge"), RoleSettings(model=f"larch/{model}", max_tokens=100)
                ),
                providers={"larch": settings(kind, endpoint, key_env="" if kind == "bedrock" else KEY_ENV)},
                prices={model: price},
                budget=1.0,
            )
            async with open_door(config, ledger, tmp_path) as door:
                reply = await door.ask(request(model=model, messages=(Message("system", LONG), Message("user", str(number)))))
            assert (reply.usage.input, reply.usage.cached, reply.usage.written) == (5120, 20, 5000)
            assert reply.cost == pytest.approx((100 * 1 + 20 * 0.1 + 5000 * (price.written or 1.25) + 10 * 2) / 1e6)
            spent += reply.cost or 0.0
    assert await ledger.money.spent() == pytest.approx(spent)
