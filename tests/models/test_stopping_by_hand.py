"""Ctrl-C on the command line: how soon a person is told, what is kept, and the exit code."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from finetune_prep.project import scaffold
from tests.fake_endpoint import Completion, FakeEndpoint, Stall

BRIEF = "# Repairs of bicycles\n\nThe assistant helps riders of a session's customers to mend small faults themselves.\n"


def _project(folder: Path, endpoint: FakeEndpoint) -> Path:
    scaffold.create(folder, BRIEF, scaffold.config_text("bicycles", "larch/larch-1", endpoint.base_url, "", year=2026))
    return folder


def _start(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "finetune_prep", "--project", str(folder), "prepare"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )


def _wait_for_a_call(endpoint: FakeEndpoint) -> None:
    deadline = time.monotonic() + 30
    while not endpoint.at_once:
        assert time.monotonic() < deadline, "nothing was asked"
        time.sleep(0.01)


def test_ctrl_c_is_answered_within_a_second(tmp_path: Path) -> None:
    """The person is told at once; the call under way is kept; the exit code is 130."""
    with FakeEndpoint(Completion("no", latency=1.5)) as endpoint:
        child = _start(_project(tmp_path / "bicycles", endpoint))
        _wait_for_a_call(endpoint)
        pressed = time.monotonic()
        child.send_signal(signal.SIGINT)
        assert child.stderr is not None
        told = child.stderr.readline()
        seconds = time.monotonic() - pressed
        _, rest = child.communicate(timeout=30)
    print(f"\ntold after {seconds:.2f} s")
    assert "Stopping" in told
    assert seconds < 1
    assert "Stopped." in rest
    assert "Traceback" not in rest
    assert child.returncode == 130


def test_a_second_ctrl_c_leaves_at_once(tmp_path: Path) -> None:
    """Whoever does not want to wait for a stalled call presses twice."""
    with FakeEndpoint(Stall()) as endpoint:
        child = _start(_project(tmp_path / "bicycles", endpoint))
        _wait_for_a_call(endpoint)
        child.send_signal(signal.SIGINT)
        assert child.stderr is not None
        child.stderr.readline()
        pressed = time.monotonic()
        child.send_signal(signal.SIGINT)
        _, rest = child.communicate(timeout=30)
        seconds = time.monotonic() - pressed
    assert seconds < 2
    assert child.returncode == 130, rest
