"""The command `pilot` from its start to its end, beside a bare loop that only sends and reads as many calls. Printed, not gated.

    python benchmarks/pilot.py [N …] [--scale] [--project FOLDER] [--profile FILE]

A copy of the shop, or of another project whose documents are accepted and recorded, asked of an endpoint that answers in
50 ms: 64 calls at once, for conversations in turns. For each N (default: 100 and 1,000), after a pilot of 8 and a look at
`status`: the time, the share of what the latency allows, CPU a call, the most memory and the size of the report; then the same
command once more, which asks nothing, and `status`. What was known before is not counted. With --scale, the same of `scale N`
after a pilot of 100; N are accepted rows then.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pycurl
from door_calls import many

SECONDS = 0.05
AT_ONCE = 64
HERE = Path(__file__).parent
SHOP = HERE.parent / "examples" / "online-shop"
COPIED = ("brief.md", "decisions.jsonl", "finetune-prep.toml", "prompts", "recording.jsonl", "reference", "sources")
CONFIG = """
[providers.larch]
kind = "openai-compatible"
base_url = "{base_url}"
concurrency = {at_once}

[prices."language-model"]
input = 0
output = 0
"""


class Ran(NamedTuple):
    """A command that ran in a process of its own."""

    seconds: float
    cpu: float
    megabytes: float


@contextmanager
def endpoint() -> Iterator[str]:
    """The base_url of an endpoint in a process of its own."""
    command = [sys.executable, str(HERE / "talking_endpoint.py"), str(SECONDS)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    try:
        yield f"http://127.0.0.1:{child.stdout.readline().strip()}/v1"
    finally:
        child.kill()
        child.wait()


def copied(project: Path, folder: Path, base_url: str) -> Path:
    """The project with its accepted documents, whose roles all ask the endpoint."""
    folder.mkdir()
    for name in COPIED:
        source = project / name
        shutil.copytree(source, folder / name) if source.is_dir() else shutil.copy(source, folder / name)
    config = folder / "finetune-prep.toml"
    told = re.sub(r'^model = ".*"$', 'model = "larch/language-model"', config.read_text("utf-8"), flags=re.MULTILINE)
    told = re.sub(r'^way = ".*?"', 'way = "turns"', told, flags=re.MULTILINE)
    config.write_text(told + CONFIG.format(base_url=base_url, at_once=AT_ONCE), "utf-8")
    return folder


def run(folder: Path, *arguments: str, profile: str = "") -> Ran:
    """One command; its output is shown if it fails. CPU in seconds, user and system."""
    how = ["-m", "cProfile", "-o", profile] if profile else []
    command = [sys.executable, *how, "-m", "finetune_prep", "--project", str(folder), *arguments]
    started = time.perf_counter()
    with tempfile.TemporaryFile() as said:
        child = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT)
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            said.seek(0)
            sys.exit(f"{' '.join(arguments)} ended with {child.returncode}:\n{said.read().decode()}")
    return Ran(time.perf_counter() - started, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def calls_of(folder: Path) -> int:
    with sqlite3.connect(f"file:{folder}/.finetune-prep/ledger.sqlite?mode=ro", uri=True) as ledger:
        (count,) = ledger.execute("select count(*) from entry").fetchone()
    return int(count)


async def bare(base_url: str, calls: int) -> float:
    """Seconds for so many calls that nobody keeps: one body, sent and read."""
    idle: list[pycurl.Curl] = []
    body = b'{"model": "larch-1", "messages": [{"role": "user", "content": "%s"}]}' % (b"The bowl came cracked. " * 250)
    async with pycurl.AsyncCurlMulti() as multi:

        async def one(number: int) -> None:
            curl = idle.pop() if idle else pycurl.Curl()
            answer = bytearray()
            curl.setopt(pycurl.URL, f"{base_url}/chat/completions")
            curl.setopt(pycurl.HTTPHEADER, ["Content-Type: application/json", "Expect:"])
            curl.setopt(pycurl.POSTFIELDS, body)
            curl.setopt(pycurl.WRITEFUNCTION, answer.extend)
            await multi.perform(curl)
            idle.append(curl)

        started = time.perf_counter()
        await many(calls, AT_ONCE, one)
        return time.perf_counter() - started


def measure(n: int, project: Path, base_url: str, profile: str, *, scale: bool) -> None:
    few, command = (100, ["scale", str(n), "--yes"]) if scale else (8, ["pilot", "-n", str(n), "--yes"])
    with tempfile.TemporaryDirectory() as parent:
        folder = copied(project, Path(parent) / "shop", base_url)
        run(folder, "ledger", "import", str(folder / "recording.jsonl"))  # what judges said about the documents
        # as whoever comes to a large pilot has: what gates said is remembered then, and the documents are published
        run(folder, "pilot", "-n", str(few), "--yes")
        run(folder, "status")
        known = calls_of(folder)
        first = run(folder, *command, profile=profile)
        calls = calls_of(folder) - known
        again = run(folder, *command)
        status = run(folder, "status")
        report = max((folder / "runs").glob("*/report.html")).stat().st_size / 1e6  # of the latest run
        loop = asyncio.run(bare(base_url, calls))
    limit = calls * SECONDS / AT_ONCE
    print(
        f"{n:6,} {'rows' if scale else 'talks'}  {calls:7,} calls  {first.seconds:6.1f} s = "
        f"{limit / first.seconds:.2f} of the limit, {loop / first.seconds:.2f} of the bare loop   "
        f"{first.cpu / calls * 1000:.2f} ms CPU a call   {first.megabytes:.0f} MB   report {report:.1f} MB   "
        f"again {again.seconds:.1f} s, {again.megabytes:.0f} MB   status {status.seconds * 1000:.0f} ms",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("sizes", nargs="*", type=int, default=[100, 1000])
    parser.add_argument("--scale", action="store_true", help="measure scale and not pilot")
    parser.add_argument("--project", type=Path, default=SHOP)
    parser.add_argument("--profile", default="", help="a file for cProfile's figures of the command, which slow it down")
    given = parser.parse_args()
    with endpoint() as base_url:
        for n in given.sizes:
            measure(n, given.project, base_url, given.profile, scale=given.scale)


if __name__ == "__main__":
    main()
