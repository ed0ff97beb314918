"""One writer per project: the second is told who the first is, and a dead one blocks nobody."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from finetune_prep.errors import ProjectLocked
from finetune_prep.project.lock import locked
from tests.soak import SOAK
from tests.waiting import HUNG

HOLD = """
import sys
from pathlib import Path
from finetune_prep.project.lock import locked
with locked(Path(sys.argv[1]), "pilot"):
    print("held", flush=True)
    sys.stdin.read()
"""


RACE = """
import sys
from pathlib import Path
from finetune_prep.errors import ProjectLocked
from finetune_prep.project.lock import locked
print("ready", flush=True)
sys.stdin.readline()
try:
    with locked(Path(sys.argv[1]), "pilot"):
        print("in", flush=True)
        sys.stdin.readline()
except ProjectLocked as error:
    print(error.what, flush=True)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "shop" / ".finetune-prep" / "lock"


def test_a_second_holder_is_refused_with_the_name_of_the_first(path: Path) -> None:
    with locked(path, "prepare"):
        with pytest.raises(ProjectLocked) as caught, locked(path, "pilot"):
            pytest.fail("two hold the lock")
        assert caught.value.what == f"finetune-prep prepare (process {os.getpid()}) is working on this project"
        assert caught.value.where == str(path.parent.parent)


def test_a_refusal_leaves_the_lock_with_its_holder(path: Path) -> None:
    with locked(path, "prepare"):
        for _ in range(3):
            with pytest.raises(ProjectLocked, match="finetune-prep prepare"), locked(path, "pilot"):
                pytest.fail("two hold the lock")


def test_the_lock_is_free_after_its_holder_is_done_or_has_failed(path: Path) -> None:
    with locked(path, "prepare"):
        pass
    with pytest.raises(RuntimeError), locked(path, "a command with a longer name"):
        raise RuntimeError
    with locked(path, "pilot"):
        assert path.read_text() == f"finetune-prep pilot (process {os.getpid()})"


def test_a_holder_that_was_killed_blocks_nobody(path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(ProjectLocked, match=rf"finetune-prep pilot \(process {holder.pid}\)"), locked(path, "status"):
            pytest.fail("two hold the lock")
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait(timeout=HUNG)
        with locked(path, "prepare"):
            assert str(os.getpid()) in path.read_text()


def test_two_projects_do_not_wait_for_each_other(path: Path, tmp_path: Path) -> None:
    with locked(path, "prepare"), locked(tmp_path / "other" / "lock", "prepare"):
        assert path.is_file()


def test_of_two_that_start_together_one_goes_in(path: Path) -> None:
    """However often it is tried: one works, and the other one is told whose turn it is."""
    for _ in range(100 if SOAK else 3):  # two starts each
        command = [sys.executable, "-c", RACE, str(path)]
        with contextlib.ExitStack() as stack:
            both = [
                stack.enter_context(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
                for _ in range(2)
            ]
            assert [process.stdout.readline() for process in both if process.stdout] == ["ready\n"] * 2
            for process in both:
                assert process.stdin is not None
                process.stdin.write("go\n")
                process.stdin.flush()
            told = [process.stdout.readline().strip() for process in both if process.stdout]
            winner = told.index("in")
            assert told[1 - winner].endswith("is working on this project")
