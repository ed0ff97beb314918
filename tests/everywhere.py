"""The tests marked `environment`, three times in each setting that once broke some of them: `make everywhere`.

    python tests/everywhere.py [TIMES] [SETTING …]

Settings: today, ahead (three years, with Debian's faketime, the monotonic clock left alone), deaf (SIGINT ignored, as for a
script's background job), busy (beside four busy loops). Ends with 1 if any run failed; a setting that this machine does not
have is named and left out. PYTEST_MARK= (empty) runs the whole suite in place of the marked tests.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
BUSY_LOOPS = 4
LATER = "+1095d"
# libfaketime 0.9.10 takes a sleep until a moment of the monotonic clock, which it was told to leave alone, for one of the calendar
SLEEP = "import select, time\ntime.sleep = lambda seconds: select.select([], [], [], seconds) and None\n"


@contextlib.contextmanager
def _busy() -> Iterator[None]:
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(BUSY_LOOPS)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


@contextlib.contextmanager
def _deaf() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def _ahead() -> Iterator[None]:
    """Every Python that is started from here on sleeps without the clock."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "sitecustomize.py").write_text(SLEEP)
        os.environ["PYTHONPATH"] = folder
        try:
            yield
        finally:
            del os.environ["PYTHONPATH"]


AROUND = {"busy": _busy, "deaf": _deaf, "ahead": _ahead}


def _run(setting: str) -> bool:
    """Whether all tests passed in a setting."""
    marked = ["-m", mark] if (mark := os.environ.get("PYTEST_MARK", "environment")) else []
    command = [sys.executable, "-m", "pytest", "-q", "-n", os.environ.get("WORKERS", "2"), "--dist", "worksteal", *marked]
    ahead = ["faketime", "-f", LATER] if setting == "ahead" else []
    with AROUND.get(setting, contextlib.nullcontext)():
        return not subprocess.run([*ahead, *command], cwd=ROOT, env=os.environ | {"FAKETIME_DONT_FAKE_MONOTONIC": "1"}).returncode


def main(times: int = 3, *chosen: str) -> int:
    failed = []
    for setting in chosen or ("today", "ahead", "deaf", "busy"):
        if setting == "ahead" and shutil.which("faketime") is None:
            print("left out: ahead (no faketime here; Debian's package of that name has it)", flush=True)
            continue
        for number in range(1, times + 1):
            print(f"\n{setting}, {number} of {times}", flush=True)
            if not _run(setting):
                failed.append(f"{setting} {number}")
    print(f"\nfailed: {', '.join(failed) or 'none'}")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main(*(int(word) if word.isdigit() else word for word in sys.argv[1:])))
