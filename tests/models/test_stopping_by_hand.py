"""Ctrl-C, and the signal of `kill`, on the command line: what a person is told, what is kept, and the exit code."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from finetune_prep.ledger.sqlite.ledger import SqliteLedger
from finetune_prep.project.beginning import scaffold
from tests.fake_endpoint import Completion, FakeEndpoint
from tests.signals import deaf_to_ctrl_c, hearing_ctrl_c
from tests.waiting import HUNG

pytestmark = [pytest.mark.environment, pytest.mark.slow]
BRIEF = "# Repairs of bicycles\n\nThe assistant helps a bicycle workshop's customers to mend small faults themselves.\n"
# The command line, that would wait an hour for calls under way: whoever leaves earlier did not wait for them.
PATIENT = "from finetune_prep.models import door; door.GRACE_SECONDS = 3600.0; from finetune_prep.cli import main; main()"


def _project(folder: Path, endpoint: FakeEndpoint) -> Path:
    scaffold.create(folder, BRIEF, scaffold.config_text("bicycles", "larch/larch-1", endpoint.base_url, "", year=2026))
    path = folder / "finetune-prep.toml"
    path.write_text(path.read_text("utf-8").replace('"openai-compatible"\n', '"openai-compatible"\ntimeout = 3600.0\n'), "utf-8")
    return folder


@contextlib.contextmanager
def _preparing(
    folder: Path, endpoint: FakeEndpoint, signals: Callable[[], contextlib.AbstractContextManager[None]] = hearing_ctrl_c
) -> Iterator[subprocess.Popen[str]]:
    """`prepare` in a process of its own, with its first two calls under way. signals: what it is started with."""
    with signals():
        child = subprocess.Popen(
            [sys.executable, "-c", PATIENT, "--project", str(_project(folder, endpoint)), "prepare"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        )
    try:
        endpoint.wait_for_calls(2)
        yield child
    finally:
        child.kill()
        child.communicate()


def _first_line(child: subprocess.Popen[str]) -> str:
    assert child.stderr is not None
    return child.stderr.readline()


def _kept(folder: Path) -> int:
    ledger = SqliteLedger(folder / ".finetune-prep" / "ledger.sqlite")
    try:
        return asyncio.run(ledger.reports.count())
    finally:
        ledger.close()


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["Ctrl-C", "kill"])
def test_told_while_the_call_is_still_under_way_and_its_answer_is_kept(sent: signal.Signals, code: int, tmp_path: Path) -> None:
    """The person does not wait for the endpoint to be told; nothing more is asked; the exit code names the signal."""
    with FakeEndpoint(Completion("no"), held=True) as endpoint:
        with _preparing(tmp_path / "bicycles", endpoint) as child:
            child.send_signal(sent)
            told = _first_line(child)
            endpoint.release()
            _, rest = child.communicate(timeout=HUNG)
        asked = len(endpoint.calls)
    assert "Stopping: calls under way may finish, so that no answer is lost." in told
    assert "Stopped. Every answer that came is saved" in rest
    assert "abandoned" not in rest
    assert "Traceback" not in rest
    assert child.returncode == code
    assert _kept(tmp_path / "bicycles") == asked


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "kill"])
def test_the_second_time_leaves_at_once(sent: signal.Signals, tmp_path: Path) -> None:
    """Whoever does not want to wait for a call that is never answered says it twice."""
    with FakeEndpoint(held=True) as endpoint, _preparing(tmp_path / "bicycles", endpoint) as child:
        child.send_signal(sent)
        _first_line(child)
        child.send_signal(sent)
        _, rest = child.communicate(timeout=HUNG)
    assert child.returncode in (128 + sent, -sent), rest
    if sent == signal.SIGINT:  # the second signal of `kill` ends the process as it always did
        assert "2 calls under way were abandoned; they will be asked again." in rest, "a server of this machine bills nothing"
    assert "Traceback" not in rest


def test_a_background_job_is_deaf_to_ctrl_c_and_stops_when_told_to(tmp_path: Path) -> None:
    """`finetune-prep prepare &` in a script has SIGINT ignored: Ctrl-C means another job, `kill` this one, and paid is kept."""
    with FakeEndpoint(Completion("no"), held=True) as endpoint:
        with _preparing(tmp_path / "bicycles", endpoint, deaf_to_ctrl_c) as child:
            child.send_signal(signal.SIGINT)
            child.send_signal(signal.SIGTERM)
            told = _first_line(child)
            endpoint.release()
            _, rest = child.communicate(timeout=HUNG)
        asked = len(endpoint.calls)
    assert "Stopping" in told
    assert child.returncode == 143, rest
    assert _kept(tmp_path / "bicycles") == asked
