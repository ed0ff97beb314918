"""Batch APIs and SIGKILL: before, during and after every call and every write; each request is billed exactly once.

Some moments here; `make soak` goes through all of them.
"""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from finetune_prep.ledger.sqlite.ledger import SqliteLedger
from tests.fake_batches import KEY, Api, FakeBatches, Late, Reset
from tests.ledgers import entries
from tests.models.batches.run_of_batches import SIZE
from tests.models.examples import KEY_ENV, request
from tests.models.test_interruptions import environment
from tests.signals import hearing_ctrl_c
from tests.soak import SOAK
from tests.waiting import HUNG

pytestmark = [pytest.mark.environment, pytest.mark.slow]
APIS: tuple[Api, ...] = ("openai", "anthropic")
MOST_COMMANDS = 8


def start(folder: Path, fake: FakeBatches, *fault: str, settle: float = 0.0) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.models.batches.run_of_batches", str(folder), fake.api, fake.base_url, str(settle), *fault],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment() | {KEY_ENV: KEY},
    )


def end(child: subprocess.Popen[bytes]) -> tuple[int, bytes]:
    out, err = child.communicate(timeout=HUNG)
    assert b"Traceback" not in err, err.decode()
    return child.returncode, out


def finish(folder: Path, fake: FakeBatches) -> None:
    """Run the same command until all is there, the provider working in between; every answer is there and was billed once."""
    for _ in range(MOST_COMMANDS):
        if end(start(folder, fake))[0] == 0:
            break
        fake.work()
    ledger = SqliteLedger(folder / "ledger.sqlite")
    texts = {entry.request.origin.label: entry.reply.text for entry in asyncio.run(entries(ledger))}
    spent, held, open_ones = (
        asyncio.run(ledger.money.spent()),
        asyncio.run(ledger.money.held()),
        [found for found in asyncio.run(ledger.rounds.submissions()) if found.open],
    )
    ledger.close()
    assert texts == {str(n): str(n) for n in range(SIZE)}
    assert fake.billed == {request(str(n)).key: 1 for n in range(SIZE)}
    assert (spent, held, open_ones) == (pytest.approx(SIZE * 0.5 * 120 / 1e6), 0.0, [])


@pytest.mark.parametrize("done", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("call", ["upload", "list", "create", "look", "results"])
@pytest.mark.parametrize("api", APIS)
def test_killed_at_a_call_nothing_is_billed_twice(api: Api, call: str, done: bool, tmp_path: Path) -> None:
    """The process dies while the provider has the call, which is carried out or is not."""
    killed = []
    with FakeBatches(api) as fake:

        def kill() -> None:
            child.kill()
            killed.append(call)

        fake.fault = lambda name, nth: Reset(done, then=kill) if (name, nth) == (call, 1) else None
        for _ in range(2):
            child = start(tmp_path, fake)
            end(child)
            fake.work()
        finish(tmp_path, fake)
    needed = {"openai": {"upload", "create", "look", "results"}, "anthropic": {"list", "create", "look", "results"}}[api]
    assert bool(killed) == (call in needed)


@pytest.mark.parametrize("api", APIS)
def test_a_batch_that_appears_after_the_death_of_its_sender(api: Api, tmp_path: Path) -> None:
    """The provider carries the call out when the next command has already looked: it is waited for, and not sent again."""
    with FakeBatches(api) as fake:
        fake.fault = lambda name, nth: Late(then=lambda: child.kill()) if (name, nth) == ("create", 1) else None
        child = start(tmp_path, fake, settle=1000)
        end(child)
        assert end(start(tmp_path, fake, settle=1000))[0] == 4
        fake.carry_out()
        assert end(start(tmp_path, fake, settle=1000))[0] == 4
        fake.work()
        finish(tmp_path, fake)
        assert fake.calls["create"] == 1


@pytest.mark.parametrize("api", APIS)
def test_killed_at_the_nth_write_nothing_is_billed_twice(api: Api, tmp_path: Path) -> None:
    """SIGKILL in the ledger's own writing: of the command that sends, and of the one that fetches."""
    writes = []
    with FakeBatches(api) as fake:
        for _ in range(2):
            writes.append(int(end(start(tmp_path / "counted", fake, "none", "0"))[1].split()[-1]))
            fake.work()
    trials = 0
    for command, count in enumerate(writes):
        for nth in range(1, count + 1, 1 if SOAK else max(1, count // 3)):
            folder = tmp_path / f"{command}-{nth}"
            with FakeBatches(api) as fake:
                for _ in range(command):
                    end(start(folder, fake))
                    fake.work()
                code, _ = end(start(folder, fake, "kill", str(nth)))
                assert code == -9
                fake.work()
                finish(folder, fake)
            trials += 1
    print(f"\n{api}: killed at {trials} of {sum(writes)} writes, every request billed once")


@pytest.mark.parametrize("done", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("api", APIS)
def test_ctrl_c_while_a_batch_is_sent(api: Api, done: bool, tmp_path: Path) -> None:
    """The command ends without an answer to the sending; the next one finds out what became of it."""
    with FakeBatches(api) as fake:

        def interrupt() -> None:
            child.send_signal(signal.SIGINT)
            child.wait(HUNG)  # the provider answers when nobody listens any more

        fake.fault = lambda name, nth: Reset(done, then=interrupt) if (name, nth) == ("create", 1) else None
        with hearing_ctrl_c():
            child = start(tmp_path, fake)
        _, err = child.communicate(timeout=HUNG)
        assert b"KeyboardInterrupt" in err
        fake.work()
        finish(tmp_path, fake)
        assert len(fake.ours) == 1
