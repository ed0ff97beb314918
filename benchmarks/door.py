"""The door to models beside a bare loop over the same HTTP library, in one run, against the same endpoint. Printed, not gated.

    python benchmarks/door.py [--profile] [--quick]

6 kB prompts of which 4.5 kB are the same for all, 1.5 kB answers, 50 ms each, every answer on disk before it is handed over.
Machines and their neighbours differ: bare loop and door take turns, and the median ratio of the turns is what counts.
"""

from __future__ import annotations

import asyncio
import cProfile
import gc
import json
import pstats
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pycurl

from finetune_prep.cli.app import YOUNG_OBJECTS
from finetune_prep.core.conversation import Message
from finetune_prep.core.request import Parameters, Reply, Request, Usage
from finetune_prep.ledger.ledger import Entry
from finetune_prep.ledger.sqlite import SqliteLedger
from finetune_prep.models import wire
from finetune_prep.models.roles import open_door
from finetune_prep.project.config import Config, Price, ProviderSettings, RoleSettings

SECONDS = 0.05
AT_ONCE = 256
PREFIX = "You judge conversations of a workshop that mends bicycles. " * 76  # 4.5 kB
QUICK = "--quick" in sys.argv
CALLS = 4_000 if QUICK else 20_000
TURNS = 2 if QUICK else 3


