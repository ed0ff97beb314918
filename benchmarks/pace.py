"""How a limit that nobody told is found over real HTTP: `make bench-door`, on a machine that does nothing else.

An endpoint on loopback lets through 150 calls a second, or their tokens, and says nothing about it; another one refuses one call
in fifty whatever is done. Printed: the share of calls refused, and how much of the limit was used. The same in virtual time, for
many kinds of limits, is tested in tests/models/pace/test_limits.py; here sockets and timers are real.
"""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.fake_endpoint import AnswerFunction, Behaviour, Call, Completion, FakeEndpoint, Status  # noqa: E402
from tests.models.examples import config, request  # noqa: E402
from tests.models.pace.simulated import FixedWindow, Rule  # noqa: E402

from finetune_prep.ledger.sqlite.ledger import SqliteLedger  # noqa: E402
from finetune_prep.models.door import open_door  # noqa: E402
from finetune_prep.models.pace.rates import Resource  # noqa: E402

LIMIT = 150.0  # calls a second
TOKENS = 510.0  # of a call, on average
CALLS = 3000
WHIMS = 0.02


class Limited:
    """An answer function that keeps to a rule. outcomes: time and whether the call was let in."""

    def __init__(self, rule: Rule, counts: Resource) -> None:
        self.rule = rule
        self.counts = counts
        self.outcomes: list[tuple[float, bool]] = []

    def __call__(self, call: Call) -> Behaviour:
        characters = len(call.text)
        amount = 1.0 if self.counts == "requests" else characters / 4 + 10
        let_in = self.rule.refused(call.at, amount, 0) is None
        self.outcomes.append((call.at, let_in))
        return Completion(prompt_tokens=characters // 4, latency=0.03) if let_in else Status(429)


class Whimsical:
    """An answer function that refuses by chance. outcomes: as above."""

    def __init__(self) -> None:
        self.outcomes: list[tuple[float, bool]] = []

    def __call__(self, call: Call) -> Behaviour:
        let_in = random.Random(f"{call.text} {call.nth}").random() >= WHIMS
        self.outcomes.append((call.at, let_in))
        return Completion(latency=0.02) if let_in else Status(429)


async def ask(answer: AnswerFunction, at_once: int) -> None:
    stream = random.Random(3)
    asked = [request("x" * stream.randrange(1000, 3000) + str(number)) for number in range(CALLS)]
    with tempfile.TemporaryDirectory() as folder, FakeEndpoint(answer) as endpoint:
        ledger = SqliteLedger(Path(folder) / "ledger.sqlite")
        async with open_door(config(endpoint.base_url, concurrency=at_once), ledger, Path(folder)) as door:
            await door.ask_all(asked)
        ledger.close()


def rates(outcomes: list[tuple[float, bool]]) -> tuple[float, float]:
    """Share of refused calls, and calls a second that were let in."""
    entered = sum(let_in for _, let_in in outcomes)
    return 1 - entered / len(outcomes), entered / (outcomes[-1][0] - outcomes[0][0])


def main() -> None:
    for counts in ("requests", "tokens"):
        limited = Limited(FixedWindow(LIMIT * (1.0 if counts == "requests" else TOKENS), 1), counts)
        asyncio.run(ask(limited, at_once=256))
        refused, rate = rates(limited.outcomes)
        what = "requests" if counts == "requests" else "calls in tokens"
        print(f"{LIMIT:.0f} {what} a second: {refused:.1%} refused, {rate / LIMIT:.0%} used")
    whimsical = Whimsical()
    asyncio.run(ask(whimsical, at_once=32))
    refused, rate = rates(whimsical.outcomes)
    print(f"one in {1 / WHIMS:.0f} refused by chance, 32 at once of 20 ms: {rate:.0f} of {32 / 0.02:.0f} calls a second")


if __name__ == "__main__":
    main()
