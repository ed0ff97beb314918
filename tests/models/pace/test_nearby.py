"""Servers on this machine: a few calls at once at first, and never so many that the last is answered too late."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from finetune_prep.core.request import Reply, Request
from finetune_prep.errors import Paused, Unreachable
from finetune_prep.http.endpoint import is_nearby
from finetune_prep.ledger.sqlite.ledger import SqliteLedger
from finetune_prep.models.budget import Budget
from finetune_prep.models.door import open_door
from finetune_prep.models.pace.limit import AdaptiveLimit
from finetune_prep.models.pace.slots import FIRST, FIRST_HOSTED, FIRST_NEAR
from finetune_prep.models.prices import Prices
from finetune_prep.models.routes import Route, Routes
from tests.fake_endpoint import FakeEndpoint, Stall
from tests.models.examples import config, request
from tests.models.pace import virtual_time
from tests.models.pace.simulated import answered


class Server:
    """Answers so many calls at once, each after so many seconds; the others wait. lost: calls that were given up."""

    def __init__(self, at_once: int, seconds: float) -> None:
        self._free = asyncio.Semaphore(at_once)
        self._seconds = seconds
        self.under_way = self.most = self.calls = self.lost = 0

    async def answer(self, request: Request) -> Reply:
        self.calls += 1
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            async with self._free:
                await asyncio.sleep(self._seconds)
        except asyncio.CancelledError:
            self.lost += 1
            raise
        finally:
            self.under_way -= 1
        return Reply(text="Fine.")

    async def close(self) -> None: ...


async def ask(server: Server, calls: int, limit: AdaptiveLimit, patience: float) -> list[Reply | BaseException]:
    route = Route("server", server, limit, timeout=patience)
    return await asyncio.gather(*(answered(route, request(str(n))) for n in range(calls)), return_exceptions=True)


@pytest.mark.parametrize("seconds", [0.01, 0.03, 0.1, 0.7, 2.0, 4.5])
def test_one_call_after_the_other_is_in_time(seconds: float) -> None:
    """A single slot, the limits as they come, and a time-out of 10 s: every call is answered, none is sent twice."""

    async def simulation() -> tuple[Server, list[Reply | BaseException]]:
        server = Server(1, seconds)
        return server, await ask(server, 80, AdaptiveLimit(32, near=10.0), 10.0)

    server, replies = virtual_time.run(simulation())
    assert all(isinstance(reply, Reply) for reply in replies)
    assert (server.calls, server.lost) == (80, 0)


def test_a_server_that_takes_many_at_once_gets_them() -> None:
    async def simulation() -> Server:
        server = Server(32, 2.0)
        await ask(server, 400, AdaptiveLimit(32, near=300.0), 300.0)
        return server

    assert virtual_time.run(simulation()).most == 32


@pytest.mark.parametrize(("seconds", "rounds"), [(0.01, [2, 8, 32]), (0.2, [2, 4, 8, 16]), (2.0, [2, 2, 3, 4])])
def test_the_quicker_a_server_answers_the_sooner_more_are_let_in(seconds: float, rounds: list[int]) -> None:
    """A time-out of 10 s: calls at once in each round, of a server that answers all of them together."""

    async def simulation() -> list[int]:
        server, seen = Server(99, seconds), list[int]()
        asking = asyncio.create_task(ask(server, 300, AdaptiveLimit(99, near=10.0), 10.0))
        await asyncio.sleep(seconds / 2)
        for _ in rounds:
            seen.append(server.under_way)
            await asyncio.sleep(seconds)
        await asking
        return seen

    assert virtual_time.run(simulation()) == rounds


def test_quick_answers_before_slow_ones_are_in_time() -> None:
    """A single slot and the limits as they come: three answers of half a second, then each takes a twelfth of the time-out."""

    class Slower(Server):
        async def answer(self, request: Request) -> Reply:
            if self.calls == 3:
                self._seconds = 25.0
            return await super().answer(request)

    async def simulation() -> tuple[Server, list[Reply | BaseException]]:
        server = Slower(1, 0.5)
        return server, await ask(server, 40, AdaptiveLimit(32, near=300.0), 300.0)

    server, replies = virtual_time.run(simulation())
    assert all(isinstance(reply, Reply) for reply in replies)
    assert (server.calls, server.lost) == (40, 0)


def test_a_time_out_means_too_many() -> None:
    """Also at a server elsewhere, of which more is expected at first: after it, fewer calls go at once."""

    async def simulation() -> tuple[float, int]:
        limit = AdaptiveLimit(32)
        replies = await ask(Server(1, 2.0), FIRST, limit, 7.0)
        return limit.slots.allowed, sum(isinstance(reply, Unreachable) for reply in replies)

    allowed, lost = virtual_time.run(simulation())
    assert lost > 0
    assert allowed < FIRST


async def test_a_time_out_names_the_settings_and_the_line_to_write(ledger: SqliteLedger, tmp_path: Path) -> None:
    """And a server nearby that answers nothing at all is given up after the first few."""
    with FakeEndpoint(Stall()) as endpoint:
        async with open_door(config(endpoint.base_url, timeout=0.5), ledger, tmp_path) as door:
            results = await asyncio.gather(*(door.ask(request(str(n))) for n in range(20)), return_exceptions=True)
        assert len(endpoint.calls) == FIRST_NEAR
    said = next(str(result) for result in results if isinstance(result, Paused))
    assert "no answer within 0.5 s (timeout = 0.5, concurrency = 32)" in said
    assert (
        "write concurrency = 1 or timeout = 2 under [providers.larch] in finetune-prep.toml; a model that does not stop" in said
    )


@pytest.mark.parametrize(
    ("address", "near"),
    [
        ("http://localhost:11434/v1", True),
        ("http://127.0.0.1/v1", True),
        ("http://[::1]:8000/v1", True),
        ("http://192.168.0.7:8000/v1", True),
        ("http://10.1.2.3/v1", True),
        ("http://gpu-box:8000/v1", True),
        ("http://gpu.local:8000/v1", True),
        ("https://api.openai.com/v1", False),
        ("http://8.8.8.8/v1", False),
        ("", False),
    ],
)
def test_what_is_nearby(address: str, near: bool) -> None:
    assert is_nearby(address) is near


@pytest.mark.parametrize(
    ("base_url", "first"),
    [("http://127.0.0.1:1/v1", FIRST_NEAR), ("https://gpu.example/v1", FIRST), ("https://api.openai.com/v1", FIRST_HOSTED)],
)
async def test_how_many_go_at_once_at_first(base_url: str, first: int, ledger: SqliteLedger, tmp_path: Path) -> None:
    settings = config(base_url)
    routes = Routes(settings, ledger, tmp_path, None, Prices(settings.prices), Budget(None, ledger))
    assert routes.of("judge").limit.slots.allowed == first
