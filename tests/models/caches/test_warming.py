"""The first call with a prefix goes alone; what becomes of it holds up nobody for good."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from finetune_prep.core.conversation import Message
from finetune_prep.core.request import Request, Schema
from finetune_prep.errors import Paused
from finetune_prep.ledger.sqlite.ledger import SqliteLedger
from finetune_prep.models.caches import warming
from finetune_prep.models.caches.prefix import MARKED
from finetune_prep.models.door import open_door
from finetune_prep.models.progress import Progress
from finetune_prep.models.providers.native.opening import open_native
from finetune_prep.project.config import NATIVE, Config, Price, ProviderSettings, RoleSettings
from tests.fake_endpoint import Behaviour, Call, Completion, FakeEndpoint, HalfAnswer, Status
from tests.models.examples import KEY_ENV, MODEL, request
from tests.models.providers.native.test_native import MODELS, answer, extra, needs_the_extra, secret, settings

__all__ = ["extra"]
pytestmark = pytest.mark.environment
LONG = "You judge by these rules. " * 800
CACHED = {MODEL: Price(input=1.0, output=2.0, cached=0.1)}


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv(KEY_ENV, "canary-0123456789")
    yield


def config(endpoint: FakeEndpoint, **more: Any) -> Config:
    role = RoleSettings(model=f"larch/{MODEL}", max_tokens=100)
    provider = ProviderSettings(kind="openai-compatible", base_url=endpoint.base_url, key_env=KEY_ENV)
    fields: dict[str, Any] = {"providers": {"larch": provider}, "prices": CACHED} | more
    return Config(name="shop", roles=dict.fromkeys(("expert", "user", "assistant", "judge"), role), **fields)


def asking(text: str, system: str = LONG, **changes: Any) -> Request:
    return request(text, messages=(Message("system", system), Message("user", text)), **changes)


class UnderWay:
    """An observer of a door that can be waited for."""

    def __init__(self) -> None:
        self._changed = asyncio.Event()
        self._now = 0

    def __call__(self, progress: Progress) -> None:
        self._now = progress.in_flight
        self._changed.set()

    async def wait_for(self, calls: int) -> None:
        while self._now < calls:
            self._changed.clear()
            await self._changed.wait()


async def sent_while_held(
    endpoint: FakeEndpoint, ledger: SqliteLedger, folder: Path, config: Config, requests: list[Request]
) -> list[str]:
    """Which two calls are sent first: of these, asked together, and then of one that has no long beginning.

    The endpoint, which is nearby, is sent two calls at once at first: the second of the many, or else the last one.
    """
    under_way = UnderWay()
    async with open_door(config, ledger, folder, observer=under_way) as door:
        asked = asyncio.create_task(door.ask_all(requests))
        await under_way.wait_for(len(requests))
        last = asyncio.create_task(
            door.ask(asking("last", system="You judge.", model=requests[0].model, sample=requests[-1].key))
        )
        await asyncio.to_thread(endpoint.wait_for_calls, 2)
        sent = sorted(said(call) for call in endpoint.calls)
        endpoint.release()
        assert len(await asked) == len(requests)
        await last
    assert len(endpoint.calls) == len(requests) + 1
    return sent


def said(call: Call) -> str:
    """The last message of a call, in whatever form."""
    content = call.body["messages"][-1]["content"]
    return str(content if isinstance(content, str) else content[0]["text"])


async def test_the_first_goes_alone_and_the_others_follow(ledger: SqliteLedger, tmp_path: Path) -> None:
    """As long as it is not answered, nothing else with its beginning is sent, but what begins otherwise is."""
    with FakeEndpoint(Completion(), held=True) as endpoint:
        requests = [asking(str(n)) for n in range(8)]
        assert await sent_while_held(endpoint, ledger, tmp_path, config(endpoint), requests) == ["0", "last"]


async def test_each_beginning_has_a_first_call_of_its_own(ledger: SqliteLedger, tmp_path: Path) -> None:
    """With another schema the words before the text are others, too."""
    schema = Schema("verdict", {"type": "object", "properties": {}, "required": [], "additionalProperties": False})
    for others in (
        [asking(f"b{n}", system="Also: " + LONG) for n in range(3)],
        [asking(f"b{n}", schema=schema) for n in range(3)],
    ):
        with FakeEndpoint(lambda call: Completion("{}"), held=True) as endpoint:
            first = [asking(f"a{n}", sample=others[0].key) for n in range(3)]
            assert await sent_while_held(endpoint, ledger, tmp_path, config(endpoint), [*first, *others]) == ["a0", "b0"]


@pytest.mark.parametrize("prices", [{}, {MODEL: Price(input=1.0, output=2.0)}], ids=["free", "no cheaper"])
async def test_where_nothing_is_saved_nobody_waits(ledger: SqliteLedger, tmp_path: Path, prices: dict[str, Price]) -> None:
    with FakeEndpoint(Completion(), held=True) as endpoint:
        requests = [asking(str(n)) for n in range(4)]
        assert await sent_while_held(endpoint, ledger, tmp_path, config(endpoint, prices=prices), requests) == ["0", "1"]


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("fault", [Status(503), Status(429), HalfAnswer(), Status(200, raw=b"<html>")], ids=range(4))
async def test_a_first_call_that_fails_holds_up_nobody(ledger: SqliteLedger, tmp_path: Path, fault: Behaviour) -> None:
    """Its first attempt failed, and its second one hangs until the others are answered."""

    def behave(call: Call) -> Behaviour:
        if call.text != "0":
            return Completion()
        return fault if call.nth == 1 else Completion(after=others)

    others = threading.Event()
    with FakeEndpoint(behave) as endpoint:
        async with open_door(config(endpoint), ledger, tmp_path) as door:
            first = asyncio.create_task(door.ask(asking("0")))
            rest = asyncio.create_task(door.ask_all([asking(str(n)) for n in range(1, 6)]))
            assert len(await rest) == 5
            others.set()
            assert (await first).text == "Fine."


async def test_a_first_call_that_is_refused_ends_alone(ledger: SqliteLedger, tmp_path: Path) -> None:
    """Rejected for good: the others are asked. A wrong key: they are not, and are told why."""

    def behave(call: Call) -> Behaviour:
        return Status(400, {"message": "prompt is too long"}) if call.text == "0" else Completion()

    requests = [asking(str(n)) for n in range(5)]
    with FakeEndpoint(behave) as endpoint:
        async with open_door(config(endpoint), ledger, tmp_path) as door:
            replies = await door.ask_all(requests)
    assert [reply.problem for reply in replies] == ["rejected", None, None, None, None]
    with FakeEndpoint(Status(401, {"message": "wrong key"})) as endpoint:
        async with open_door(config(endpoint), ledger, tmp_path) as door:
            with pytest.raises(Paused, match="wrong key"):
                await door.ask_all([asking(f"later {n}") for n in range(5)])
        assert len(endpoint.calls) == 1


async def test_a_run_that_ends_leaves_nobody_waiting(ledger: SqliteLedger, tmp_path: Path) -> None:
    """The first call hangs, and the run is given up: all askers are told."""
    with FakeEndpoint(held=True) as endpoint:
        under_way = UnderWay()
        async with open_door(config(endpoint), ledger, tmp_path, observer=under_way) as door:
            asked = [asyncio.create_task(door.ask(asking(str(n)))) for n in range(5)]
            await under_way.wait_for(5)
            await asyncio.to_thread(endpoint.wait_for_calls, 1)
            await door.close(0.0)
        assert all(isinstance(found, BaseException) for found in await asyncio.gather(*asked, return_exceptions=True))
        assert len(endpoint.calls) == 1


async def test_what_the_cache_has_forgotten_is_warmed_again(
    ledger: SqliteLedger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a while in which nothing was asked; before that nobody waits again."""
    for forgotten, expected in ((3600.0, ["one", "two 0", "two 1"]), (-1.0, ["last", "one", "two 0"])):
        monkeypatch.setattr(warming, "LIFETIME", forgotten)
        turn = threading.Event()
        with FakeEndpoint(lambda call, turn=turn: Completion(after=None if said(call) == "one" else turn)) as endpoint:  # type: ignore[misc]
            under_way = UnderWay()
            async with open_door(config(endpoint), ledger, tmp_path, observer=under_way) as door:
                await door.ask(asking("one", sample=str(forgotten)))
                many = asyncio.create_task(door.ask_all([asking(f"two {n}", sample=str(forgotten)) for n in range(3)]))
                await under_way.wait_for(3)
                last = asyncio.create_task(door.ask(asking("last", system="You judge.", sample=str(forgotten))))
                await asyncio.to_thread(endpoint.wait_for_calls, 3)
                assert sorted(said(call) for call in endpoint.calls) == expected
                turn.set()
                await asyncio.gather(many, last)


@needs_the_extra
@pytest.mark.parametrize("kind", MARKED)
async def test_where_marks_are_needed_prices_need_not_be_known(kind: str, ledger: SqliteLedger, tmp_path: Path) -> None:
    model = MODELS[kind]
    with FakeEndpoint(answer(kind), held=True) as endpoint:
        roles = dict.fromkeys(("expert", "user", "assistant", "judge"), RoleSettings(model=f"larch/{model}"))
        provider = settings(kind, endpoint, key_env="" if kind == "bedrock" else KEY_ENV)
        requests = [asking(str(n), model=model) for n in range(5)]
        unpriced = Config(name="shop", roles=roles, providers={"larch": provider})
        assert await sent_while_held(endpoint, ledger, tmp_path, unpriced, requests) == ["0", "last"]


@needs_the_extra
def test_every_kind_that_is_marked_is_known_to_the_routes() -> None:
    opened = {kind: open_native(kind, ProviderSettings(kind=kind, region="us-east-1"), secret(kind)) for kind in NATIVE}
    assert {kind for kind, provider in opened.items() if provider.api.mark} == set(MARKED)
