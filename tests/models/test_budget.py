"""Money: the cap holds at any concurrency and whatever is killed, prices grow with the prompt where they do."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from finetune_prep.core.request import Usage
from finetune_prep.errors import Paused
from finetune_prep.ledger.sqlite.ledger import SqliteLedger
from finetune_prep.models.budget import Budget, budget_line
from finetune_prep.models.door import open_door
from finetune_prep.models.prices import Prices, cost, most_tokens, worst_case
from finetune_prep.project.config import Price
from tests.fake_endpoint import Behaviour, Call, Completion, FakeEndpoint, HalfAnswer, Stall, Status
from tests.models.examples import config, request
from tests.soak import SOAK
from tests.waiting import HUNG

GOOGLE = "https://generativelanguage.googleapis.com/v1beta/openai"


class Billing:
    """An endpoint that bills what it works on, whether or not its answer arrives. tokens: of prompts and of answers."""

    def __init__(self, seed: int) -> None:
        self.stream = random.Random(seed)
        self.prompt = self.answer = 0

    def __call__(self, call: Call) -> Behaviour:
        what = self.stream.random()
        if what < 0.03:
            return Status(429)
        prompt = sum(len(message["content"]) for message in call.body["messages"]) // self.stream.choice((1, 2, 4))
        answer = self.stream.randrange(1, 101)
        self.prompt += prompt
        self.answer += answer
        if what < 0.05:
            return HalfAnswer(latency=0.01)
        return Completion(prompt_tokens=prompt, completion_tokens=answer, latency=self.stream.uniform(0, 0.05))

    def dollars(self, price: float) -> float:
        return (self.prompt * price + self.answer * 3 * price) / 1e6


async def test_a_call_that_does_not_fit_says_what_is_left(ledger: SqliteLedger) -> None:
    """Nothing is used up yet, and the line to write lets this call through."""
    budget = await Budget(0.05, ledger).load()
    budget.spent = 0.0224
    with pytest.raises(Paused) as caught:
        await budget.hold(0.0312, request())
    assert caught.value.what == "$0.0276 of the budget of $0.05 is left, and the next call could cost up to $0.0312"
    assert "write at least budget = 0.06 in finetune-prep.toml" in caught.value.next
    budget.cap = 0.06
    await budget.hold(0.0312, request())


@pytest.mark.parametrize(("cap", "least"), [(None, True), (0.10, True), (0.03, False)])
async def test_what_one_command_may_spend_is_bounded_whatever_the_budget_leaves(
    ledger: SqliteLedger, cap: float | None, least: bool
) -> None:
    budget = await Budget(cap, ledger, at_most=0.05).load()
    assert budget.room == pytest.approx(0.05 if least else 0.03)
    with pytest.raises(Paused) as caught:
        await budget.hold(0.0512, request())
    assert ("of the $0.05 that this command may spend" in caught.value.what) is least
    assert ("--max-cost" in caught.value.next) is least


@pytest.mark.parametrize(("dollars", "line"), [(0.3, "budget = 0.30"), (0.3001, "budget = 0.31"), (12.0, "budget = 12.00")])
def test_the_line_for_a_budget_is_never_too_small(dollars: float, line: str) -> None:
    assert budget_line(dollars) == line


@pytest.mark.slow
@pytest.mark.parametrize("number", range(20 if SOAK else 2))
def test_never_above_the_cap_though_runs_are_killed(number: int, tmp_path: Path) -> None:
    """Five runs on one dollar, one of them killed, 64 at once, random prices and lengths: what was billed stays below."""
    stream = random.Random(number)
    price = stream.uniform(5, 40)
    billing = Billing(number)
    killed = stream.randrange(4)
    with FakeEndpoint(billing) as endpoint:
        for run in range(5):
            command = [sys.executable, "-m", "tests.models.run_on_a_budget", str(tmp_path), endpoint.base_url, str(price)]
            before = len(endpoint.calls)
            child = subprocess.Popen(command, env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)})
            if run == killed:
                endpoint.wait_for_calls(before + stream.randint(1, 200), caller=child)
                child.send_signal(signal.SIGKILL)
            child.wait(HUNG)
    ledger = SqliteLedger(tmp_path / "ledger.sqlite")
    counted = asyncio.run(Budget(1.0, ledger).load()).spent
    ledger.close()
    billed = billing.dollars(price)
    print(f"\nbilled ${billed:.4f}, counted ${counted:.4f}")
    assert 0.2 < billed <= counted + 1e-9 <= 1.0 + 2e-9  # sums in another order differ in their last digit


async def test_what_a_killed_run_had_set_aside_is_spent(ledger: SqliteLedger, tmp_path: Path) -> None:
    """The next run finds it in the ledger, and asks no more than what then remains."""
    await ledger.money.hold(0.99)
    with FakeEndpoint(Completion(prompt_tokens=10, completion_tokens=10)) as endpoint:
        async with open_door(config(endpoint.base_url, budget=0.9901), ledger, tmp_path) as door:
            with pytest.raises(Paused, match=r"\$0\.0001 of the budget of \$0\.9901 is left"):
                await door.ask(request())
        assert endpoint.calls == []
        async with open_door(config(endpoint.base_url, budget=1.0), ledger, tmp_path) as door:
            await door.ask(request())
    assert (await ledger.money.held(), await ledger.money.spent()) == (0.0, pytest.approx(0.99 + 30e-6))


def test_what_a_killed_run_had_set_aside_is_no_more_than_it_could_spend(ledger: SqliteLedger) -> None:
    """It is recorded generously, but a run never sets aside more than its cap leaves; another cap, other room."""
    asyncio.run(ledger.money.lose(0.9))
    asyncio.run(ledger.money.hold(0.8))
    assert asyncio.run(Budget(1.0, ledger).load()).spent == pytest.approx(1.0)
    assert asyncio.run(Budget(2.0, ledger).load()).spent == pytest.approx(1.7)
    assert asyncio.run(Budget(0.5, ledger).load()).spent == pytest.approx(0.9)


async def test_what_may_have_been_billed_stays_counted(ledger: SqliteLedger, tmp_path: Path) -> None:
    """Attempts without an answer, and a call that was given up on leaving, count at their worst in the next run, too."""
    with FakeEndpoint(lambda call: HalfAnswer() if call.nth == 1 else Stall()) as endpoint:
        door = await open_door(config(endpoint.base_url, budget=1.0), ledger, tmp_path).__aenter__()
        asking = asyncio.create_task(door.ask(request()))
        await asyncio.to_thread(endpoint.wait_for_calls, 2)
        await door.close(grace=0.05)
        assert asking.cancelled() or isinstance(await asyncio.gather(asking, return_exceptions=True), list)
    worst = worst_case(Price(input=1, output=2), most_tokens(request()), 100)
    assert await ledger.money.spent() == pytest.approx(2 * worst)
    assert await ledger.money.held() == 0


async def test_the_ledger_is_told_in_steps(ledger: SqliteLedger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hundreds of calls on a budget write what is held a few times, not once each."""
    written: list[float] = []
    hold = ledger.money.hold

    async def counting(dollars: float) -> None:
        written.append(dollars)
        await hold(dollars)

    monkeypatch.setattr(ledger.money, "hold", counting)
    with FakeEndpoint(Completion(latency=0.002)) as endpoint:
        async with open_door(config(endpoint.base_url, budget=1.0), ledger, tmp_path) as door:
            await door.ask_all([request(str(n)) for n in range(300)])
    assert written[-1] == 0
    assert len(written) < 25


