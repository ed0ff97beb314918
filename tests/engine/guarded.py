"""Run a server until standard input ends: `python guarded.py COMMAND …`. So none is left over, however the test ended."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading


def main() -> int:
    process = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, start_new_session=True)

    def guard() -> None:
        sys.stdin.buffer.read()
        _signal(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
        _signal(process.pid, signal.SIGKILL)  # and whatever processes it started

    watch = threading.Thread(target=guard, daemon=True)
    watch.start()
    code = process.wait()
    watch.join(15 if code < 0 else 0)
    return code


def _signal(group: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, number)


if __name__ == "__main__":
    sys.exit(main())
