"""A pilot that is ended at every moment, by Ctrl-C, by `kill` and by what nobody can hear; then the same command again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from tests.cli.terminal import Terminal, environment
from tests.fake_endpoint import Call, Completion
from tests.families.sampling import members
from tests.families.trial import Trial, trial
from tests.signals import hearing_ctrl_c
from tests.waiting import HUNG

CALLS = 6  # moments
KILLS = {
    f"{signal.Signals(number).name} at call {call}, {'in flight' if held else 'between'}": (number, call, held)
    for call in range(1, CALLS + 1)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
    for held in (True, False)
} | {
    f"{signal.Signals(number).name} twice at call {call}": (number, call, None)
    for call in range(1, CALLS + 1)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
}  # fmt: skip


def begun(tried: Trial) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "finetune_prep", "--project", str(tried.folder), "pilot", "-n", "2"]
    with hearing_ctrl_c():
        return subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(FINETUNE_PREP_ALLOW_KEYS="*@127.0.0.1")
        )


@members("kill", KILLS, 3)
def test_the_same_command_goes_on_where_it_was(
    kill: tuple[int, int, bool | None], accepted: Path, tmp_path: Path, terminal_in: Callable[[Path], Terminal]
) -> None:
    """Nothing is lost, no row stands twice, and only what was in flight may be asked again."""
    number, moment, held = kill
    released = threading.Event()

    def member(call: Call, good: Completion) -> Completion:
        wait = held and len(tried.endpoint.calls) >= moment
        return Completion(good.text, after=released if wait else None)

    with trial(accepted, tmp_path / "shop", terminal_in, member) as tried:
        child = begun(tried)
        tried.endpoint.wait_for_calls(moment, caller=child)
        os.kill(child.pid, number)
        if held is None:
            os.kill(child.pid, number)
        released.set()
        out, err = child.communicate(timeout=HUNG)
        assert b"Traceback" not in out + err, err.decode()
        again = tried.pilot()
        assert again.code == 0, again
        assert [sample.state for sample in tried.samples()] == ["accepted"] * 2
        in_flight = 2 if number == signal.SIGKILL or held is None else 0
        assert len(tried.endpoint.calls) <= tried.due() + in_flight
        tried.assert_sound(kept=number != signal.SIGKILL and held is not None)
