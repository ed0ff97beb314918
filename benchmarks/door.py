"""The door to models beside a bare loop over the same HTTP library, in one run, against the same endpoint. Printed, not gated.

    python benchmarks/door.py [--profile] [--quick] [--at-once N] [--as-a-pilot]

6 kB prompts of which 4.5 kB are the same for all, 1.5 kB answers, 50 ms each, every answer on disk before it is handed over.
Machines and their neighbours differ, from second to second: bare loop and door take many short turns, and medians of the turns
count, with the least and the most beside them. CPU is that of the process, all threads together.
"""

from __future__ import annotations

import asyncio
import cProfile
import os
import pstats
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pycurl
from door_calls import AT_ONCE as WHOLE_AT_ONCE
from door_calls import SAMPLES, asked, config, many, peak_megabytes

from finetune_prep.cli.app import prepare_interpreter
from finetune_prep.core.request import Reply, Usage
from finetune_prep.ledger.protocols import Entry
from finetune_prep.ledger.sqlite.ledger import SqliteLedger
from finetune_prep.models.door import open_door
from finetune_prep.models.wire import openai_wire

SECONDS = 0.05
AT_ONCE = int(sys.argv[sys.argv.index("--at-once") + 1]) if "--at-once" in sys.argv else 256
# half as many conversations more are in work in a pilot than calls may be under way, so that none waits for another one's commit
IN_WORK = AT_ONCE * 3 // 2 if "--as-a-pilot" in sys.argv else AT_ONCE
QUICK = "--quick" in sys.argv
CALLS = 3_000 if QUICK else 5_000
TURNS = 3 if QUICK else 9
HERE = Path(__file__).parent