@contextmanager
def endpoint(seconds: float = SECONDS) -> Iterator[str]:
    """The base_url of an endpoint in a process of its own."""
    script = Path(__file__).with_name("bench_endpoint.py")
    child = subprocess.Popen([sys.executable, str(script), str(seconds)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    try:
        yield f"http://127.0.0.1:{child.stdout.readline().strip()}/v1"
    finally:
        child.kill()
        child.wait()


def asked(number: int, role: str = "judge") -> Request:
    """A request whose last kilobyte and a half is its own."""
    own = f"Conversation {role} {number}. " + f"{number} The bowl came cracked. " * 48
    return Request(
        role="judge" if role == "judge" else "assistant",
        phase="pilot-001",
        about=f"scenario {number}",
        model="larch-1",
        messages=(Message("system", PREFIX), Message("user", own)),
        parameters=Parameters(max_tokens=400),
    )


def config(base_url: str, at_once: int) -> Config:
    settings = ProviderSettings(kind="openai-compatible", base_url=base_url, concurrency=at_once)
    roles = dict.fromkeys(("expert", "user", "assistant", "judge"), RoleSettings(model="larch/larch-1", max_tokens=400))
    return Config(name="bench", roles=roles, providers={"larch": settings}, prices={"larch-1": Price(input=1, output=2)})


async def many(calls: int, at_once: int, one: Callable[[int], Awaitable[object]]) -> tuple[float, float]:
    """Calls a second, and milliseconds of CPU for each, of so many workers that take the next number when they are done."""
    numbers = iter(range(calls))

    async def worker() -> None:
        for number in numbers:
            await one(number)

    started, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(worker() for _ in range(at_once)))
    return calls / (time.perf_counter() - started), (time.process_time() - cpu) * 1000 / calls


async def bare(base_url: str, calls: int) -> tuple[float, float]:
    """The same bodies through the same library: sent, read, not even parsed."""
    idle: list[pycurl.Curl] = []
    async with pycurl.AsyncCurlMulti() as multi:

        async def one(number: int) -> None:
            body = json.dumps(wire.body(asked(number))).encode()
            curl = idle.pop() if idle else pycurl.Curl()
            answer = bytearray()
            for option, value in (
                (pycurl.URL, base_url + wire.PATH),
                (pycurl.HTTPHEADER, ["Content-Type: application/json", "Expect:"]),
                (pycurl.POSTFIELDS, body),
                (pycurl.WRITEFUNCTION, answer.extend),
            ):
                curl.setopt(option, value)
            await multi.perform(curl)
            assert len(answer) > 1500
            idle.append(curl)

        await many(AT_ONCE * 4, AT_ONCE, one)
        return await many(calls, AT_ONCE, one)


async def door(base_url: str, calls: int, folder: Path) -> tuple[float, float]:
    """The whole door, with a fresh ledger on disk."""
    ledger = SqliteLedger(folder / "ledger.sqlite")
    async with open_door(config(base_url, AT_ONCE), ledger, folder) as opened:
        await many(AT_ONCE * 4, AT_ONCE, lambda number: opened.ask(asked(-1 - number)))
        figures = await many(calls, AT_ONCE, lambda number: opened.ask(asked(number)))
    ledger.close()
    return figures


def hot_path() -> None:
    """Ratio to the bare loop, CPU per call, bytes of ledger per call."""
    ratios, cpus, bares, sizes = [], [], [], []
    with endpoint() as base_url, tempfile.TemporaryDirectory() as folder:
        for turn in range(TURNS):
            place = Path(folder) / str(turn)
            bare_rate, bare_cpu = asyncio.run(bare(base_url, CALLS))
            rate, cpu = asyncio.run(door(base_url, CALLS, place))
            sizes.append(sum(path.stat().st_size for path in place.iterdir()) / (CALLS + 4 * AT_ONCE))
            ratios.append(rate / bare_rate)
            cpus.append(cpu)
            bares.append(bare_cpu)
            words = f"bare {bare_rate:5.0f}/s {bare_cpu:.2f} ms   door {rate:5.0f}/s {cpu:.2f} ms   ratio {ratios[-1]:.2f}"
            print(f"  turn {turn + 1}: {words}")
    print(f"ratio to the bare loop   {statistics.median(ratios):6.2f}      aim ≥ 0.90   (limit {AT_ONCE / SECONDS:,.0f} calls/s)")
    print(f"CPU per call             {statistics.median(cpus):6.2f} ms   aim ≤ 0.30   (bare loop {statistics.median(bares):.2f})")
    print(f"ledger per call          {statistics.median(sizes):6.0f} bytes for 7,500 of prompt and answer")


END_TO_END = """
import asyncio, gc, sys, time
gc.set_threshold(20_000, 20, 100)
sys.path.insert(0, sys.argv[3])
from pathlib import Path
import door as bench
from finetune_prep.ledger.sqlite import SqliteLedger
from finetune_prep.models.roles import open_door

async def main():
    folder = Path(sys.argv[2])
    ledger = SqliteLedger(folder / "ledger.sqlite")
    async with open_door(bench.config(sys.argv[1], 64), ledger, folder) as opened:
        async def sample(number):
            await opened.ask(bench.asked(number, "assistant"))
            await opened.ask(bench.asked(number))
        await bench.many(2000, 64, sample)
    ledger.close()

asyncio.run(main())
"""


def end_to_end() -> None:
    """2,000 generated and judged, 64 at once, start of the process included."""
    limit = 2 * 2000 * SECONDS / 64
    shares = []
    with endpoint() as base_url:
        for _ in range(TURNS):
            with tempfile.TemporaryDirectory() as folder:
                started = time.perf_counter()
                here = str(Path(__file__).parent)
                subprocess.run([sys.executable, "-c", END_TO_END, base_url, folder, here], check=True)
                shares.append(limit / (time.perf_counter() - started))
    share = statistics.median(shares)
    print(f"end to end               {share:6.2f}      aim ≥ 0.80, floor 0.70   of the latency limit of {limit:.3f} s")


RESUME = END_TO_END.replace(
    "await bench.many(2000, 64, sample)",
    """
        numbers = int(sys.argv[4])
        started = time.perf_counter()
        await bench.many(numbers, 64, lambda number: opened.ask(bench.asked(number)))
        seconds = time.perf_counter() - started
        await opened.ask(bench.asked(numbers))
        import resource
        print(time.perf_counter() - started, seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
""",
)


def resumed() -> None:
    """A ledger of many answers: how long until the first call that is new, and how much memory that takes."""
    rows = 10_000 if QUICK else 100_000
    with endpoint() as base_url, tempfile.TemporaryDirectory() as folder:
        asyncio.run(_fill(Path(folder), rows))
        started = time.perf_counter()
        here = str(Path(__file__).parent)
        done = subprocess.run(
            [sys.executable, "-c", RESUME, base_url, folder, here, str(rows)], check=True, capture_output=True, text=True
        )
        seconds = time.perf_counter() - started
        megabytes = float(done.stdout.split()[2])
    print(f"resume over {rows:,}      {seconds:6.1f} s    aim < 10     from the start of the process to the first new answer")
    print(f"resident memory          {megabytes:6.0f} MB   aim ≤ 400    in that run")


async def _fill(folder: Path, rows: int) -> None:
    ledger = SqliteLedger(folder / "ledger.sqlite")
    reply = Reply(
        text="The customer named a cracked bowl. " * 43, usage=Usage(input=1500, output=300), at="2026-11-20T10:00:00+00:00"
    )
    for start in range(0, rows, 1000):
        await ledger.put_all([Entry(asked(number), reply) for number in range(start, start + 1000)])
    ledger.close()


def profiled() -> None:
    """Where the CPU of the door goes."""
    with endpoint() as base_url, tempfile.TemporaryDirectory() as folder:
        profile = cProfile.Profile()
        profile.enable()
        asyncio.run(door(base_url, 4000, Path(folder)))
        profile.disable()
        pstats.Stats(profile).sort_stats("tottime").print_stats(45)


def main() -> None:
    gc.set_threshold(YOUNG_OBJECTS, 20, 100)  # as the command line does, and for the bare loop as well
    if "--profile" in sys.argv:
        profiled()
        return
    print(f"{CALLS:,} calls, {AT_ONCE} at once, {SECONDS * 1000:.0f} ms, {TURNS} turns")
    hot_path()
    end_to_end()
    resumed()
    print(f"this process at its largest {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
