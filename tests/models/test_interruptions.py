"""Killed, interrupted, out of disk: at every moment of a run, and then run again to its end.

Small counts here; `make soak` goes through all of them.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import apsw
import pytest

from finetune_prep.ledger.sqlite.ledger import SqliteLedger
from finetune_prep.models.pace.slots import FIRST_NEAR
from tests.fake_endpoint import Completion, FakeEndpoint
from tests.ledgers import entries
from tests.models.examples import request
from tests.signals import hearing_ctrl_c
from tests.soak import SOAK
from tests.waiting import HUNG

pytestmark = [pytest.mark.environment, pytest.mark.slow]
AT_ONCE = 8
BORNE = 1.5  # calls that an end costs at most for each at once: those under way, and half as many answers on their way to disk
CALLS = 30


def command(folder: Path, endpoint: FakeEndpoint, calls: int, *fault: str, at_once: int = AT_ONCE) -> list[str]:
    return [
        sys.executable,
        "-m",
        "tests.models.run_to_be_stopped",
        str(folder),
        endpoint.base_url,
        str(calls),
        str(at_once),
        *fault,
    ]


def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}


def keys_in(output: bytes) -> set[str]:
    return {line.decode() for line in output.splitlines() if len(line) == 32}


def kept(folder: Path) -> set[str]:
    """The keys in the ledger, whose file must be sound; none if the run did not come so far."""
    path = folder / "ledger.sqlite"
    if not path.exists():
        return set()
    connection = apsw.Connection(str(path))
    assert connection.pragma("integrity_check") == "ok"
    connection.close()
    ledger = SqliteLedger(path)
    try:
        return {entry.key for entry in asyncio.run(entries(ledger))}
    finally:
        ledger.close()


def finish(folder: Path, endpoint: FakeEndpoint, calls: int, at_once: int = AT_ONCE) -> None:
    """Run once more, undisturbed, and see that every row is there with its own answer."""
    subprocess.run(
        command(folder, endpoint, calls, at_once=at_once), check=True, capture_output=True, env=environment(), timeout=HUNG
    )
    ledger = SqliteLedger(folder / "ledger.sqlite")
    rows = {entry.request.origin.label: entry.reply.text for entry in asyncio.run(entries(ledger))}
    ledger.close()
    assert rows == {str(number): str(number) for number in range(calls)}


def writes_of_a_run(folder: Path) -> int:
    with FakeEndpoint(lambda call: Completion(call.text)) as endpoint:
        done = subprocess.run(
            command(folder, endpoint, CALLS, "none", "0"), check=True, capture_output=True, env=environment(), timeout=HUNG
        )
    return int(done.stdout.split()[-1])


def moments(folder: Path) -> range:
    """Every write of a run, or some of them from the first to the last."""
    writes = writes_of_a_run(folder / "counted")
    return range(1, writes + 1, 1 if SOAK else max(1, writes // 8))


def test_killed_at_the_nth_write_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    """SIGKILL in the ledger's own writing: what was handed over is kept, and only calls under way, or on their way to disk, are asked again."""
    extra = []
    for nth in moments(tmp_path):
        folder = tmp_path / str(nth)
        with FakeEndpoint(lambda call: Completion(call.text)) as endpoint:
            done = subprocess.run(
                command(folder, endpoint, CALLS, "kill", str(nth)), capture_output=True, env=environment(), timeout=HUNG
            )
            handed_over = keys_in(done.stdout)
            assert handed_over <= kept(folder)
            finish(folder, endpoint, CALLS)
            extra.append(len(endpoint.calls) - CALLS)
    print(f"\nkilled at {len(extra)} writes: 0 lost, 0 doubled, at most {max(extra)} calls repeated at {AT_ONCE} at once")
    assert max(extra) <= BORNE * AT_ONCE


