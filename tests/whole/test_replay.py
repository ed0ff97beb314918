"""Over HTTP as from the recording: whatever the order of answers, concurrency and kills, the same files, nothing paid twice."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from finetune_prep.ledger.recording import read_recording
from tests.fake_endpoint import Call, FakeEndpoint
from tests.signals import hearing_ctrl_c
from tests.soak import SOAK
from tests.waiting import HUNG
from tests.whole.way import (
    MUSEUM,
    MUSEUM_SIZE,
    answer_from_recording,
    ask,
    copy_project,
    example_project,
    forget_pilot,
    rows,
    run_here,
    start,
    succeed,
    whole_way,
)

pytestmark = pytest.mark.environment
CONCURRENCY = 8
CALLS = sum(entry.request.phase == "pilot" for entry in read_recording(MUSEUM / "recording.jsonl"))  # of its pilot


def _latency(seed: int, longest: float) -> Callable[[Call], float]:
    """Latency that depends on the seed and the question, so that every seed has its own order of answers."""

    def latency(call: Call) -> float:
        return longest * hashlib.sha256(f"{seed}{call.text}".encode()).digest()[0] / 255

    return latency


def _endpoint_settings(endpoint: FakeEndpoint, concurrency: int) -> dict[str, object]:
    return {"kind": "openai-compatible", "base_url": endpoint.base_url, "concurrency": concurrency}


def test_a_project_over_http_goes_through_as_with_the_recording(museum: Path, tmp_path: Path) -> None:
    with FakeEndpoint(answer_from_recording()) as endpoint:
        folder = example_project(tmp_path / "museum", MUSEUM)
        ask(folder, "fake", **_endpoint_settings(endpoint, CONCURRENCY))
        whole_way(folder, MUSEUM_SIZE)
        assert endpoint.most_for_one_body == 1
    assert rows(folder) == rows(museum)


@pytest.mark.parametrize("concurrency", [1, 7, 64])
@pytest.mark.parametrize("seed", range(10 if SOAK else 2))
def test_order_of_answers_concurrency_and_a_kill_change_no_byte(
    seed: int, concurrency: int, museum: Path, tmp_path: Path
) -> None:
    folder = copy_project(museum, tmp_path / "museum")
    forget_pilot(folder)
    with FakeEndpoint(answer_from_recording(_latency(seed, 0.08))) as endpoint:
        ask(folder, "fake", **_endpoint_settings(endpoint, concurrency))
        pilot = ("pilot", "-n", str(MUSEUM_SIZE), "--window", str(concurrency))
        process = start(*pilot, folder=folder)
        endpoint.wait_for_calls(random.Random(f"{seed}/{concurrency}").randint(1, CALLS * 3 // 4))
        process.send_signal(signal.SIGKILL)
        process.wait()
        done = run_here(*pilot, folder=folder)
        assert done.returncode == 0, done.stdout + done.stderr
        asked_twice = len(endpoint.calls) - len({str(call.body) for call in endpoint.calls})
        assert asked_twice <= min(concurrency, MUSEUM_SIZE)
    succeed("export", "--preview", folder=folder)
    assert rows(folder) == rows(museum)


@pytest.mark.parametrize("seed", range(20 if SOAK else 3))
def test_killed_anywhere_on_the_way_only_what_was_in_flight_is_asked_again(seed: int, museum: Path, tmp_path: Path) -> None:
    stream = random.Random(seed)
    with FakeEndpoint(answer_from_recording(_latency(seed, 0.05))) as endpoint:
        folder = example_project(tmp_path / "museum", MUSEUM)
        ask(folder, "fake", **_endpoint_settings(endpoint, CONCURRENCY))
        kills = 0
        for command in (("prepare",), ("pilot", "-n", str(MUSEUM_SIZE))):
            process = start(*command, folder=folder)
            endpoint.wait_for_calls(len(endpoint.calls) + stream.randint(1, CALLS - 1), caller=process)
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                kills += 1
            process.wait()
            done = run_here(*command, folder=folder)
            assert done.returncode == 0, done.stdout + done.stderr
        bodies = {str(call.body) for call in endpoint.calls}
        assert len(endpoint.calls) - len(bodies) <= kills * CONCURRENCY
    succeed("export", "--preview", folder=folder)
    assert rows(folder) == rows(museum)


def test_ctrl_c_keeps_what_is_under_way_and_says_so(museum: Path, tmp_path: Path) -> None:
    folder = copy_project(museum, tmp_path / "museum")
    forget_pilot(folder)
    with FakeEndpoint(answer_from_recording(lambda call: 0.4)) as endpoint:
        ask(folder, "fake", **_endpoint_settings(endpoint, CONCURRENCY))
        with hearing_ctrl_c():
            process = subprocess.Popen(
                [sys.executable, "-m", "finetune_prep", "--project", str(folder), "pilot", "-n", str(MUSEUM_SIZE)],
                stderr=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                text=True,
            )
        endpoint.wait_for_calls(1)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=HUNG)
        assert process.returncode == 130
        assert "Stopping" in said
        assert "Traceback" not in said
        under_way = len(endpoint.calls)
        done = run_here("pilot", "-n", str(MUSEUM_SIZE), folder=folder)
        assert done.returncode == 0, done.stderr
        assert endpoint.most_for_one_body == 1, "what was under way at Ctrl-C was paid for twice"
        assert len(endpoint.calls) > under_way
    succeed("export", "--preview", folder=folder)
    assert rows(folder) == rows(museum)
