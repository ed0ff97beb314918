"""What a newcomer waits for: start-up times, install size, the demo. Printed, never gated: machines differ.

Times are the median of several runs in processes of their own, beside a bare `python -c pass` in the same run.
"""

from __future__ import annotations

import importlib.metadata
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RUNS = 9


def timed(arguments: list[str], runs: int = RUNS) -> float:
    """Median wall-clock seconds of a command."""
    times = []
    for _ in range(runs):
        started = time.perf_counter()
        subprocess.run(arguments, capture_output=True, check=True)
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def installed_size() -> tuple[int, int]:
    """Bytes of finetune-prep and of everything it needs, as installed; and the number of packages."""
    wanted, seen = ["finetune-prep"], set[str]()
    while wanted:
        name = wanted.pop().lower().replace("_", "-")
        if name in seen:
            continue
        seen.add(name)
        for requirement in importlib.metadata.requires(name) or []:
            if "extra ==" not in requirement:
                found = "".join(c if c.isalnum() or c in "-_." else " " for c in requirement).split()[0]
                try:
                    importlib.metadata.distribution(found)
                except importlib.metadata.PackageNotFoundError:
                    continue  # needed on another platform only
                wanted.append(found)
    size = 0
    for name in seen:
        for file in importlib.metadata.files(name) or []:
            path = Path(str(file.locate()))
            size += path.stat().st_size if path.is_file() else 0
    return size, len(seen)


def main() -> None:
    command = [sys.executable, "-m", "finetune_prep"]
    bare = timed([sys.executable, "-c", "pass"])
    with tempfile.TemporaryDirectory() as folder:
        demo = timed([*command, "demo", f"{folder}/demo"], runs=1)
        again = timed([*command, "demo", f"{folder}/demo"], runs=1)
        status = timed([*command, "--project", f"{folder}/demo", "status"])
        check = timed([*command, "--project", f"{folder}/demo", "check", "evaluation-rubric"])
    size, packages = installed_size()
    print(f"python -c pass        {bare * 1000:7.0f} ms")
    print(f"finetune-prep --help  {timed([*command, '--help']) * 1000:7.0f} ms")
    print(f"status                {status * 1000:7.0f} ms  (finished example)")
    print(f"check                 {check * 1000:7.0f} ms  (its rubric)")
    print(f"demo                  {demo:7.1f} s   (first time; {again:.1f} s again)")
    print(f"install size          {size / 1e6:7.1f} MB  ({packages} packages)")


if __name__ == "__main__":
    main()