def test_long_prompts_are_priced_in_their_tier() -> None:
    """Above 200,000 tokens this model costs twice as much: for what was used, and for the worst that could be."""
    prices = Prices({})
    short, long = (prices.of("gemini-2.5-pro", GOOGLE, tokens) for tokens in (1000, 300_000))
    assert short is not None
    assert long is not None
    assert (long.input, long.output) == (pytest.approx(2 * short.input), pytest.approx(1.5 * short.output))
    used = cost(prices, "gemini-2.5-pro", GOOGLE, Usage(input=300_000, output=1000))
    assert used == pytest.approx(worst_case(long, 300_000, 1000))
    assert prices.of("nobody-9", GOOGLE, 1000) is None
    assert cost(prices, "gemini-2.5-pro", GOOGLE, Usage(input=5)) is None


def test_a_prompt_just_below_a_tier_is_feared_at_the_dearer_price() -> None:
    """A worst case looks prices up for the tokens there could be, rounded up."""
    prices = Prices({})
    below = prices.of("gemini-2.5-pro", GOOGLE, 199_900)
    above = prices.of("gemini-2.5-pro", GOOGLE, 300_000)
    assert below is not None
    assert above is not None
    assert (below.input, below.output) == (pytest.approx(above.input), pytest.approx(above.output))