class Unkept(SqliteLedger):
    """A ledger that keeps nothing: what is cheaper with it is what keeping costs."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.answers.put = self._put  # type: ignore[method-assign]

    async def _put(self, entry: Entry, *, spent: float = 0.0) -> None:
        return


@contextmanager
def endpoint(seconds: float = SECONDS) -> Iterator[str]:
    """The base_url of an endpoint in a process of its own."""
    command = [sys.executable, str(HERE / "bench_endpoint.py"), str(seconds)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    try:
        yield f"http://127.0.0.1:{child.stdout.readline().strip()}/v1"
    finally:
        child.kill()
        child.wait()


async def timed(calls: int, one: Callable[[int], Awaitable[object]], askers: int = AT_ONCE) -> tuple[float, float]:
    """Calls a second, and milliseconds of CPU for each, after some calls to warm up."""
    await many(AT_ONCE * 4, askers, lambda number: one(-1 - number))
    started, cpu = time.perf_counter(), time.process_time()
    await many(calls, askers, one)
    return calls / (time.perf_counter() - started), (time.process_time() - cpu) * 1000 / calls


async def bare(base_url: str, calls: int) -> tuple[float, float]:
    """The same bodies through the same library: sent, read, not even parsed."""
    idle: list[pycurl.Curl] = []
    async with pycurl.AsyncCurlMulti() as multi:

        async def one(number: int) -> None:
            curl = idle.pop() if idle else pycurl.Curl()
            answer = bytearray()
            for option, value in (
                (pycurl.URL, base_url + openai_wire.PATH),
                (pycurl.HTTPHEADER, ["Content-Type: application/json", "Expect:"]),
                (pycurl.POSTFIELDS, msgspec.json.encode(openai_wire.body(asked(number)))),
                (pycurl.WRITEFUNCTION, answer.extend),
            ):
                curl.setopt(option, value)
            await multi.perform(curl)
            assert len(answer) > 1500
            idle.append(curl)

        return await timed(calls, one)


async def door(base_url: str, calls: int, folder: Path, kind: type[SqliteLedger] = SqliteLedger) -> tuple[float, float]:
    """The whole door, with a fresh ledger on disk."""
    ledger = kind(folder / "ledger.sqlite")
    async with open_door(config(base_url, AT_ONCE), ledger, folder) as opened:
        figures = await timed(calls, lambda number: opened.ask(asked(number)), IN_WORK)
    ledger.close()
    return figures


def spread(values: Sequence[float], form: str) -> str:
    """Median (least … most)."""
    return f"{statistics.median(values):{form}} ({min(values):{form}} … {max(values):{form}})"


def sync_seconds(folder: Path) -> float:
    """How long this disk takes to say that 64 kB are written, median: no call is answered sooner than that."""
    times = []
    with (folder / "probe").open("wb") as file:
        for _ in range(20):
            file.write(b"x" * 65_536)
            file.flush()
            started = time.perf_counter()
            os.fsync(file.fileno())
            times.append(time.perf_counter() - started)
    return statistics.median(times)


def hot_path() -> None:
    """Ratio to the bare loop, CPU per call and where it goes, bytes of ledger per call."""
    turns, sizes, syncs = [], [], []
    with endpoint() as base_url, tempfile.TemporaryDirectory() as folder:
        for turn in range(TURNS):
            kept, unkept = Path(folder) / f"{turn}", Path(folder) / f"{turn}-unkept"
            without = asyncio.run(bare(base_url, CALLS))
            whole = asyncio.run(door(base_url, CALLS, kept))
            sizes.append(sum(path.stat().st_size for path in kept.iterdir()) / (CALLS + 4 * AT_ONCE))
            turns.append((without, whole, asyncio.run(door(base_url, CALLS, unkept, Unkept))))
            syncs.append(sync_seconds(Path(folder)) * 1000)
    print(f"bare loop, calls/s       {spread([without[0] for without, _, _ in turns], '.0f')}   limit {AT_ONCE / SECONDS:,.0f}")
    print(f"door, calls/s            {spread([whole[0] for _, whole, _ in turns], '.0f')}")
    print(f"ratio to the bare loop   {spread([whole[0] / without[0] for without, whole, _ in turns], '.2f')}   aim ≥ 0.90")
    print(f"the disk syncs in        {spread(syncs, '.1f')} ms")
    print(f"CPU per call             {spread([whole[1] for _, whole, _ in turns], '.3f')} ms   aim ≤ 0.30")
    print(f"  HTTP: the bare loop    {spread([without[1] for without, _, _ in turns], '.3f')}")
    print(f"  door without keeping   {spread([unkept[1] - without[1] for without, _, unkept in turns], '.3f')}   more than that")
    print(f"  packing and commit     {spread([whole[1] - unkept[1] for _, whole, unkept in turns], '.3f')}   more than that")
    print(f"ledger per call          {statistics.median(sizes):.0f} bytes for 7,500 of prompt and answer")


def run(*arguments: str) -> tuple[float, str]:
    """Seconds of a process of `door_calls`, its start included, and what it prints."""
    started = time.perf_counter()
    command = [sys.executable, str(HERE / "door_calls.py"), *arguments]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return time.perf_counter() - started, done.stdout


def end_to_end() -> None:
    """2,000 generated and judged, 64 at once, start of the process included."""
    limit = 2 * SAMPLES * SECONDS / WHOLE_AT_ONCE
    shares = []
    with endpoint() as base_url:
        for _ in range(TURNS):
            with tempfile.TemporaryDirectory() as folder:
                shares.append(limit / run("whole", base_url, folder)[0])
    print(f"end to end               {spread(shares, '.2f')}   aim ≥ 0.80, floor 0.70   of the latency limit of {limit:.3f} s")


def resumed() -> None:
    """A ledger of many answers: how long until the first call that is new, and how much memory that takes."""
    rows = 10_000 if QUICK else 100_000
    with endpoint() as base_url, tempfile.TemporaryDirectory() as folder:
        asyncio.run(_fill(Path(folder), rows))
        seconds, printed = run("resumed", base_url, folder, str(rows))
    print(f"resume over {rows:,}      {seconds:.1f} s   aim < 10   from the start of the process to the first new answer")
    print(f"resident memory          {float(printed.split()[1]):.0f} MB   aim ≤ 400   in that run")


async def _fill(folder: Path, rows: int) -> None:
    ledger = SqliteLedger(folder / "ledger.sqlite")
    reply = Reply(
        text="The customer named a cracked bowl. " * 43, usage=Usage(input=1500, output=300), at="2026-11-20T10:00:00+00:00"
    )
    for start in range(0, rows, 1000):
        await ledger.answers.put_all([Entry(asked(number), reply) for number in range(start, start + 1000)])
    ledger.close()


def profiled() -> None:
    """Where the CPU of the door goes, function by function."""
    with endpoint() as base_url, tempfile.TemporaryDirectory() as folder:
        profile = cProfile.Profile()
        profile.enable()
        asyncio.run(door(base_url, 4000, Path(folder)))
        profile.disable()
        pstats.Stats(profile).sort_stats("tottime").print_stats(45)


def main() -> None:
    prepare_interpreter()  # as the command line does, and for the bare loop as well
    if "--profile" in sys.argv:
        profiled()
        return
    print(f"{TURNS} turns of {CALLS:,} calls, {AT_ONCE} at once, {SECONDS * 1000:.0f} ms: median (least … most)")
    hot_path()
    end_to_end()
    resumed()
    print(f"this process at its largest {peak_megabytes():.0f} MB")


if __name__ == "__main__":
    main()
