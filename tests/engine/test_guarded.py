"""No server is left over."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from tests.engine.engines import HERE

SERVER = "import os, subprocess, sys, time; print(os.getpid(), flush=True); subprocess.Popen(['sleep', '1000']); time.sleep(1000)"


def test_a_server_ends_with_its_guards_input_and_so_do_its_children() -> None:
    guard = subprocess.Popen(
        [sys.executable, HERE / "guarded.py", sys.executable, "-c", SERVER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert guard.stdin and guard.stdout
    group = int(guard.stdout.readline())
    assert _lives(group)
    guard.stdin.close()
    guard.wait(30)
    deadline = time.monotonic() + 10
    while _lives(group):
        assert time.monotonic() < deadline, "the server is still there"
        time.sleep(0.05)
    guard.stdout.close()


def _lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