def test_killed_at_random_moments_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    """SIGKILL from outside, after some more calls each time, all through one long run: each costs at most the calls under way and half as many."""
    calls, at_once, kills = (2000, 32, 200) if SOAK else (300, 16, 4)
    stream = random.Random(11)
    with FakeEndpoint(lambda call: Completion(call.text, latency=0.02)) as endpoint:
        for _ in range(kills):
            child = subprocess.Popen(
                command(tmp_path, endpoint, calls, at_once=at_once), stdout=subprocess.PIPE, env=environment()
            )
            assert child.stdout is not None
            moment = len(endpoint.calls) + stream.randrange(1, 2 * calls // kills)
            endpoint.wait_for_calls(moment, caller=child)
            child.send_signal(signal.SIGKILL)
            handed_over = keys_in(child.stdout.read())
            child.wait(HUNG)
            child.stdout.close()
            assert handed_over <= kept(tmp_path)
        finish(tmp_path, endpoint, calls, at_once)
        extra = len(endpoint.calls) - calls
    print(f"\n{kills} kills of a run of {calls} calls: 0 lost, 0 doubled, {extra / kills:.1f} calls repeated for each")
    assert extra <= kills * BORNE * at_once


@pytest.mark.parametrize("fault", ["full", "broken"])
def test_a_disk_that_fails_stops_the_run(fault: str, tmp_path: Path) -> None:
    """From the nth write on nothing can be written: a clear stop, a sound ledger, and few calls more than were under way."""
    told = {"full": "the disk is full", "broken": "the disk reports an error"}[fault]
    stopped = 0
    for nth in moments(tmp_path):
        folder = tmp_path / str(nth)
        with FakeEndpoint(lambda call: Completion(call.text)) as endpoint:
            done = subprocess.run(
                command(folder, endpoint, CALLS, fault, str(nth)), capture_output=True, env=environment(), timeout=HUNG
            )
            handed_over = keys_in(done.stdout)
            assert handed_over <= kept(folder)
            assert len(endpoint.calls) <= len(kept(folder)) + BORNE * AT_ONCE
            if done.returncode:  # the last writes only tidy up; SQLite does without them
                stopped += 1
                words = done.stderr.decode()
                assert (done.returncode, told in words, "next: " in words) == (5, True, True), words
                assert "Traceback" not in words
            finish(folder, endpoint, CALLS)
            assert len(endpoint.calls) <= CALLS + BORNE * AT_ONCE
    assert stopped >= 4


def test_ctrl_c_lets_calls_under_way_finish(tmp_path: Path) -> None:
    """They are paid for, so their answers are kept; then the run goes on where it was."""
    with FakeEndpoint(lambda call: Completion(call.text), held=True) as endpoint:
        with hearing_ctrl_c():
            child = subprocess.Popen(
                command(tmp_path, endpoint, CALLS), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment()
            )
        endpoint.wait_for_calls(FIRST_NEAR)
        child.send_signal(signal.SIGINT)
        endpoint.release()
        child.communicate(timeout=HUNG)
        assert child.returncode != 0
        under_way = len(endpoint.calls)
        assert under_way < CALLS
        assert len(kept(tmp_path)) == under_way
        finish(tmp_path, endpoint, CALLS)
        assert len(endpoint.calls) == CALLS
    assert request("0").key in kept(tmp_path)


SECOND = """
import sys
from pathlib import Path
from finetune_prep.errors import ProjectLocked
from finetune_prep.project.lock import locked
try:
    with locked(Path(sys.argv[1]), "second"):
        print("went in")
except ProjectLocked as error:
    print(error)
"""


def test_a_second_process_refuses(tmp_path: Path) -> None:
    """However often it is tried, and it says who is there; when the first one is dead, the next one goes in."""
    path = tmp_path / ".finetune-prep" / "lock"
    first = subprocess.Popen(
        [sys.executable, "-c", SECOND.replace('print("went in")', 'print("in", flush=True); sys.stdin.read()'), str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment(),
    )
    assert first.stdin is not None
    assert first.stdout is not None
    assert first.stdout.readline() == b"in\n"
    second = [sys.executable, "-c", SECOND, str(path)]
    for _ in range(200 if SOAK else 5):
        told = subprocess.run(second, capture_output=True, text=True, env=environment(), timeout=HUNG, check=True).stdout
        assert f"process {first.pid}" in told
    first.kill()
    first.wait(HUNG)
    first.stdin.close()
    first.stdout.close()
    assert subprocess.run(second, capture_output=True, env=environment(), timeout=HUNG).stdout == b"went in\n"
