"""The calls that `door.py` measures, and what a process of its own does with them.

python benchmarks/door_calls.py whole BASE_URL FOLDER           2,000 generated and judged, 64 at once
python benchmarks/door_calls.py resumed BASE_URL FOLDER ROWS    so many known answers, then a new one; prints seconds and MB
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from finetune_prep.cli.app import prepare_interpreter
from finetune_prep.core.conversation import Message
from finetune_prep.core.request import Origin, Parameters, Request
from finetune_prep.ledger.sqlite.ledger import SqliteLedger
from finetune_prep.models.door import Door, open_door
from finetune_prep.project.config import Config, Price, ProviderSettings, RoleSettings

PREFIX = "You judge conversations of a workshop that mends bicycles. " * 76  # 4.5 kB
SAMPLES = 2000
AT_ONCE = 64


def asked(number: int, role: str = "judge") -> Request:
    """A request whose last kilobyte and a half is its own."""
    own = f"Conversation {role} {number}. " + f"{number} The bowl came cracked. " * 48
    return Request(
        role="judge" if role == "judge" else "assistant",
        phase="pilot-001",
        origin=Origin(run="pilot-001", scenario=f"{number:012x}"),
        model="larch-1",
        messages=(Message("system", PREFIX), Message("user", own)),
        parameters=Parameters(max_tokens=400),
    )


def config(base_url: str, at_once: int) -> Config:
    settings = ProviderSettings(kind="openai-compatible", base_url=base_url, concurrency=at_once)
    roles = dict.fromkeys(("expert", "user", "assistant", "judge"), RoleSettings(model="larch/larch-1", max_tokens=400))
    return Config(name="bench", roles=roles, providers={"larch": settings}, prices={"larch-1": Price(input=1, output=2)})


async def many(calls: int, at_once: int, one: Callable[[int], Awaitable[object]]) -> None:
    """So many workers that take the next number when they are done."""
    numbers = iter(range(calls))

    async def worker() -> None:
        for number in numbers:
            await one(number)

    await asyncio.gather(*(worker() for _ in range(at_once)))


def peak_megabytes() -> float:
    """The most memory of this process itself: what the system calls ru_maxrss begins with that of the process that started it."""
    with Path("/proc/self/status").open() as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))


async def whole(door: Door) -> None:
    async def sample(number: int) -> None:
        await door.ask(asked(number, "assistant"))
        await door.ask(asked(number))

    await many(SAMPLES, AT_ONCE, sample)


async def resumed(door: Door, rows: int) -> None:
    started = time.perf_counter()
    await many(rows, AT_ONCE, lambda number: door.ask(asked(number)))
    await door.ask(asked(rows))
    print(time.perf_counter() - started, peak_megabytes())


async def main() -> None:
    task, base_url, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    ledger = SqliteLedger(folder / "ledger.sqlite")
    async with open_door(config(base_url, AT_ONCE), ledger, folder) as door:
        await (whole(door) if task == "whole" else resumed(door, int(sys.argv[4])))
    ledger.close()


if __name__ == "__main__":
    prepare_interpreter()
    asyncio.run(main())
